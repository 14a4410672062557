import json

from d2c.cli.commands.canary import _exit_status
from d2c.cli.views.canary import result_lines

RESULT = {
    "canary": "d2c-canary-0123abcd",
    "version": "0.1.0",
    "region": "eu-west-1",
    "started_at": "2026-06-01T12:00:00+00:00",
    "error": None,
    "counts": {"holds": 1, "fails": 0, "could not be tried": 0},
    "checks": [{"check": "odd-ids", "state": "holds", "seen": "a|b\nis there"}],
    "left": [],
}


def test_the_region_of_the_tables_is_required(run):
    result = run("canary", "--yes", env={"AWS_REGION": "", "AWS_DEFAULT_REGION": ""})
    assert result.exit_code == 2
    assert "--region" in result.stderr


def test_with_json_nobody_can_be_asked(run):
    result = run("canary", "--region", "eu-west-1", "--json")
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_missing_settings_are_told_before_anything_is_made(run):
    result = run("canary", "--region", "eu-west-1", "--yes", "--json", env={"D2C_EXPORT_BUCKET": ""})
    assert result.exit_code == 1
    assert "D2C_EXPORT_BUCKET" in json.loads(result.stdout)["error"]["detail"]


def test_the_exit_status_is_that_of_the_worst():
    fails = {**RESULT["counts"], "fails": 1}
    assert _exit_status(RESULT) == 0
    assert _exit_status({**RESULT, "left": ["a table"]}) == 1
    assert _exit_status({**RESULT, "left": ["a table"], "counts": fails}) == 3
    assert _exit_status({**RESULT, "error": {"detail": "x"}, "counts": fails}) == 1


def test_the_table_is_markdown_that_nothing_seen_can_break():
    lines = list(result_lines(RESULT))
    assert "1 holds" in lines[0]
    assert lines[-1] == "| odd-ids | holds | a\\|b is there |"
