import json

import pytest
import yaml

from d2c.app.cluster_settings import DEFAULT_MACHINE, DEFAULT_SIZE, DEFAULTS, read_cluster
from d2c.app.load_run_settings import CONNECTOR

from ..pages import ROOT

FOLDER = ROOT / "infra" / "databricks"
POLICY = json.loads((FOLDER / "policy.json").read_text())
BUNDLE = yaml.safe_load((FOLDER / "databricks.yml").read_text())
JOB = BUNDLE["resources"]["jobs"]["load_table"]


def allows(rule, value):
    match rule["type"]:
        case "fixed":
            return value == rule["value"]
        case "allowlist":
            return value in rule["values"] and rule["defaultValue"] in rule["values"]
        case "range":
            return rule["minValue"] <= value <= rule["maxValue"]
    raise AssertionError(rule["type"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *DEFAULTS.items(),
        ("node_type_id", DEFAULT_MACHINE),
        *((f"autoscale.{name}", value) for name, value in DEFAULT_SIZE["autoscale"].items()),
    ],
)
def test_the_policy_allows_the_apps_own_cluster(name, value):
    assert allows(POLICY[name], value)


def test_the_policys_values_are_such_as_the_app_takes():
    defaults = {
        name: rule.get("value", rule.get("defaultValue"))
        for name, rule in POLICY.items()
        if "." not in name and name != "cluster_type"
    }
    assert read_cluster(json.dumps(defaults)).items() >= defaults.items()


def test_the_bundles_job_runs_on_a_cluster_that_the_app_would_take():
    (cluster,) = JOB["job_clusters"]
    assert read_cluster(json.dumps(cluster["new_cluster"])).items() >= cluster["new_cluster"].items()


def test_the_bundle_deploys_the_notebook_the_wheel_and_the_connector_of_the_app():
    (task,) = JOB["tasks"]
    assert (FOLDER / task["notebook_task"]["notebook_path"]).is_file()
    assert (FOLDER / BUNDLE["artifacts"]["d2c"]["path"] / "pyproject.toml").is_file()
    assert all((FOLDER / path).is_dir() for path in BUNDLE["sync"]["paths"])
    maven, wheel = task["libraries"]
    assert (maven, wheel) == ({"maven": {"coordinates": CONNECTOR}}, {"whl": "../../dist/*.whl"})
    assert [parameter["name"] for parameter in JOB["parameters"]] == ["request"]


def test_every_variable_that_the_bundle_uses_is_declared():
    text = (FOLDER / "databricks.yml").read_text()
    used = {part.split("}")[0] for part in text.split("${var.")[1:]}
    assert used == set(BUNDLE["variables"])
