import json

import pytest

from d2c.deploy.parts import Difference
from d2c.deploy.publish import Published
from d2c.errors import D2CError

DIFFERENCE = Difference("pipeline copy_export: retry", "3", "2")


class Deployer:
    """Stands for `d2c.deploy.publish`: takes an environment, and answers as a test says."""

    def __init__(self):
        self.environment = None
        self.differences = []
        self.published = [Published("wheel w", "created"), Published("notebook n", "unchanged")]
        self.refusal = None

    def compare(self, environment):
        self.environment = environment
        return self.differences

    def deploy(self, environment, report):
        self.environment = environment
        if self.refusal:
            raise self.refusal
        for published in self.published:
            report(published)
        return self.published


@pytest.fixture
def deployer():
    return Deployer()


@pytest.fixture
def deploy(run, deployer):
    """Return a function that runs `d2c deploy` with options over the substitute."""
    return lambda *options: run("deploy", *options, load={"d2c.deploy.publish": deployer}.__getitem__)


def test_what_became_of_each_part_is_told_as_it_happens(deploy):
    result = deploy()
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["created    wheel w", "unchanged  notebook n", "1 of 2 published."]


def test_a_second_time_says_that_nothing_changed(deploy, deployer):
    deployer.published = [Published("wheel w", "unchanged")]
    assert deploy().stdout.splitlines()[-1] == "All 1 are unchanged."


def test_json_is_one_object_and_the_progress_goes_elsewhere(deploy):
    result = deploy("--json")
    assert json.loads(result.stdout) == {
        "published": [
            {"thing": "wheel w", "outcome": "created", "warning": ""},
            {"thing": "notebook n", "outcome": "unchanged", "warning": ""},
        ],
        "changed": 1,
    }
    assert "created    wheel w" in result.stderr


def test_a_check_exits_with_1_where_something_differs_and_with_0_where_nothing_does(deploy, deployer):
    assert deploy("--check").exit_code == 0
    deployer.differences = [DIFFERENCE]
    result = deploy("--check")
    assert result.exit_code == 1
    assert result.stdout.startswith("differs    pipeline copy_export: retry: 3, not 2\n1 differ")


def test_a_check_as_json_lists_the_differences(deploy, deployer):
    deployer.differences = [DIFFERENCE]
    result = deploy("--check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "differences": [{"thing": "pipeline copy_export: retry", "found": "3", "expected": "2"}]
    }


def test_a_refusal_is_told_and_exits_with_1(deploy, deployer):
    deployer.refusal = D2CError("Data Factory f: refused.", "Check who is signed in.")
    result = deploy("--json")
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


def test_settings_come_from_a_file_as_well_and_go_before_the_environment(
    deploy, deployer, tmp_path, monkeypatch
):
    monkeypatch.setenv("D2C_DATA_FACTORY", "another")
    monkeypatch.setenv("D2C_EXPORT_BUCKET", "bucket")
    (tmp_path / ".env").write_text(FILE)
    assert deploy("--env-file", str(tmp_path / ".env")).exit_code == 0
    expected = {
        "D2C_DATA_FACTORY": "factory",
        "D2C_RESOURCE_GROUP": "group",
        "D2C_CLUSTER": '{"num_workers": 2}',
        "D2C_EXPORT_BUCKET": "bucket",
        "EMPTY": "",
        "PLAIN": "a=b",
    }
    assert deployer.environment.items() >= expected.items()


def test_a_line_that_is_no_setting_is_named_by_its_number_and_not_shown(deploy, tmp_path):
    (tmp_path / ".env").write_text("A=1\nhidden secret\n")
    result = deploy("--env-file", str(tmp_path / ".env"))
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert "hidden" not in result.stderr


def test_without_azures_sdks_the_way_to_them_is_told(run):
    def no_sdk(name):
        raise ModuleNotFoundError("No module named 'azure'", name="azure")

    result = run("deploy", load=no_sdk)
    assert result.exit_code == 1
    assert "pip install 'd2c[app,cli]'" in result.stderr
