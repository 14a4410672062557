"""Cosmos DB's management plane: databases, containers and their throughput.

An Entra identity cannot create containers or change throughput through the data plane (403, sub-status 5300), so all
of it goes through Azure Resource Manager.
https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-actions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from d2c.app.settings import Settings
from d2c.clients.answers import typed
from d2c.clients.azure.cosmos.resources import (
    Account as Account,
)
from d2c.clients.azure.cosmos.resources import (
    Container as Container,
)
from d2c.clients.azure.cosmos.resources import (
    Database as Database,
)
from d2c.clients.azure.cosmos.resources import (
    Throughput as Throughput,
)
from d2c.clients.azure.cosmos.resources import (
    account_of,
    container_of,
    throughput_of,
)
from d2c.clients.azure.cosmos.update_pace import UpdatePace
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.clients.connections import connected_once
from d2c.errors import TransientError
from d2c.shapes import DatabaseThroughput

if TYPE_CHECKING:
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

LONGEST_WAIT_SECONDS = 60


class Operation(Protocol):
    """A long-running operation, as the SDK follows it; `wait` raises what the operation, or a poll, ends with."""

    def wait(self, timeout: float | None = None) -> None: ...

    def done(self) -> bool: ...


class CosmosManagement:
    """The calls that a migration makes to one Cosmos DB account's management plane.

    Args:
        client: azure-mgmt-cosmosdb's client.
        resource_group: the account's resource group.
        account: the account's name.
    """

    def __init__(self, client: CosmosDBManagementClient, resource_group: str, account: str) -> None:
        self._accounts = client.database_accounts
        self._sql = client.sql_resources
        self._group = resource_group
        self._account = account
        self._pace = UpdatePace()

    def describe_account(self) -> Account:
        """Return the properties of the account.

        https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/database-accounts/get
        """
        with azure_errors(f"Cosmos DB account {self._account}"):
            account: Any = self._accounts.get(self._group, self._account)
        return account_of(account)

    def list_containers(self) -> list[tuple[str, str]]:
        """Return the database and the name of every container of the account."""
        with azure_errors(f"Cosmos DB databases in account {self._account}"):
            databases = [str(each.name) for each in self._sql.list_sql_databases(self._group, self._account)]
            return [
                (database, str(each.name))
                for database in databases
                for each in self._sql.list_sql_containers(self._group, self._account, database)
            ]

    def create_database(self, database: str, shared: DatabaseThroughput | None = None) -> None:
        """Create a database, unless it exists.

        Args:
            database: its name.
            shared: the throughput that its containers share, which it can only be given now; None: none.
        """
        with azure_errors(self._name_of(database)):
            if self._has_database(database):
                return
            options = _throughput_resource(shared["ru_per_second"], shared["autoscale"]) if shared else {}
            try:
                self._put_database(database, options)
            except HttpResponseError as error:
                if not _is_serverless(error):
                    raise
                self._put_database(database, {})

    def find_database(self, database: str) -> Database | None:
        """Return a database with the throughput that its containers share, or None if there is no such database."""
        with azure_errors(self._name_of(database)):
            try:
                answer = self._sql.get_sql_database_throughput(self._group, self._account, database)
            except HttpResponseError as error:
                if error.status_code != 404 and not _is_serverless(error):
                    raise
                return Database(None, _is_serverless(error)) if self._has_database(database) else None
            resource: Any = answer["properties"]["resource"]
            return Database(typed(throughput_of(resource)))

    def _has_database(self, database: str) -> bool:
        try:
            self._sql.get_sql_database(self._group, self._account, database)
        except ResourceNotFoundError:
            return False
        return True

    def _put_database(self, database: str, options: dict[str, Any]) -> None:
        body: Any = {"properties": {"resource": {"id": database}, "options": options}}
        poller = self._sql.begin_create_update_sql_database(self._group, self._account, database, body)
        _wait_for_creation(f"database {database}", poller, lambda: self._has_database(database))

    def find_container(self, database: str, container: str) -> Container | None:
        """Return a container, or None if there is no such container or database."""
        with azure_errors(self._thing(database, container)):
            try:
                answer = self._sql.get_sql_container(self._group, self._account, database, container)
            except ResourceNotFoundError:
                return None
            resource: Any = answer["properties"]["resource"]
            return typed(container_of(resource))

    def create_container(
        self,
        database: str,
        container: str,
        *,
        partition_key_paths: Sequence[str],
        default_ttl: int | None,
        ru_per_second: int | None,
        indexing_policy: Mapping[str, Any] | None = None,
        autoscale: bool = False,
    ) -> None:
        """Create a container with its own throughput, or without in a serverless account.

        Args:
            database: an existing database.
            container: the new container's name.
            partition_key_paths: one to three paths such as ``/CustomerId``; several make a hierarchical key.
            default_ttl: ``-1`` enables a time to live in documents, None disables it.
            ru_per_second: manual throughput, from 400 in hundreds, or autoscale's maximum, from 1,000 in thousands;
                None: none of its own, but its database's if that has some.
            indexing_policy: which properties have an index, in the service's words; None: all.
            autoscale: whether the service scales below that maximum by itself.
        """
        options = {} if ru_per_second is None else _throughput_resource(ru_per_second, autoscale)
        kind = "MultiHash" if len(partition_key_paths) > 1 else "Hash"
        resource: dict[str, Any] = {
            "id": container,
            # Version 2 hashes the whole key; version 1 only its first 101 bytes.
            "partitionKey": {"paths": list(partition_key_paths), "kind": kind, "version": 2},
        }
        if default_ttl is not None:
            resource["defaultTtl"] = default_ttl
        if indexing_policy is not None:
            resource["indexingPolicy"] = dict(indexing_policy)
        with azure_errors(self._thing(database, container)):
            try:
                self._put_container(database, resource, options)
            except HttpResponseError as error:
                if not _is_serverless(error):
                    raise
                self._put_container(database, resource, {})

    def _put_container(self, database: str, resource: dict[str, Any], options: dict[str, Any]) -> None:
        body: Any = {"properties": {"resource": resource, "options": options}}
        poller = self._sql.begin_create_update_sql_container(
            self._group, self._account, database, resource["id"], body
        )
        name = f"{database}/{resource['id']}"
        _wait_for_creation(
            f"container {name}", poller, lambda: self.find_container(database, resource["id"]) is not None
        )

    def change_indexing(self, database: str, container: str, policy: Mapping[str, Any]) -> None:
        """Give a container another indexing policy and leave all else as it is; the service builds the index later.

        https://learn.microsoft.com/azure/cosmos-db/index-policy#modifying-the-indexing-policy

        Args:
            database: the container's database.
            container: an existing container.
            policy: in the service's words.
        """
        with azure_errors(self._thing(database, container)):
            answer = self._sql.get_sql_container(self._group, self._account, database, container)
            found: Any = answer["properties"]["resource"]
            # What begins with an underscore only the service sets.
            resource = {name: value for name, value in found.items() if not name.startswith("_")}
            body: Any = {"properties": {"resource": {**resource, "indexingPolicy": dict(policy)}}}
            poller = self._sql.begin_create_update_sql_container(
                self._group, self._account, database, container, body
            )
            _wait(poller, lambda: True)

    def find_throughput(self, database: str, container: str) -> Throughput | None:
        """Return a container's own throughput, or None if it shares its database's, or the account is serverless."""
        with azure_errors(self._thing(database, container)):
            try:
                answer = self._sql.get_sql_container_throughput(
                    self._group, self._account, database, container
                )
            except HttpResponseError as error:
                if error.status_code == 404 or _is_serverless(error):
                    return None
                raise
            resource: Any = answer["properties"]["resource"]
            return typed(throughput_of(resource))

    def change_throughput(
        self, database: str, container: str, ru_per_second: int, *, autoscale: bool
    ) -> None:
        """Change throughput, and wait until the service has accepted or rejected the change, at most a minute.

        The operation, not the call, reports rejections, such as of less than the minimum. A large increase can take
        hours after it was accepted; `find_throughput` returns it as pending.

        Raises:
            BusyError: if the account has had as many updates of throughput as it takes in five minutes.
                https://learn.microsoft.com/azure/cosmos-db/concepts-limits#control-plane

        Args:
            database: the container's database.
            container: a container with its own throughput.
            ru_per_second: the manual throughput, or autoscale's maximum.
            autoscale: the container's current kind; the kind is not changed.
        """
        thing = f"Throughput of {self._thing(database, container)}"
        body: Any = {"properties": {"resource": _throughput_resource(ru_per_second, autoscale)}}
        with self._pace.update(thing):
            # The SDK would sleep for as long as the service says, up to five minutes.
            poller = self._sql.begin_update_sql_container_throughput(
                self._group, self._account, database, container, body, retry_total=0
            )
            _wait(poller, lambda: self._has_throughput(database, container, ru_per_second))

    def _has_throughput(self, database: str, container: str, ru_per_second: int) -> bool:
        found = self.find_throughput(database, container)
        return found is not None and (found.pending or found.ru_per_second == ru_per_second)

    def _name_of(self, database: str) -> str:
        return f"Cosmos DB database {database} in account {self._account}"

    def _thing(self, database: str, container: str) -> str:
        return f"Cosmos DB container {database}/{container} in account {self._account}"


def _throughput_resource(ru_per_second: int, autoscale: bool) -> dict[str, Any]:
    if autoscale:
        return {"autoscaleSettings": {"maxThroughput": ru_per_second}}
    return {"throughput": ru_per_second}


def _wait_for_creation(thing: str, poller: Operation, is_there: Callable[[], bool]) -> None:
    """Wait until something is created.

    Raises:
        TransientError: if it is still being created; another try finds it, or is told that it is in progress.
    """
    _wait(poller, is_there)
    if not poller.done():
        raise TransientError(
            f"Cosmos DB is still creating the {thing} after {LONGEST_WAIT_SECONDS} seconds.",
            "Retrying until it is there. If it keeps failing, see Azure's service health.",
        )


def _wait(poller: Operation, is_done: Callable[[], bool]) -> None:
    """Wait for the end of an operation, at most a minute; where it may not be polled, look at what it was about.

    The service may accept an operation and reject the polls with 403, since its state is not below the account:
    https://github.com/Azure/azure-cli/issues/17418

    Raises:
        TransientError: if it may not be polled and what it was about is not as wanted yet.
    """
    try:
        poller.wait(LONGEST_WAIT_SECONDS)
    except HttpResponseError as error:
        if error.status_code != 403:
            raise
        if not is_done():
            raise TransientError(
                "Cosmos DB accepted an operation, rejects the app's polls of it, and its result does not show yet.",
                "Retrying until it does.",
            ) from error


def _is_serverless(error: HttpResponseError) -> bool:
    """Return whether an account rejects throughput because it is serverless; only the error text says so."""
    return "serverless" in str(error).lower()


@connected_once
def connect_cosmos_management(
    settings: Settings, credential: TokenCredential | None = None
) -> CosmosManagement:
    """Return the management plane of the account in the settings; without a credential, the app signs in by its own."""
    # Importing it takes over half a second, which would delay the start of the host.
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

    client = CosmosDBManagementClient(**management_arguments(settings, credential))
    return CosmosManagement(client, settings.resource_group, settings.cosmos_account)
