import json
from types import SimpleNamespace

import pytest

from d2c.app.settings import REQUIRED, SPARK_COSMOS_AUTH_TYPES, read_settings
from d2c.load_run.cosmos_options import cosmos_options
from tests.unit.app.test_aws_settings import WITH_ROLES
from tests.unit.app.test_settings import COMPLETE
from tests.unit.pages import ROOT, codes, json_blocks, table_rows, text_of

PAGE = text_of("install/settings.md")
SECTIONS = (
    "## AWS",
    "## The lake",
    "## Azure",
    "## Databricks and Spark",
    "## What plans may use",
    "## Polling",
    "## The HTTP API",
    "## Cost",
    "## Notifications",
)
ROWS = {
    codes(row[0])[0]: row[2] for section in SECTIONS for row in table_rows(PAGE, section) if len(row) == 3
}
EXAMPLE = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]

OTHERS = {
    "D2C_DURABLE_LINKS": "keys",
    "D2C_AWS_SESSION_SECONDS": "900",
    "D2C_COPY_BYTES_PER_SECOND": "1",
    "D2C_COPY_INTEGRATION_UNITS": "2",
    "D2C_COPY_PARALLEL_COPIES": "1",
    "D2C_COSMOS_CONNECTOR": "com.azure.cosmos.spark:azure-cosmos-spark_4-1_2-13:5.0.0",
    "D2C_LOAD_RUN_TIMEOUT_SECONDS": "0",
    "D2C_CLUSTER_WAITS_SECONDS": "0",
    "D2C_INDEXING_WAITS_SECONDS": "0",
    "D2C_VERIFY_RU_PERCENT": "100",
    "D2C_VERIFY_READS_WITH": "one-task-per-partition",
    "D2C_MOST_LOAD_RU_PER_SECOND": "100000",
    "D2C_METRICS_LAG_SECONDS": "60",
}
WEBHOOK = "https://hooks.example.com/hidden"


class Recorder(dict):
    """An environment that remembers what it was asked for."""

    def __init__(self, *values):
        super().__init__(*values)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def test_the_page_has_every_setting_that_the_app_reads_and_no_other():
    environment = Recorder(COMPLETE)
    read_settings(environment)
    assert ROWS.keys() == environment.asked


def test_the_page_says_which_are_required():
    assert {name for name, default in ROWS.items() if default == "required"} == set(REQUIRED)


@pytest.mark.parametrize("name", [name for name, default in ROWS.items() if default.startswith("`")])
def test_a_default_is_the_one_that_the_page_says(name):
    (default,) = codes(ROWS[name])
    assert read_settings({**COMPLETE, name: default}) == read_settings(COMPLETE)
    other = OTHERS.get(name) or ("1" if name.startswith("D2C_POLL") else "ManagedIdentity")
    assert read_settings({**COMPLETE, name: other}) != read_settings(COMPLETE)


def test_the_page_marks_the_settings_that_may_hold_a_secret():
    secrets = {name: f"hidden-{name}-" for name in ROWS if name not in REQUIRED}
    secrets |= {name: COMPLETE.get(name, "") for name in ROWS if name.startswith("D2C_POLL")}
    secrets |= {
        "D2C_DURABLE_LINKS": "keys",
        "D2C_SPARK_COSMOS_AUTH": "MasterKey",
        "D2C_CLUSTER": "",
        "D2C_PRICES": "",
    }
    without = (
        *("D2C_COPY_", "D2C_COSMOS_CON", "D2C_INTEGRATION", "D2C_LOAD", "D2C_VERIFY"),
        *("D2C_CLUSTER_WAITS", "D2C_MOST_LOAD", "D2C_METRICS", "D2C_INDEXING", "D2C_LAKE_VOLUME"),
    )
    secrets |= {name: "" for name in ROWS if name.startswith(without)}
    secrets |= {name: value for name, value in WITH_ROLES.items() if name in ROWS}
    secrets |= {"D2C_WEBHOOK_URL": WEBHOOK, "D2C_WEBHOOK_SECRET": f"whsec_{'hidden++' * 4}"}
    shown = repr(read_settings({**COMPLETE, **secrets}))
    hidden = {name for name, value in secrets.items() if "hidden" in value and value not in shown}
    marked = {
        codes(row[0])[0] for section in SECTIONS for row in table_rows(PAGE, section) if "(secret" in row[1]
    }
    assert marked - {"AWS_ACCESS_KEY_ID"} == hidden


def test_the_example_has_all_that_is_required_and_nothing_that_the_page_does_not_know():
    assert REQUIRED.keys() | {"D2C_LAKE__blobServiceUri"} <= EXAMPLE.keys()
    assert all(f"`{name}`" in PAGE for name in EXAMPLE)


def test_the_example_is_complete_and_holds_no_secret():
    settings = read_settings(EXAMPLE)
    assert settings.cluster == json_blocks("install/settings.md")[1]
    secrets = (settings.cosmos_key, settings.databricks_token)
    assert {*secrets, settings.lake_connection_string} == {""}


def test_the_roles_on_the_page_are_such_as_the_app_takes():
    roles = json_blocks("install/settings.md")[0]
    settings = read_settings({**COMPLETE, **WITH_ROLES, "D2C_AWS_ROLES": json.dumps(roles)})
    assert settings.aws.roles == roles


@pytest.mark.parametrize("auth", SPARK_COSMOS_AUTH_TYPES)
def test_the_page_says_which_secrets_the_notebook_reads(auth):
    asked = []
    request = SimpleNamespace(cosmos_endpoint="e", database="d", container="c", cosmos_auth=auth)
    cosmos_options(request, lambda name: asked.append(name) or name)
    rows = table_rows(PAGE, "## Databricks and Spark")
    (said,) = [codes(row[1]) for row in rows if len(row) == 2 and row[0] == f"`{auth}`"]
    assert said == asked
