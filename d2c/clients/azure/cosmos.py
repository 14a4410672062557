"""Cosmos DB's data plane, as far as the app itself reads it."""

import json
from collections.abc import Mapping
from typing import Any

from azure.cosmos import CosmosClient

from d2c.app.settings import Settings
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.connections import connected_once


def has_documents(client: CosmosClient, database: str, container: str, constants: Mapping[str, Any]) -> bool:
    """Tell whether a container holds at least one document.

    Args:
        client: of the account.
        database: the container's database.
        container: its name.
        constants: top-level properties with the values that the documents in question have; none for any document.
    """
    marks = {f"@p{number}": pair for number, pair in enumerate(constants.items())}
    conditions = " AND ".join(f"c[{json.dumps(name)}] = {mark}" for mark, (name, _) in marks.items())
    query_text = f"SELECT TOP 1 VALUE 1 FROM c WHERE {conditions or 'true'}"  # noqa: S608 - names quoted, values apart
    with azure_errors(f"Cosmos DB container {database}/{container}"):
        query = (
            client.get_database_client(database)
            .get_container_client(container)
            .query_items(
                query_text,
                parameters=[{"name": mark, "value": value} for mark, (_, value) in marks.items()],
                enable_cross_partition_query=True,
            )
        )
        return any(True for _ in query)


def try_reading_account(client: CosmosClient, endpoint: str) -> None:
    """Ask the data plane for one database, whether or not there is one.

    Args:
        client: of the account.
        endpoint: the account's, for messages.
    """
    with azure_errors(f"Cosmos DB account at {endpoint}"):
        next(iter(client.list_databases(max_item_count=1)), None)


@connected_once
def connect_cosmos(settings: Settings) -> CosmosClient:
    """Return a client of the account in the settings: by Entra ID, or by key where one is set.

    A key is for the local cloud and Microsoft's emulator, which know no Entra ID.
    """
    with azure_errors(f"Cosmos DB account at {settings.cosmos_endpoint}"):
        return CosmosClient(
            settings.cosmos_endpoint,
            credential=settings.cosmos_key or azure_credential(),
            retry_total=2,
            connection_timeout=10,
        )
