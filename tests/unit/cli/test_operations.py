import json

import httpx
import pytest

from d2c.cli.commands.operations import METHOD
from d2c.plan.fields import VERIFY
from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import OPERATION_FAILED, arrived, migration, operation

ONE = "/api/migrations/music-2026"
RULES = {"numbers": "string"}


def accepted(name):
    return httpx.Response(
        202, json={"id": "music-2026", "operation": name, "state": "pending", "links": {"self": ONE}}
    )


def standing(*operations, **counts):
    """Return the status of a migration that has ended."""
    return migration("succeeded", arrived(**counts), operations=operations)


@pytest.fixture
def app_(service):
    """Return an app with a migration of one table that accepts both operations."""
    for name in ("replay", "verify"):
        service.on("POST", f"{ONE}/{name}", accepted(name))
    service.on("GET", ONE, standing(items_rejected=2))
    return service


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(RULES))
    return str(path)


def posted(service):
    """Return the bodies of what was posted; None stands for no body."""
    return [
        json.loads(request.content) if request.content else None
        for request in service.requests
        if request.method == "POST"
    ]


@pytest.mark.parametrize("name", ["replay", "verify"])
def test_an_operation_without_options_is_for_all_tables_and_says_how_to_follow_it(run, app_, name):
    result = run(name, "music-2026")
    assert (result.exit_code, posted(app_), len(app_.requests)) == (0, [None], 1)
    assert result.stdout.splitlines() == [
        f"Operation {name} of migration music-2026 is pending.",
        "Follow it: d2c status music-2026 --watch",
    ]


@pytest.mark.parametrize("name", ["replay", "verify"])
def test_json_gives_the_apps_answer(run, app_, name):
    result = run(name, "music-2026", "--json")
    assert json.loads(result.stdout) == json.loads(accepted(name).content)


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["--table", "Music"], {"tables": ["Music"]}),
        (["--table", "Music", "--table", "Orders"], {"tables": ["Music", "Orders"]}),
        (["--method", "counts"], {"verify": "counts"}),
        (["--method", "sample:0.01", "--table", "Music"], {"tables": ["Music"], "verify": "sample:0.01"}),
    ],
)
def test_a_verification_is_asked_for_tables_and_a_method(run, app_, arguments, body):
    assert run("verify", "music-2026", *arguments).exit_code == 0
    assert posted(app_) == [body]


def test_a_replay_of_a_table_leaves_its_rules(run, app_):
    run("replay", "music-2026", "--table", "Music")
    assert posted(app_) == [{"tables": [{"table": "Music"}]}]


def test_a_replay_sends_the_rules_of_a_file_for_the_table_that_is_named(run, app_, rules):
    assert run("replay", "music-2026", "--table", "Music", "--rules", rules).exit_code == 0
    assert posted(app_) == [{"tables": [{"table": "Music", "rules": RULES}]}]


def test_rules_that_are_empty_are_rules(run, app_):
    run("replay", "music-2026", "--table", "Music", "--rules", "-", input="{}")
    assert posted(app_) == [{"tables": [{"table": "Music", "rules": {}}]}]


def test_rules_without_a_table_are_for_the_only_table_of_the_migration(run, app_, rules):
    assert run("replay", "music-2026", "--rules", rules).exit_code == 0
    assert posted(app_) == [{"tables": [{"table": "Music", "rules": RULES}]}]


def test_rules_without_a_table_are_wrong_use_where_there_are_several(run, app_, rules):
    app_.on("GET", ONE, migration("succeeded", arrived(items_rejected=2), arrived("Orders")))
    result = run("replay", "music-2026", "--rules", rules)
    assert (result.exit_code, posted(app_)) == (2, [])
    assert "--table" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is not JSON"), ("[]", "is not a JSON object"), ('{"a": 1, "a": 2}', "occurs twice")],
)
def test_a_file_that_holds_no_rules_is_wrong_use_and_nothing_is_asked(run, service, text, told):
    result = run("replay", "music-2026", "--table", "Music", "--rules", "-", input=text)
    assert (result.exit_code, service.requests) == (2, [])
    assert told in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "music-2026", "--rules", "missing.json"],
        ["replay"],
        ["replay", "a/b"],
        ["verify"],
        ["verify", "music-2026", "--method", "half"],
        ["verify", "music-2026", "--method", "sample:0"],
        ["verify", "music-2026", "--method", "sample:1.5"],
        ["verify", "music-2026", "--method", "full\n"],
    ],
)
def test_what_cannot_be_asked_for_is_wrong_use_and_nothing_is_asked(
    run, service, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    assert (run(*arguments).exit_code, service.requests) == (2, [])


def test_the_methods_are_those_of_a_plan():
    assert f"^({METHOD.pattern})$" == VERIFY


def test_rules_that_the_app_refuses_are_told_with_each_fault(run, app_, rules):
    faults = [
        "tables.0.rules.partition_key: a replay cannot change it",
        "tables.0.rules.colour: unknown field",
    ]
    app_.on(
        "POST",
        f"{ONE}/replay",
        problem(400, "The request was refused", "Two faults.", "Mend it.", faults=faults),
    )
    result = run("replay", "music-2026", "--rules", rules)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "The request was refused:",
        *(f"  {fault}" for fault in faults),
        "Next: Mend it.",
    ]


@pytest.mark.parametrize("name", ["replay", "verify"])
def test_an_operation_that_conflicts_is_told_and_not_watched(run, app_, name):
    app_.on(
        "POST", f"{ONE}/{name}", problem(409, "It conflicts", "verify 1 runs.", "Wait until it has ended.")
    )
    result = run(name, "music-2026", "--watch")
    assert (result.exit_code, app_.pauses) == (1, [])
    assert result.stderr.splitlines() == ["It conflicts: verify 1 runs.", "Next: Wait until it has ended."]


@pytest.mark.parametrize("name", ["replay", "verify"])
@pytest.mark.parametrize(
    ("state", "counts", "status"),
    [
        ("succeeded", {}, 0),
        ("succeeded", {"items_rejected": 1}, 3),
        ("succeeded", {"mismatches": 4}, 3),
        ("failed", {}, 1),
        ("cancelled", {}, 1),
    ],
)
def test_a_watched_operation_is_followed_to_its_end_and_tells_by_the_exit_status(
    run, app_, name, state, counts, status
):
    error = OPERATION_FAILED if state == "failed" else None
    app_.on(
        "GET",
        ONE,
        standing(items_rejected=2),
        standing(operation(name, "pending"), items_rejected=2),
        standing(operation(name, "running"), items_rejected=2),
        standing(operation(name, state, error=error), **counts),
    )
    result = run(name, "music-2026", "--watch")
    assert (result.exit_code, app_.pauses) == (status, [2, 2])
    assert f"Operation {name} 1: {state} at 2026-02-01 09:05:00 UTC" in result.stdout


def test_what_ended_before_is_not_taken_for_the_end_of_what_was_started(run, app_):
    earlier = operation("verify", number=1)
    app_.on(
        "GET",
        ONE,
        standing(earlier),
        standing(earlier),
        standing(operation("verify", "running", 2), earlier),
        standing(operation("verify", "succeeded", 2), earlier, mismatches=1),
    )
    result = run("verify", "music-2026", "--watch")
    assert (result.exit_code, app_.pauses) == (3, [2, 2])


def test_a_watched_operation_gives_the_last_status_as_one_json_object(run, app_):
    last = standing(operation("replay"))
    app_.on("GET", ONE, standing(items_rejected=2), standing(operation("replay", "running")), last)
    result = run("replay", "music-2026", "--watch", "--json")
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, last, "")


def test_an_unknown_migration_is_told_before_anything_is_started(run, service, rules):
    service.on("GET", ONE, problem(404, "Not found", "No music-2026.", "List them."))
    for arguments in (["replay", "music-2026", "--rules", rules], ["verify", "music-2026", "--watch"]):
        result = run(*arguments)
        assert (result.exit_code, posted(service)) == (1, [])
        assert result.stderr.splitlines() == ["Not found: No music-2026.", "Next: List them."]
