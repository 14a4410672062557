"""The actions that each call needs, by Microsoft's lists of what its resource providers know."""

from collections.abc import Mapping
from dataclasses import dataclass

OF_FACTORY = "Microsoft.DataFactory/factories"
OF_ACCOUNT = "Microsoft.DocumentDB/databaseAccounts"
OF_DATABASE = f"{OF_ACCOUNT}/sqlDatabases"
OF_CONTAINER = f"{OF_DATABASE}/containers"
OF_METRICS = "Microsoft.Insights/metrics"
LISTS = "https://learn.microsoft.com/azure/role-based-access-control/permissions"
FACTORY_LIST = f"{LISTS}/analytics#microsoftdatafactory"
ACCOUNT_LIST = f"{LISTS}/databases#microsoftdocumentdb"
METRICS_LIST = f"{LISTS}/monitor#microsoftinsights"
VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}


@dataclass(frozen=True)
class Need:
    """What a call needs: all of these actions, and where that is documented."""

    actions: tuple[str, ...]
    source: str


def _factory(*actions: str) -> Need:
    return Need(tuple(f"{OF_FACTORY}/{action}" for action in actions), FACTORY_LIST)


def _account(action: str) -> Need:
    return Need((action,), ACCOUNT_LIST)


NEEDS: Mapping[str, Need] = {
    "GetFactory": _factory("read"),
    "PutFactory": _factory("write"),
    "GetLinkedService": _factory("linkedServices/read"),
    "PutLinkedService": _factory("linkedServices/write"),
    "GetDataset": _factory("datasets/read"),
    "PutDataset": _factory("datasets/write"),
    "GetPipeline": _factory("pipelines/read"),
    "PutPipeline": _factory("pipelines/write"),
    "CreateRun": _factory("pipelines/createrun/action"),
    "GetRun": _factory("pipelineruns/read"),
    "CancelRun": _factory("pipelineruns/cancel/action"),
    # The list has the query and the reading of its result as two rights; either alone is not enough.
    "QueryRuns": _factory("querypipelineruns/action", "querypipelineruns/read"),
    "QueryActivityRuns": _factory(
        "pipelineruns/queryactivityruns/action", "pipelineruns/queryactivityruns/read"
    ),
    "GetAccount": _account(f"{OF_ACCOUNT}/read"),
    "ListDatabases": _account(f"{OF_DATABASE}/read"),
    "GetDatabase": _account(f"{OF_DATABASE}/read"),
    "PutDatabase": _account(f"{OF_DATABASE}/write"),
    "GetDatabaseThroughput": _account(f"{OF_DATABASE}/throughputSettings/read"),
    "PutDatabaseThroughput": _account(f"{OF_DATABASE}/throughputSettings/write"),
    "ListContainers": _account(f"{OF_CONTAINER}/read"),
    "GetContainer": _account(f"{OF_CONTAINER}/read"),
    "PutContainer": _account(f"{OF_CONTAINER}/write"),
    "GetThroughput": _account(f"{OF_CONTAINER}/throughputSettings/read"),
    "PutThroughput": _account(f"{OF_CONTAINER}/throughputSettings/write"),
    "GetDatabaseResult": _account(f"{OF_DATABASE}/operationResults/read"),
    "GetDatabaseThroughputResult": _account(f"{OF_DATABASE}/throughputSettings/operationResults/read"),
    "GetContainerResult": _account(f"{OF_CONTAINER}/operationResults/read"),
    "GetThroughputResult": _account(f"{OF_CONTAINER}/throughputSettings/operationResults/read"),
    "ListMetrics": Need((f"{OF_METRICS}/read",), METRICS_LIST),
    # In the list as locations/operationsStatus/read; reports of its enforcement were resolved.
    "GetOperation": Need((), "https://github.com/Azure/azure-cli/issues/17418"),
}


def action_of(method: str, path: str) -> str:
    """Return the action of a call by the rule of most names in the lists: the types of the path in a row, and a verb.

    https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions-format
    """
    namespace, *parts = path.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *parts[::2], VERBS.get(method, "read")])


def scope_of(path: str) -> str:
    """Return the resource that a call is about: a collection's or an action's name at the end is no part of it.

    https://learn.microsoft.com/azure/role-based-access-control/scope-overview
    """
    before, _, rest = path.partition("/providers/")
    # What extends a resource, such as its metrics, is about that resource.
    namespace, *parts = rest.partition("/providers/")[0].split("/")
    return "/".join([before, "providers", namespace, *parts[: len(parts) // 2 * 2]])
