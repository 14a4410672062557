"""The calls of the app's clients to the management API, by the action of its roles that each of them needs."""

import json
from datetime import UTC, datetime, timedelta

from d2c.clients.azure.data_factory import NO_RUN
from d2c.clients.azure.factory_definitions import connect_factory_definitions
from localcloud.cloud.services import ROLES
from tests.localcloud.contract.management.conftest import connected, copy_parameters

TABLE = json.loads(ROLES.read_text())
ACTIONS = sorted(action for role in TABLE["custom"].values() for action in role["actions"])
OF_FACTORY, OF_ACCOUNT = "Microsoft.DataFactory/factories", "Microsoft.DocumentDB/databaseAccounts"
OF_CONTAINER = f"{OF_ACCOUNT}/sqlDatabases/containers"
# What no call of the clients uses here, and why a role has it all the same.
ONLY_ON_AZURE = {
    f"{OF_FACTORY}/pipelineruns/activityruns/read": "the list does not say which of two rights shows activity runs",
    **dict.fromkeys(
        (
            f"{OF_ACCOUNT}/sqlDatabases/operationResults/read",
            f"{OF_CONTAINER}/operationResults/read",
            f"{OF_CONTAINER}/throughputSettings/operationResults/read",
        ),
        "the SDK follows Azure-AsyncOperation, and Location if an answer has no such header",
    ),
}
NOW = datetime.now(UTC)
# The client's call that needs an action, with a database's name; each succeeds, or finds no such run, after those
# before it.
CALLS = {
    "factories/read": lambda app, _: app.factory.global_parameters(),
    "pipelines/read": lambda app, _: app.factory.find_pipeline_parameters("copy_export"),
    "linkedservices/read": lambda app, _: app.factory.has_linked_service("lake"),
    "datasets/read": lambda app, _: definitions(app).find("dataset", "lake_folder"),
    "createrun/action": lambda app, _: app.factory.start_run("copy_export", copy_parameters("r", "p/none")),
    "querypipelineruns/action": lambda app, _: app.factory.find_run(["copy_export"], "r", since=NOW),
    "querypipelineruns/read": lambda app, _: app.factory.active_runs(["copy_export"], since=NOW),
    "factories/pipelineruns/read": lambda app, _: app.factory.get_run(NO_RUN),
    "queryactivityruns/action": lambda app, _: app.factory.check_progress_access(),
    "queryactivityruns/read": lambda app, _: app.factory.get_copy_progress(NO_RUN, since=NOW),
    "cancel/action": lambda app, _: app.factory.cancel_run(NO_RUN),
    "databaseAccounts/read": lambda app, _: app.cosmos.describe_account(),
    "sqlDatabases/write": lambda app, name: app.cosmos.create_database(name),
    "sqlDatabases/read": lambda app, _: app.cosmos.list_containers(),
    "containers/write": lambda app, name: app.cosmos.create_container(
        name, "c", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
    ),
    "containers/read": lambda app, name: app.cosmos.find_container(name, "c"),
    "sqlDatabases/throughputSettings/read": lambda app, name: app.cosmos.find_database(name),
    "containers/throughputSettings/read": lambda app, name: app.cosmos.find_throughput(name, "c"),
    "metrics/read": lambda app, name: app.metrics.highest_use(name, "c", NOW, NOW + timedelta(minutes=1)),
    "throughputSettings/write": lambda app, name: app.cosmos.change_throughput(name, "c", 500, autoscale=False),
}  # fmt: skip


def definitions(app):
    return connected(connect_factory_definitions, app.app_settings)
