import json
import re
import tomllib

import yaml

from d2c.app.cluster_settings import read_cluster
from d2c.app.settings import REQUIRED, read_settings
from d2c.deploy.parameters import PARAMETERS
from tests.unit.app.test_settings import COMPLETE
from tests.unit.docs.test_settings import EXAMPLE, Recorder

from ..pages import ROOT, codes, json_blocks, table_rows, text_of
from .bicep import INFRA, Bicep, child_of, properties, walk

RESOURCES, MAIN, EVENTS = (Bicep(INFRA / name) for name in ("resources.bicep", "main.bicep", "events.bicep"))
APP_SETTINGS = properties(child_of(RESOURCES.declared("variable_declaration")["appSettings"], "object"))
DURABLE_SETTINGS = properties(
    next(
        node
        for node in walk(RESOURCES.declared("variable_declaration")["durableSettings"])
        if node.type == "object"
    )
)
# What the Functions runtime and azure-identity read themselves.
RUNTIME = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AZURE_CLIENT_ID",
    "D2C_LAKE__queueServiceUri",
    "D2C_LAKE__credential",
    "D2C_LAKE__clientId",
    "D2C_WATCH_SCHEDULE",
}
# What the app reads and an app on Azure does without, and why.
LEFT_OUT = {
    "D2C_LAKE": "a secret; the app signs in with its identity",
    "D2C_COSMOS_KEY": "a secret",
    "D2C_MANAGEMENT_TOKEN": "for the local cloud alone",
    "D2C_MANAGEMENT_ENDPOINT": "for national clouds",
    "DATABRICKS_TOKEN": "a secret",
    "D2C_DATABRICKS_RESOURCE_ID": "the app is a member of the workspace",
    "D2C_WEBHOOK_URL": "a secret; set by whoever wants notifications",
    "D2C_WEBHOOK_SECRET": "a secret",
    "WEBSITE_SITE_NAME": "Azure sets it",
    "D2C_EXPORT_PREFIX": "its default suits",
    "D2C_PRICES": "its dated defaults suit",
    "D2C_AWS_SESSION_SECONDS": "its default suits",
    "D2C_COPY_CREDENTIALS": "its default suits",
    "D2C_COPY_BYTES_PER_SECOND": "its default suits",
    "D2C_POLL_FIRST_SECONDS": "its default suits",
    "D2C_POLL_FACTOR": "its default suits",
    "D2C_POLL_LONGEST_SECONDS": "its default suits",
}


def test_the_app_gets_the_settings_that_it_reads_and_no_other():
    environment = Recorder(COMPLETE)
    read_settings(environment)
    assert set(APP_SETTINGS) - RUNTIME == environment.asked - LEFT_OUT.keys()
    assert set(REQUIRED) <= set(APP_SETTINGS)
    assert set(APP_SETTINGS) >= RUNTIME
    assert LEFT_OUT.keys() <= environment.asked


def test_the_workers_opentelemetry_stays_off():
    # With it released workers fail in every function: "'NoneType' object has no attribute 'extract'".
    # https://github.com/Azure/azure-functions-python-worker/issues/1881
    set_somewhere = [
        path for path in INFRA.rglob("*.bicep*") if "PYTHON_ENABLE_OPENTELEMETRY" in path.read_text()
    ]
    assert set_somewhere == []
    assert "PYTHON_ENABLE_OPENTELEMETRY" not in EXAMPLE
    assert "Do not set `PYTHON_ENABLE_OPENTELEMETRY`" in text_of("install/settings.md")


def test_the_python_versions_of_the_app_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least, limit = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project).groups()
    allowed = re.search(r"@allowed\(\[([^\]]+)\]\)\nparam pythonVersion string = '3.12'", MAIN.text)[1]
    assert re.findall(r"'3\.(\d+)'", allowed) == [str(minor) for minor in range(int(least), int(limit))]
    assert "version: pythonVersion" in (INFRA / "modules" / "function_app.bicep").read_text()


def test_every_setting_of_the_app_is_on_the_page_of_settings():
    page = text_of("install/settings.md")
    assert [name for name in [*APP_SETTINGS, *DURABLE_SETTINGS] if f"`{name}`" not in page] == []


def test_whoever_deploys_gets_all_settings_of_d2c_deploy_from_the_outputs():
    needed = {
        *REQUIRED,
        "D2C_LAKE__blobServiceUri",
        *(parameter.setting for parameter in PARAMETERS.values()),
    }
    assert needed <= set(MAIN.outputs())


def test_the_global_parameters_of_the_factory_are_those_of_its_definitions():
    (found,) = [
        properties(properties(node)["globalParameters"])
        for node in RESOURCES.nodes("object")
        if "globalParameters" in properties(node)
    ]
    assert set(found) == set(PARAMETERS)


def triggers():
    """Return the app's blob triggers: function, folder in the file system, and how the names of files end."""
    found = set()
    for path in (ROOT / "triggers").glob("*.py"):
        for place, body in re.findall(r"blob_trigger\((.*?)async def (\w+)", path.read_text(), re.DOTALL):
            folder, ending = re.search(r'path="%D2C_LAKE_FILE_SYSTEM%/(\w+/)\{\w+\}([^"]+)"', place).groups()
            assert "EVENT_GRID" in place
            found.add((body, folder, ending))
    return found


def test_every_blob_trigger_has_its_subscription_with_its_files_and_no_other():
    subscriptions = re.findall(r"\{ function: '(\w+)', folder: '([\w/]+)', ending: '([^']+)' \}", EVENTS.text)
    assert set(subscriptions) == triggers()


def test_the_second_step_gets_its_parameters_from_the_outputs():
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text())["hooks"]
    posix, windows = (hooks["postdeploy"][system]["run"] for system in ("posix", "windows"))
    for command in (posix, windows):
        given = dict(re.findall(r"(\w+)=\"?\$(?:env:)?(\w+)\"?", command))
        needed = {name for name, has_default in EVENTS.parameters().items() if not has_default}
        assert set(given) == needed
        assert set(given.values()) <= set(MAIN.outputs())
        assert "infra/events.bicep" in command


def test_azd_finds_the_app_by_its_tag():
    services = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"]
    (name,) = services
    assert f"'azd-service-name': '{name}'" in (INFRA / "modules" / "function_app.bicep").read_text()
    assert services[name]["host"] == "function"


def test_the_page_on_deploying_has_every_parameter_that_azd_gives():
    asked = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text()))
    rows = [row for row in table_rows(text_of("install/deploy.md"), "## 1. Choose") if len(row) == 3]
    assert {name for row in rows for name in codes(row[0])} == asked


def test_the_cluster_on_the_page_on_deploying_is_one_that_the_app_takes():
    (block,) = json_blocks("install/deploy.md")
    assert read_cluster(json.dumps(block)).items() >= block.items()
