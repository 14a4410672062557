"""Cosmos DB, as the operator reaches it: documents through the data plane, databases through the management plane."""

from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from d2c.app.settings import Settings
from d2c.clients.azure.cosmos.data_plane import connect_cosmos
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.mapping.names import SYSTEM_PROPERTIES

if TYPE_CHECKING:
    from azure.cosmos import CosmosClient
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

CHARGE = "x-ms-request-charge"
LONGEST_WAIT_SECONDS = 300


class OperatorCosmos:
    """The calls of a canary.

    Args:
        client: of the data plane.
        management: of the management plane; None with a key, which the local cloud and the emulator take for all.
        settings: the app's.
    """

    def __init__(
        self, client: "CosmosClient", management: "CosmosDBManagementClient | None", settings: Settings
    ) -> None:
        self._client, self._management = client, management
        self._place = settings.resource_group, settings.cosmos_account

    def documents(self, database: str, container: str) -> list[dict[str, Any]]:
        """Return all documents of a container, without what Cosmos DB adds."""
        with azure_errors(f"Cosmos DB container {database}/{container}"):
            found = self._container(database, container).query_items(
                "SELECT * FROM c", enable_cross_partition_query=True
            )
            return [_own_properties(document) for document in found]

    def read(
        self, database: str, container: str, document_id: str, partition_key: Any
    ) -> dict[str, Any] | None:
        """Return one document by its id and its partition key, or None."""
        with azure_errors(f"Cosmos DB container {database}/{container}"):
            try:
                found = self._container(database, container).read_item(document_id, partition_key)
            except CosmosResourceNotFoundError:
                return None
        return _own_properties(found)

    def write_charge(self, database: str, container: str, document: dict[str, Any]) -> float:
        """Write a new document; return the request units that it was charged."""
        charges: list[float] = []
        with azure_errors(f"Cosmos DB container {database}/{container}"):
            self._container(database, container).create_item(
                document, response_hook=lambda headers, _: charges.append(float(headers[CHARGE]))
            )
        return charges[-1]

    def databases(self, prefix: str) -> list[str]:
        """Return the names of the databases that begin with a prefix."""
        with azure_errors(f"Cosmos DB databases in account {self._place[1]}"):
            found: list[str] = (
                [str(each["id"]) for each in self._client.list_databases()]
                if self._management is None
                else [
                    str(each.name) for each in self._management.sql_resources.list_sql_databases(*self._place)
                ]
            )
        return [name for name in found if name.startswith(prefix)]

    def delete_database(self, database: str) -> None:
        """Delete a database with its containers, if there is one."""
        with azure_errors(f"Cosmos DB database {database}"):
            try:
                if self._management is None:
                    self._client.delete_database(database)
                else:
                    self._management.sql_resources.begin_delete_sql_database(*self._place, database).wait(
                        LONGEST_WAIT_SECONDS
                    )
            except (CosmosResourceNotFoundError, ResourceNotFoundError):
                return

    def _container(self, database: str, container: str) -> Any:
        return self._client.get_database_client(database).get_container_client(container)


def _own_properties(document: Any) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in SYSTEM_PROPERTIES}


def connect_operator_cosmos(settings: Settings) -> OperatorCosmos:
    """Return the account in the settings, with the operator's sign-in, or with a key if one is set."""
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

    management = None if settings.cosmos_key else CosmosDBManagementClient(**management_arguments(settings))
    return OperatorCosmos(connect_cosmos(settings), management, settings)
