"""infra/ by Bicep's own compiler: without fault, and what each combination of parameters would create."""

import re

import pytest

from d2c.app.settings import REQUIRED, read_settings
from d2c.deploy.parameters import PARAMETERS
from tests.real.conftest import COMBINATIONS
from tests.real.snapshots import ASKED, UNRESOLVED, copy_of_infra, run_bicep, take_snapshot
from tests.real.tools import needs
from tests.unit.app.test_settings import COMPLETE
from tests.unit.docs.test_settings import Recorder
from tests.unit.infra.bicep import INFRA
from tests.unit.pages import text_of

pytestmark = needs("bicep")
TEMPLATES = ("main.bicep", "events.bicep")
# What the Functions runtime and azure-identity read themselves.
RUNTIME = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "AZURE_CLIENT_ID",
    "D2C_LAKE__queueServiceUri",
    "D2C_LAKE__credential",
    "D2C_LAKE__clientId",
    "D2C_WATCH_SCHEDULE",
}
SCHEDULER = {
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "AzureFunctionsJobHost__extensions__durableTask__hubName",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__type",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName",
}
# What is not created, by its id, where something else takes its place.
REPLACED = {
    "existing account": "/Microsoft.DocumentDB/databaseAccounts/|/roleDefinitions/",
    "existing workspace": "/Microsoft.Databricks/|/containers/lake/providers/|/stlake[a-z0-9]+/providers/",
    "existing group": "/resourceGroups/rg-dev$",
    "given roles": "/roleDefinitions/|/roleAssignments/",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_compiler_finds_nothing_to_say(template):
    ran = run_bicep("lint", str(INFRA / template))
    assert (ran.stdout + ran.stderr, ran.returncode) == ("", 0)


def test_the_formatter_changes_nothing(tmp_path):
    infra = copy_of_infra(tmp_path)
    ran = run_bicep("format", "--pattern", str(infra / "**" / "*.bicep*"))
    assert ran.returncode == 0, ran.stderr
    files = [path.relative_to(infra) for path in infra.rglob("*.bicep*")]
    assert [str(path) for path in files if (infra / path).read_text() != (INFRA / path).read_text()] == []


@pytest.mark.parametrize("name", ASKED)
def test_a_parameter_without_a_default_is_asked_for_by_its_name(name):
    given = {asked: value for asked, value in ASKED.items() if asked != name}
    ran = run_bicep("build-params", str(INFRA / "main.bicepparam"), "--stdout", environment=given)
    assert ran.returncode != 0
    assert name in ran.stderr


def test_a_combination_has_no_fault(snapshot):
    assert snapshot.diagnostics == ()


def test_the_app_gets_what_it_requires_and_nothing_that_it_does_not_read(combination, snapshot):
    environment = Recorder(COMPLETE)
    read_settings(environment)
    found = snapshot.app_settings.keys()
    scheduler = SCHEDULER if "D2C_DURABLE_PROVIDER" in COMBINATIONS[combination] else set()
    assert found <= environment.asked | RUNTIME | scheduler
    assert found >= REQUIRED.keys() | RUNTIME | scheduler


def test_the_app_takes_the_settings_that_it_gets(snapshot):
    known = {
        name: UNRESOLVED.sub("https://known.later", value) for name, value in snapshot.app_settings.items()
    }
    read_settings(known)


def test_sessions_last_as_long_as_the_roles_of_our_template_allow(snapshot_of):
    setting = "D2C_AWS_SESSION_SECONDS"
    assert snapshot_of("AWS roles").app_settings[setting] == "43200"
    assert snapshot_of("default").app_settings[setting] == ""


def test_settings_of_whoever_deploys_win(snapshot_of):
    settings = snapshot_of("AWS roles").app_settings
    assert (settings["D2C_POLL_FACTOR"], settings["D2C_SECRET_SCOPE"]) == ("2", "mine")


def test_every_setting_of_the_app_is_on_the_page_of_settings(snapshot_of):
    page = text_of("install/settings.md")
    assert [name for name in snapshot_of("all at once").app_settings if f"`{name}`" not in page] == []


def test_a_deployment_does_not_record_the_secrets_among_the_settings(tmp_path):
    secrets = {"D2C_WEBHOOK_SECRET": "hidden-1", "D2C_APP_SETTINGS": '{"D2C_COSMOS_KEY": "hidden-2"}'}
    snapshot = take_snapshot(copy_of_infra(tmp_path) / "main.bicepparam", secrets)
    assert "hidden" not in snapshot.text


def test_the_global_parameters_of_the_factory_are_those_of_its_definitions(snapshot):
    (factory,) = snapshot.of_type("Microsoft.DataFactory/factories")
    assert factory["properties"]["globalParameters"].keys() == PARAMETERS.keys()


def test_there_is_a_vault_where_copies_need_one(combination, snapshot):
    vaults = snapshot.of_type("Microsoft.KeyVault/vaults")
    assert bool(vaults) == ("D2C_AWS_ACCESS_KEY_ID" in COMBINATIONS[combination])


def test_a_preview_foresees_every_name_but_those_in_the_clouds_own_domain(snapshot):
    unknown = [resource["id"] for resource in snapshot.resources if "[" in resource["id"]]
    assert [each for each in unknown if "privateDnsZones" not in each] == []


def test_parameters_change_no_name(combination, snapshot, snapshot_of):
    gone = snapshot_of("default").ids - snapshot.ids
    replaced = (
        "|".join(REPLACED.values()) if combination == "all at once" else REPLACED.get(combination, "^$")
    )
    assert [each for each in gone if not re.search(replaced, each)] == []


def test_names_fit_their_limits(snapshot):
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        assert all(3 <= len(resource["name"]) <= 24 for resource in snapshot.of_type(kind))


def test_redundancy_is_a_choice(snapshot_of):
    found = {
        account["sku"]["name"]
        for name in ("default", "AWS roles")
        for account in snapshot_of(name).of_type("Microsoft.Storage/storageAccounts")
    }
    assert found == {"Standard_ZRS", "Standard_LRS"}


@pytest.mark.parametrize("topic", ["", "defenders-topic"])
def test_the_lake_has_one_system_topic(tmp_path, topic):
    parameters = copy_of_infra(tmp_path) / "events.bicepparam"
    given = {
        "lakeName": "stlake",
        "fileSystem": "lake",
        "functionAppName": "func",
        "existingSystemTopic": topic,
    }
    lines = [f"param {name} = '{value}'" for name, value in given.items()]
    parameters.write_text("\n".join(["using 'events.bicep'", *lines]))
    snapshot = take_snapshot(parameters, {})
    created = [resource["name"] for resource in snapshot.of_type("Microsoft.EventGrid/systemTopics")]
    assert created == ([] if topic else ["evgt-stlake"])
    subscriptions = snapshot.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    assert {each["name"].partition("/")[0] for each in subscriptions} == {topic or "evgt-stlake"}
