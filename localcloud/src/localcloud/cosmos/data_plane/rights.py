"""Who may do what in the data plane with a token: its actions, roles and assignments, and the check of a call.

https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from localcloud.common.assignments import ANYWHERE, Assignment, remember
from localcloud.common.names import COSMOS_ACCOUNT
from localcloud.common.principals import APP, SPARK, Principal
from localcloud.cosmos.data_plane.calls import Call
from localcloud.cosmos.errors import NO_RIGHT_TO_DATA, NO_RIGHT_TO_METADATA, NOT_BY_TOKEN, CosmosError

METADATA = "Microsoft.DocumentDB/databaseAccounts/readMetadata"
CONTAINERS = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"
QUERY, FEED = f"{CONTAINERS}/executeQuery", f"{CONTAINERS}/readChangeFeed"
CREATE, READ, REPLACE, UPSERT, DELETE = (
    f"{CONTAINERS}/items/{name}" for name in ("create", "read", "replace", "upsert", "delete")
)
# The list has no action for a patch; it replaces the item.
OPERATIONS = {
    "create": CREATE,
    "read": READ,
    "replace": REPLACE,
    "patch": REPLACE,
    "upsert": UPSERT,
    "delete": DELETE,
}
# https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security#built-in-roles
ROLES: Mapping[str, tuple[str, ...]] = {
    "dataReader": (METADATA, READ, QUERY, FEED),
    "dataContributor": (METADATA, f"{CONTAINERS}/*", f"{CONTAINERS}/items/*"),
}
LEARN_MORE = "Learn more: https://aka.ms/cosmos-native-rbac."


# As infra/modules/cosmos.bicep assigns them. Plans name containers freely, so both have all of the account.
ASSIGNED = (
    Assignment(APP.object_id, ROLES["dataReader"], ANYWHERE),
    Assignment(SPARK.object_id, ROLES["dataContributor"], ANYWHERE),
)


def _of_post(call: Call) -> tuple[str, ...]:
    if call.is_set("x-ms-cosmos-is-query-plan-request"):
        return (QUERY,)
    if call.is_query:
        # A note in the list: to execute a query, SDKs need both.
        return (QUERY, FEED)
    if call.is_set("x-ms-cosmos-is-batch-request"):
        return _of_batch(call)
    return (UPSERT,) if call.is_set("x-ms-documentdb-is-upsert") else (CREATE,)


def _of_batch(call: Call) -> tuple[str, ...]:
    """Return the actions of all operations. One that there is not is refused when the batch is carried out."""
    operations = call.json()
    kinds = {str(one.get("operationType")).lower() for one in operations if isinstance(one, dict)}
    return tuple(OPERATIONS[kind] for kind in sorted(kinds & OPERATIONS.keys()))


def _of_search(call: Call) -> tuple[str, ...] | None:
    return (METADATA,) if call.is_query else None


Needs = tuple[str, ...] | Callable[[Call], tuple[str, ...] | None]
# By method and path. What is not here, the data plane does for keys only.
NEEDS: Mapping[tuple[str, str], Needs] = {
    ("GET", ""): (METADATA,),
    ("GET", "dbs"): (METADATA,),
    ("POST", "dbs"): _of_search,
    ("GET", "dbs/*"): (METADATA,),
    ("GET", "dbs/*/colls"): (METADATA,),
    ("POST", "dbs/*/colls"): _of_search,
    ("GET", "dbs/*/colls/*"): (METADATA,),
    ("GET", "dbs/*/colls/*/pkranges"): (METADATA,),
    # https://github.com/Azure/azure-cosmos-dotnet-v3/issues/2927
    ("GET", "dbs/*/colls/*/docs"): (FEED,),
    ("POST", "dbs/*/colls/*/docs"): _of_post,
    ("GET", "dbs/*/colls/*/docs/*"): (READ,),
    ("PUT", "dbs/*/colls/*/docs/*"): (REPLACE,),
    ("PATCH", "dbs/*/colls/*/docs/*"): (REPLACE,),
    ("DELETE", "dbs/*/colls/*/docs/*"): (DELETE,),
}


class Rights:
    """Checks calls.

    Args:
        assignments: a file with others than the deployment's, read at each call: a JSON array of objects with
            ``object_id``, ``actions`` and ``scope``.
    """

    def __init__(self, assignments: Path | None = None) -> None:
        self._file = assignments
        self.asked: list[dict[str, Any]] = []

    def check(self, caller: Principal, method: str, shape: str, call: Call) -> None:
        """Refuse a call that the caller's roles do not allow, and remember what it asked for.

        Args:
            caller: who calls.
            method: the HTTP method.
            shape: the path, with a star for each name.
            call: the call itself.

        Raises:
            CosmosError: 403, with the first action that is missing.
        """
        needs = NEEDS.get((method, shape))
        actions = needs(call) if callable(needs) else needs
        if actions is None:
            raise _not_by_token(method, shape, call)
        resource = _resource(call)
        for action in actions:
            # Whoever may read anything may read the account's properties.
            allowed = self._allows(caller, action, resource if shape else None)
            remember(self.asked, object_id=caller.object_id, action=action, allowed=allowed)
            if not allowed:
                raise _refusal(caller, action, resource)

    def _allows(self, caller: Principal, action: str, resource: str | None) -> bool:
        """Return whether a principal may do something to a resource, or to any if that is None."""
        return any(
            each.allows(caller.object_id, action, each.scope if resource is None else resource)
            for each in self._assignments()
        )

    def _assignments(self) -> tuple[Assignment, ...]:
        if self._file is None:
            return ASSIGNED
        return tuple(
            Assignment(each["object_id"], tuple(each["actions"]), each["scope"])
            for each in json.loads(self._file.read_bytes())
        )


def _resource(call: Call) -> str:
    """Return the path of the database or container that a call is about, by names, even if it addresses it by ids."""
    names = call.names[:2]
    if len(names) == 2:
        with suppress(CosmosError):  # what is not there keeps the name that it came by
            container = call.store.find_container(*names)
            names = (container.database, container.name)
    kinds = ("dbs", "colls")
    return "".join(f"/{kind}/{name}" for kind, name in zip(kinds, names, strict=False)) or ANYWHERE


def _refusal(caller: Principal, action: str, resource: str) -> CosmosError:
    """Return the answer to a call that is not allowed.

    https://github.com/Azure/azure-cosmos-dotnet-v3/issues/2891
    """
    where = resource if resource == ANYWHERE else resource[1:]
    text = (
        f"Request is blocked because principal [{caller.object_id}] does not have required RBAC permissions to perform "
        f"action [{action}] on resource [{where}]. {LEARN_MORE}"
    )
    return blocked(403, NO_RIGHT_TO_METADATA if action == METADATA else NO_RIGHT_TO_DATA, text)


def _not_by_token(method: str, shape: str, call: Call) -> CosmosError:
    """Return the answer to a call that no role allows, such as one that creates a container.

    https://learn.microsoft.com/azure/cosmos-db/troubleshoot-forbidden#nondata-operations-arent-allowed
    """
    names = iter(call.names)
    path = "/".join(next(names) if part == "*" else part for part in shape.split("/"))
    text = (
        f"The given request [{method} /{path}] cannot be authorized by AAD token in data plane. {LEARN_MORE}"
    )
    return blocked(403, NOT_BY_TOKEN, text)


def blocked(status: int, sub_status: int, text: str) -> CosmosError:
    """Return a refusal as the service words it."""
    return CosmosError(status, f"Request blocked by Auth {COSMOS_ACCOUNT} : {text}", sub_status)
