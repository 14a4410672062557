import json

import pytest

from d2c.deploy import publish
from d2c.deploy.parts import Difference
from d2c.deploy.publish import Published
from d2c.errors import D2CError

DIFFERENCE = Difference("pipeline copy_export: retry", "3", "2")


@pytest.fixture
def asked(monkeypatch):
    """What the command asks for, and what it is answered."""
    found = {
        "differences": [],
        "published": [Published("wheel w", "created"), Published("notebook n", "unchanged")],
    }

    def compare(environment):
        found["environment"] = environment
        return found["differences"]

    def deploy(environment, tell):
        found["environment"] = environment
        for published in found["published"]:
            tell(published)
        return found["published"]

    monkeypatch.setattr(publish, "compare", compare)
    monkeypatch.setattr(publish, "deploy", deploy)
    return found


def test_what_became_of_each_part_is_told_as_it_happens(run, asked):
    result = run("deploy")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["created    wheel w", "unchanged  notebook n", "1 of 2 published."]


def test_a_second_time_says_that_nothing_changed(run, asked):
    asked["published"] = [Published("wheel w", "unchanged")]
    assert run("deploy").stdout.splitlines()[-1] == "All 1 are unchanged."


def test_json_is_one_object_and_the_progress_goes_elsewhere(run, asked):
    result = run("deploy", "--json")
    assert json.loads(result.stdout) == {
        "published": [
            {"thing": "wheel w", "outcome": "created", "warning": ""},
            {"thing": "notebook n", "outcome": "unchanged", "warning": ""},
        ],
        "changed": 1,
    }
    assert "created    wheel w" in result.stderr


def test_a_check_exits_with_1_where_something_differs_and_with_0_where_nothing_does(run, asked):
    assert run("deploy", "--check").exit_code == 0
    asked["differences"] = [DIFFERENCE]
    result = run("deploy", "--check")
    assert result.exit_code == 1
    assert result.stdout.startswith("differs    pipeline copy_export: retry: 3, not 2\n1 differ")


def test_a_check_as_json_lists_the_differences(run, asked):
    asked["differences"] = [DIFFERENCE]
    result = run("deploy", "--check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "differences": [{"thing": "pipeline copy_export: retry", "found": "3", "expected": "2"}]
    }


def test_a_refusal_is_told_and_exits_with_1(run, asked, monkeypatch):
    def refuse(environment, tell):
        raise D2CError("Data Factory f: refused.", "Check who is signed in.")

    monkeypatch.setattr(publish, "deploy", refuse)
    result = run("deploy", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["next_step"] == "Check who is signed in."


def test_missing_settings_are_all_named(run, monkeypatch):
    for name in ("D2C_DATA_FACTORY", "DATABRICKS_HOST"):
        monkeypatch.delenv(name, raising=False)
    result = run("deploy")
    assert result.exit_code == 1
    assert "D2C_DATA_FACTORY is missing" in result.stderr
    assert "DATABRICKS_HOST is missing" in result.stderr


FILE = r"""
# of azd env get-values
D2C_DATA_FACTORY="factory"
export D2C_RESOURCE_GROUP='group'
D2C_CLUSTER="{\"num_workers\": 2}"
EMPTY=
PLAIN=a=b
"""


def test_settings_come_from_a_file_as_well_and_go_before_the_environment(run, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("D2C_DATA_FACTORY", "another")
    monkeypatch.setenv("D2C_EXPORT_BUCKET", "bucket")
    (tmp_path / ".env").write_text(FILE)
    assert run("deploy", "--env-file", str(tmp_path / ".env")).exit_code == 0
    expected = {
        "D2C_DATA_FACTORY": "factory",
        "D2C_RESOURCE_GROUP": "group",
        "D2C_CLUSTER": '{"num_workers": 2}',
        "D2C_EXPORT_BUCKET": "bucket",
        "EMPTY": "",
        "PLAIN": "a=b",
    }
    assert asked["environment"].items() >= expected.items()


def test_a_line_that_is_no_setting_is_named_by_its_number_and_not_shown(run, asked, tmp_path):
    (tmp_path / ".env").write_text("A=1\nhidden secret\n")
    result = run("deploy", "--env-file", str(tmp_path / ".env"))
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert "hidden" not in result.stderr


def test_without_azures_sdks_the_way_to_them_is_told(run, monkeypatch):
    def no_sdk(name):
        raise ModuleNotFoundError("No module named 'azure'", name="azure")

    monkeypatch.setattr("importlib.import_module", no_sdk)
    result = run("deploy")
    assert result.exit_code == 1
    assert "pip install 'd2c[app,cli]'" in result.stderr
