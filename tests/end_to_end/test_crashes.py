"""A process that dies at any moment delays a migration and changes nothing else."""

import httpx
from azure.mgmt.datafactory import DataFactoryManagementClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from localcloud.common import names
from localcloud.functions_host.extension import extension_program
from tests.contract.polling import wait_until
from tests.contract.signed import Signed
from tests.end_to_end.user import ENDED, plan

ITEMS = [{"pk": {"S": f"k{n}"}, "nested": {"M": {"n": {"N": str(n)}}}} for n in range(40)]
DOCUMENTS = sorted(
    ({"id": f"k{n}", "pk": f"k{n}", "nested": {"n": n}} for n in range(40)),
    key=lambda document: document["id"],
)
# All that start or write something; the others of a migration only read.
ACTIVITIES = (
    "list_tables",
    "take_tables",
    "start_export",
    "pass_on",
    "start_copy",
    "look_at_prepare",
    "start_load",
    "look_at_load",
    "write_report",
)
# Each death costs Microsoft's extension a minute: what it had taken stays invisible for so long.
DEATHS = ("start_export", "start_copy", "start_load") if extension_program() else ACTIVITIES


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


def copy_runs(user):
    identity = user.cloud.identity
    client = DataFactoryManagementClient(
        Signed(identity.management_token),
        names.SUBSCRIPTION_ID,
        base_url=identity.url("management"),
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=str(user.cloud.certificates.authority),
    )
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


def started_runs(user):
    """Return how many exports, copy runs and load runs were ever started."""
    return len(user.dynamodb.list_exports()["ExportSummaries"]), len(copy_runs(user)), len(load_runs(user))


def test_a_host_that_dies_after_each_activity_starts_nothing_twice(user):
    user.create_table("Crashed", ITEMS)
    before = started_runs(user)
    # It dies once after each activity, after what that does and before its result is stored.
    with user.started_with("functions_host", "--crash-after", *DEATHS):
        user.start(plan("crashed", {"table": "Crashed", "container": "crashed"}))
        status, deaths = ended_over_crashes(user, "crashed")
    assert status["state"] == "succeeded", status
    assert deaths == len(DEATHS)
    assert user.documents("crashed", "crashed") == DOCUMENTS
    assert user.throughput("crashed", "crashed") == 1000
    assert started_runs(user) == tuple(count + 1 for count in before)
    assert user.report("crashed")["tables"][0]["verification"]["different"] == 0


def test_a_migration_outlives_every_service_that_is_killed(user):
    def reach(stage):
        wait_until(lambda: user.table("killed", "Killed")["stage"] == stage)

    user.create_table("Killed", ITEMS)
    exports, copies, loads = started_runs(user)
    with user.held_load():
        with user.held_export():
            user.start(plan("killed", {"table": "Killed", "container": "killed"}))
            reach("export")
            user.restart("lake", "management", "functions_host")
        reach("load")
        # The load loses its cluster and is done again by another run.
        user.restart("cosmos", "databricks")
    assert user.ended("killed")["state"] == "succeeded"
    assert user.documents("killed", "killed") == DOCUMENTS
    assert started_runs(user) == (exports + 1, copies + 1, loads + 2)
