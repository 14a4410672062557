import json
import re

import yaml

from d2c.app.allowed import AllowedSettings
from d2c.app.cluster_settings import read_cluster
from d2c.app.environment import fields_of
from d2c.app.settings import Settings
from tests.unit.docs.test_settings import EXAMPLE

from ..pages import ROOT, json_blocks, text_of
from .bicep import INFRA, Bicep

EVENTS = Bicep(INFRA / "events.bicep")


def test_the_workers_opentelemetry_stays_off():
    # With it released workers fail in every function: "'NoneType' object has no attribute 'extract'".
    # https://github.com/Azure/azure-functions-python-worker/issues/1881
    set_somewhere = [
        path for path in INFRA.rglob("*.bicep*") if "PYTHON_ENABLE_OPENTELEMETRY" in path.read_text()
    ]
    assert set_somewhere == []
    assert "PYTHON_ENABLE_OPENTELEMETRY" not in EXAMPLE
    assert "Do not set `PYTHON_ENABLE_OPENTELEMETRY`" in text_of("install/settings.md")


# Of the Functions runtime: how the lake's triggers sign in, and the watchdog's timer.
OF_THE_RUNTIME = {"D2C_LAKE__credential", "D2C_LAKE__clientId", "D2C_WATCH_SCHEDULE"}


def test_the_deployment_gives_settings_that_the_app_reads_and_all_limits():
    texts = [(INFRA / name).read_text() for name in ("main.bicep", "resources.bicep")]
    given = {name for text in texts for name in re.findall(r"^ +(D2C_\w+): ", text, re.MULTILINE)}
    assert given <= {name for name, _ in fields_of(Settings)} | OF_THE_RUNTIME
    assert {name for name, _ in fields_of(AllowedSettings)} <= given


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


def test_azd_finds_the_app_by_its_tag():
    services = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"]
    (name,) = services
    assert f"'azd-service-name': '{name}'" in (INFRA / "modules" / "function_app.bicep").read_text()
    assert services[name]["host"] == "function"


def test_the_cluster_on_the_page_on_deploying_is_one_that_the_app_takes():
    (block,) = json_blocks("install/deploy.md")
    assert read_cluster(json.dumps(block)).items() >= block.items()
