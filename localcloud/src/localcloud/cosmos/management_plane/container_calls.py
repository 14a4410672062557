"""Cosmos DB's calls about SQL databases, containers and their throughput.

A change is carried out at once and answered with 202; its operation reports the outcome.
https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/sql-resources
"""

import json
import time
from collections.abc import Awaitable
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.server import Answer, Call, Route
from localcloud.cosmos.management_plane.data_plane_client import DataPlaneClient
from localcloud.cosmos.management_plane.scaling import Scaler, offer_content
from localcloud.cosmos.management_plane.store import ManagementStore, Operation

PROVIDER = "/providers/Microsoft.DocumentDB"
ACCOUNT = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}{PROVIDER}/databaseAccounts/{{account}}"
DATABASE = f"{ACCOUNT}/sqlDatabases/{{database}}"
CONTAINER = f"{DATABASE}/containers/{{container}}"
OPERATIONS = f"/subscriptions/{{subscription}}{PROVIDER}/locations/local"
TYPE = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases"
# What only the data plane shows of a resource.
DATA_PLANE_ONLY = ("_self", "_docs", "_conflicts")
SECONDS_BETWEEN_POLLS = "1"

Json = dict[str, Any]


class CosmosCalls:
    """Answers the calls.

    Args:
        plane: the account's data plane.
        store: remembers operations.
        scaler: changes throughput.
        operation_seconds: how long an operation takes.
    """

    def __init__(
        self, plane: DataPlaneClient, store: ManagementStore, scaler: Scaler, operation_seconds: float
    ) -> None:
        self._plane = plane
        self._store = store
        self._scaler = scaler
        self._operation_seconds = operation_seconds

    def routes(self) -> list[Route]:
        """Return the operations."""
        settings = "throughputSettings/default"
        return [
            Route("ListDatabases", "GET", f"{ACCOUNT}/sqlDatabases", self.list_databases),
            Route("GetDatabase", "GET", DATABASE, self.get_database),
            Route("PutDatabase", "PUT", DATABASE, self.put_database),
            Route("GetDatabaseThroughput", "GET", f"{DATABASE}/{settings}", self.get_database_throughput),
            Route("PutDatabaseThroughput", "PUT", f"{DATABASE}/{settings}", self.put_database_throughput),
            Route("ListContainers", "GET", f"{DATABASE}/containers", self.list_containers),
            Route("GetContainer", "GET", CONTAINER, self.get_container),
            Route("PutContainer", "PUT", CONTAINER, self.put_container),
            Route("GetThroughput", "GET", f"{CONTAINER}/{settings}", self.get_throughput),
            Route("PutThroughput", "PUT", f"{CONTAINER}/{settings}", self.put_throughput),
            Route("GetOperation", "GET", f"{OPERATIONS}/operationsStatus/{{operation}}", self.get_operation),
            *(
                Route(
                    f"Get{kind}Result", "GET", f"{resource}/operationResults/{{operation}}", self.get_result
                )
                for kind, resource in (
                    ("Database", DATABASE),
                    ("DatabaseThroughput", f"{DATABASE}/{settings}"),
                    ("Container", CONTAINER),
                    ("Throughput", f"{CONTAINER}/{settings}"),
                )
            ),
        ]

    async def list_databases(self, call: Call) -> Answer:
        """Return all databases."""
        found = (await self._plane.get("dbs"))["Databases"]
        return Answer({"value": [_resource(f"{call.path}/{each['id']}", TYPE, each) for each in found]})

    async def get_database(self, call: Call) -> Answer:
        """Return a database."""
        return Answer(_resource(call.path, TYPE, await self._database(call)))

    async def put_database(self, call: Call) -> Answer:
        """Create a database; one that is there stays as it is."""
        resource, options = _definition(call, call.names["database"])
        if resource.keys() - {"id"}:
            raise ArmError(400, "NotSupportedHere", "A database has no more than an id in here.")
        return await self._change(call, self._create_database(call, resource, options))

    async def get_database_throughput(self, call: Call) -> Answer:
        """Return the throughput that a database's containers share."""
        settings = await self._scaler.describe(await self._database(call))
        return Answer(_resource(call.path, f"{TYPE}/throughputSettings", settings))

    async def put_database_throughput(self, call: Call) -> Answer:
        """Change the throughput that a database's containers share."""
        return await self._put_throughput(call, await self._database(call))

    async def list_containers(self, call: Call) -> Answer:
        """Return a database's containers."""
        found = (await self._plane.get("dbs", call.names["database"], "colls"))["DocumentCollections"]
        kind = f"{TYPE}/containers"
        return Answer({"value": [_resource(f"{call.path}/{each['id']}", kind, each) for each in found]})

    async def get_container(self, call: Call) -> Answer:
        """Return a container."""
        return Answer(_resource(call.path, f"{TYPE}/containers", await self._container(call)))

    async def put_container(self, call: Call) -> Answer:
        """Create a container, or change its indexing or time to live."""
        resource, options = _definition(call, call.names["container"])
        return await self._change(call, self._create_or_change_container(call, resource, options))

    async def get_throughput(self, call: Call) -> Answer:
        """Return a container's own throughput."""
        settings = await self._scaler.describe(await self._container(call))
        return Answer(_resource(call.path, f"{TYPE}/containers/throughputSettings", settings))

    async def put_throughput(self, call: Call) -> Answer:
        """Change a container's own throughput."""
        return await self._put_throughput(call, await self._container(call))

    async def _put_throughput(self, call: Call, resource: Json) -> Answer:
        wanted = _property(call.body, "properties", "resource")
        self._scaler.count_update()
        return await self._change(call, self._scaler.change(resource, wanted))

    async def get_operation(self, call: Call) -> Answer:
        """Return the state of an operation."""
        operation = self._operation(call)
        if operation.ends > time.time():
            return Answer({"status": "Dequeued"}, headers={"Retry-After": SECONDS_BETWEEN_POLLS})
        if operation.error:
            return Answer({"status": "Failed", "error": operation.error})
        return Answer({"status": "Succeeded"})

    async def get_result(self, call: Call) -> Answer:
        """Return what an operation was about, once it has ended."""
        operation = self._operation(call)
        if operation.ends > time.time():
            return Answer({"status": "Dequeued"}, 202, _polling(call, call.names["operation"]))
        if operation.error:
            raise ArmError(400, operation.error["code"], operation.error["message"])
        for route in self.routes():
            names = route.match("GET", operation.resource)
            if names is not None:
                return await route.handler(Call(names, {}, {}, call.base_url, operation.resource))
        raise ArmError(404, "NotFound", f"There is no {operation.resource}.")

    async def _change(self, call: Call, work: Awaitable[None]) -> Answer:
        """Carry out a change, and answer with the operation that reports its outcome."""
        error = None
        try:
            await work
        except ArmError as failed:
            if failed.status >= 500:
                raise
            error = failed.to_dict()
        identity = self._store.add_operation(call.path, error, self._operation_seconds)
        return Answer({"status": "Enqueued"}, 202, _polling(call, identity))

    async def _create_database(self, call: Call, resource: Json, options: Json) -> None:
        try:
            await self._plane.post(("dbs",), {"id": resource["id"]}, _offer_headers(options))
        except ArmError as error:
            if error.status != 409:
                raise
            await self._check_options(await self._database(call), options)

    async def _check_options(self, resource: Json, options: Json) -> None:
        """Refuse options that would change the throughput of a database or a container that is there.

        Raises:
            ArmError: 400. The words for one without throughput of its own are the service's:
                https://github.com/Azure/azure-service-operator has them in a test.
        """
        try:
            settings = await self._scaler.describe(resource) if options else {}
        except ArmError as error:
            if error.status != 404:
                raise
            text = "Throughput update is not supported for resources created without dedicated throughput."
            raise ArmError(400, "BadRequest", text) from error
        if options and not _is_throughput(settings, options):
            raise ArmError(
                400,
                "BadRequest",
                "The throughput of a resource that is there is changed by its throughputSettings.",
            )

    async def _create_or_change_container(self, call: Call, resource: Json, options: Json) -> None:
        database = call.names["database"]
        try:
            existing = await self._container(call)
        except ArmError as error:
            if error.status != 404:
                raise
            headers = _offer_headers(options)
            await self._plane.post(("dbs", database, "colls"), resource, headers)
            return
        await self._check_options(existing, options)
        await self._plane.put(("dbs", database, "colls", resource["id"]), resource)

    async def _database(self, call: Call) -> Json:
        return await self._plane.get("dbs", call.names["database"])

    async def _container(self, call: Call) -> Json:
        return await self._plane.get("dbs", call.names["database"], "colls", call.names["container"])

    def _operation(self, call: Call) -> Operation:
        found = self._store.operation(call.names["operation"])
        if found is None:
            raise ArmError(404, "NotFound", f"There is no operation {call.names['operation']}.")
        return found


def _resource(path: str, kind: str, content: Json) -> Json:
    """Return a resource in ARM's envelope."""
    shown = {name: value for name, value in content.items() if name not in DATA_PLANE_ONLY}
    return {
        "id": path,
        "type": kind,
        "name": path.rpartition("/")[2],
        "properties": {"resource": shown},
    }


def _definition(call: Call, name: str) -> tuple[Json, Json]:
    """Return the resource and the options of a request body.

    Raises:
        ArmError: 400 if it is another resource than the path names, or has no shape.
    """
    unknown = sorted(call.body.keys() - {"properties", "location", "tags"})
    properties = _property(call.body, "properties")
    unknown += sorted(properties.keys() - {"resource", "options"})
    if unknown:
        raise ArmError(400, "BadRequest", f"The request has unknown fields: {', '.join(unknown)}.")
    resource = _property(properties, "resource")
    if resource.get("id") != name:
        raise ArmError(
            400,
            "BadRequest",
            f"The resource's id {resource.get('id')!r} is not {name}, which the path names.",
        )
    return resource, properties.get("options") or {}


def _property(content: Json, *names: str) -> Json:
    for name in names:
        content = content.get(name)  # type: ignore[assignment]
        if not isinstance(content, dict):
            raise ArmError(400, "BadRequest", f"The request lacks the object {'.'.join(names)}.")
    return content


def _offer_headers(options: Json) -> dict[str, str]:
    """Return the headers that give a new container its throughput."""
    if not options:
        return {}
    content = offer_content(options)
    if "offerThroughput" in content:
        return {"x-ms-offer-throughput": str(content["offerThroughput"])}
    return {"x-ms-cosmos-offer-autopilot-settings": json.dumps(content["offerAutopilotSettings"])}


def _is_throughput(settings: Json, options: Json) -> bool:
    own = "autoscaleSettings" if "autoscaleSettings" in settings else "throughput"
    return options == {own: settings[own]}


def _polling(call: Call, identity: str) -> dict[str, str]:
    """Return the headers by which a client follows an operation: its state is not below what it changes.

    https://github.com/Azure/azure-sdk-for-js/pull/25623
    """
    states = f"/subscriptions/{call.names['subscription']}{PROVIDER}/locations/local/operationsStatus"
    resource = call.path.partition("/operationResults/")[0]
    query = f"?api-version={call.query.get('api-version', '')}"
    return {
        "Azure-AsyncOperation": f"{call.base_url}{states}/{identity}{query}",
        "Location": f"{call.base_url}{resource}/operationResults/{identity}{query}",
        "Retry-After": SECONDS_BETWEEN_POLLS,
    }
