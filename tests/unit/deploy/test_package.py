import json
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from d2c.deploy.kernel_wheel import own_kernel
from d2c.deploy.package import CONTENT, FOLDER, HOST_FILE, host_file, package_app
from d2c.errors import D2CError, SettingsError
from tests.unit.infra.bicep import INFRA

from ..pages import ROOT

CHECKOUT = (ROOT / HOST_FILE).read_text()
AZURE = yaml.safe_load((ROOT / "azure.yaml").read_text())


def ignored(name, lines):
    return any(fnmatch(name, line.rstrip("/")) for line in lines)


def test_the_package_is_what_the_ignore_file_leaves_of_a_checkout():
    lines = [*(ROOT / ".funcignore").read_text().split(), *(ROOT / ".gitignore").read_text().split()]
    left = {
        path.name for path in ROOT.iterdir() if not ignored(path.name, [line.strip("/") for line in lines])
    }
    assert left == {*CONTENT, HOST_FILE}


def test_azd_has_the_package_written_and_sends_nothing_else():
    app = AZURE["services"]["app"]
    assert Path(app["dist"]) == FOLDER
    assert {hook["run"].replace("Scripts\\", "bin/") for hook in app["hooks"]["prepackage"].values()} == {
        ".venv\\bin/d2c package",
        ".venv/bin/d2c package",
    }


@pytest.fixture
def checkout(tmp_path):
    for name in CONTENT:
        if "." in name:
            (tmp_path / name).write_text(name)
        else:
            (tmp_path / name / "__pycache__").mkdir(parents=True)
            (tmp_path / name / "file").write_text(name)
    (tmp_path / HOST_FILE).write_text(CHECKOUT)
    (tmp_path / "local.settings.json").write_text("secret")
    return tmp_path


def test_a_package_has_the_apps_files_alone_and_replaces_the_last_one(checkout):
    folder = package_app(checkout, {})
    (folder / "old").write_text("old")
    package_app(checkout, {})
    assert {path.name for path in folder.iterdir()} == {*CONTENT, HOST_FILE}
    assert [path.name for path in (folder / "d2c").iterdir()] == ["file"]


def test_without_a_choice_the_package_runs_on_azure_storage_as_the_checkout_does(checkout):
    folder = package_app(checkout, {"D2C_DURABLE_PROVIDER": ""})
    assert json.loads((folder / HOST_FILE).read_text()) == json.loads(CHECKOUT)


def test_with_the_scheduler_the_package_names_it_and_its_hub_and_the_checkout_stays(checkout):
    folder = package_app(checkout, {"D2C_DURABLE_PROVIDER": "azureManaged"})
    durable = json.loads((folder / HOST_FILE).read_text())["extensions"]["durableTask"]
    assert durable["storageProvider"] == {
        "type": "azureManaged",
        "connectionStringName": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    }
    assert f"name: '{durable['hubName']}'" in (INFRA / "modules" / "durable_task.bicep").read_text()
    assert durable["storageProvider"]["connectionStringName"] in (INFRA / "resources.bicep").read_text()
    assert (checkout / HOST_FILE).read_text() == CHECKOUT


def test_an_unknown_provider_is_named_with_those_that_there_are():
    with pytest.raises(SettingsError, match="D2C_DURABLE_PROVIDER is 'netherite'") as refused:
        host_file(CHECKOUT, "netherite")
    assert "AzureStorage or azureManaged" in refused.value.next_step


def test_where_there_is_no_checkout_nothing_is_packaged(tmp_path):
    with pytest.raises(D2CError, match=r"function_app\.py"):
        package_app(tmp_path, {})
    assert not (tmp_path / FOLDER).exists()


def test_the_package_has_the_native_kernel_that_was_built(tmp_path):
    for name in (*CONTENT, HOST_FILE):
        (tmp_path / name).write_text((ROOT / HOST_FILE).read_text())
    assert not (package_app(tmp_path, {}) / "native").exists()
    (tmp_path / "build" / "kernel").mkdir()
    (tmp_path / "build" / "kernel" / "k.whl").write_bytes(b"wheel")
    own_kernel.cache_clear()
    assert (package_app(tmp_path, {}) / "native" / "k.whl").read_bytes() == b"wheel"
