"""A process that dies at any moment delays a migration and changes nothing else."""

from contextlib import nullcontext

import httpx
import pytest
from azure.mgmt.datafactory import DataFactoryManagementClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.azure_sign_in import management_arguments
from d2c.settings import read_settings
from localcloud import names
from localcloud.app_settings import app_settings
from tests.contract.polling import wait_until
from tests.end_to_end.conftest import user_of_new_cloud
from tests.end_to_end.user import ENDED, plan

ITEMS = [{"pk": {"S": f"k{n}"}, "nested": {"M": {"n": {"N": str(n)}}}} for n in range(300)]
DOCUMENTS = sorted(
    ({"id": f"k{n}", "pk": f"k{n}", "nested": {"n": n}} for n in range(300)),
    key=lambda document: document["id"],
)
ACTIVITIES = (
    "describe_source",
    "start_export",
    "look_at_export",
    "start_copy",
    "look_at_copy",
    "describe_container",
    "start_prepare",
    "look_at_prepare",
    "start_load",
    "look_at_load",
    "restore_throughput",
    "write_table_report",
    "write_report",
)


@pytest.fixture(scope="module")
def crashing(tmp_path_factory):
    """A user whose host dies once after each activity, after what it does and before its result is stored."""
    with user_of_new_cloud(
        tmp_path_factory.mktemp("crashing"), functions_host=["--crash-after", *ACTIVITIES]
    ) as user:
        yield user


def ended_over_crashes(user, migration):
    """Start the host again whenever it has died, until the migration has ended; return that and how often it died."""
    deaths = 0

    def look():
        nonlocal deaths
        if user.cloud.ended_service() == "functions_host":
            deaths += 1
            user.cloud.start("functions_host")
        try:
            status = user.status(migration)
        except httpx.TransportError:
            return None
        return status if status["state"] in ENDED else None

    return wait_until(look, interval_seconds=0.2), deaths


def kill(user, service):
    """End a service as ``kill -9`` does."""
    process = user.cloud.processes[service].process
    process.kill()
    process.wait()


def copy_runs(user):
    settings = read_settings(app_settings(user.cloud.identity))
    client = DataFactoryManagementClient(**management_arguments(settings))
    window = {"lastUpdatedAfter": "2026-01-01T00:00:00Z", "lastUpdatedBefore": "2099-01-01T00:00:00Z"}
    return client.pipeline_runs.query_by_factory(names.RESOURCE_GROUP, names.DATA_FACTORY, window).value


def load_runs(user):
    identity = user.cloud.identity
    config = Config(
        host=identity.url("databricks"),
        token=identity.databricks_token,
        auth_type="pat",
        retry_timeout_seconds=5,
    )
    return list(WorkspaceClient(config=config).jobs.list_runs())


def test_a_host_that_dies_after_each_activity_in_turn_finishes_and_starts_nothing_twice(crashing):
    crashing.create_table("Crashed", ITEMS)
    crashing.start(plan("crashed", {"table": "Crashed", "container": "crashed"}))
    status, deaths = ended_over_crashes(crashing, "crashed")
    assert status["state"] == "succeeded", status
    assert deaths == len(ACTIVITIES)
    assert crashing.documents("crashed", "crashed") == DOCUMENTS
    assert crashing.throughput("crashed", "crashed") == 1000
    exports = crashing.dynamodb.list_exports()["ExportSummaries"]
    assert (len(exports), len(copy_runs(crashing)), len(load_runs(crashing))) == (1, 1, 1)
    assert crashing.report("crashed")["tables"][0]["verification"]["different"] == 0


@pytest.mark.parametrize("stage", ["export", "load", "verify"])
def test_a_host_killed_in_a_stage_goes_on(user, stage):
    name = f"killed-{stage}"
    user.create_table(name, ITEMS)

    def reached():
        found = user.table(name, name)
        assert found["state"] not in ENDED, found
        return found["stage"] == stage

    with user.held_load() if stage == "load" else nullcontext():
        user.start(plan(name, {"table": name, "container": "killed"}))
        wait_until(reached, interval_seconds=0.02)
        kill(user, "functions_host")
    user.cloud.start("functions_host")
    assert user.ended(name)["state"] == "succeeded"
    assert user.documents(name, "killed") == DOCUMENTS


def test_a_lost_cluster_is_replaced_by_another_run(user):
    user.create_table("Lost", ITEMS)
    before = len(load_runs(user))
    with user.held_load():
        user.start(plan("lost", {"table": "Lost", "container": "lost"}))
        wait_until(lambda: user.table("lost", "Lost")["stage"] == "load")
        kill(user, "databricks")
    user.cloud.start("databricks")
    assert user.ended("lost")["state"] == "succeeded"
    assert user.documents("lost", "lost") == DOCUMENTS
    assert len(load_runs(user)) == before + 2


def test_all_services_killed_at_once_and_started_again_go_on(user):
    user.create_table("Blackout", ITEMS)
    user.start(plan("blackout", {"table": "Blackout", "container": "blackout"}))
    wait_until(lambda: user.table("blackout", "Blackout")["stage"] == "assess")
    services = [name for name in user.cloud.processes if name != "aws"]
    for service in services:
        kill(user, service)
    for service in services:
        user.cloud.start(service)
    assert user.ended("blackout")["state"] == "succeeded"
    assert user.documents("blackout", "blackout") == DOCUMENTS
