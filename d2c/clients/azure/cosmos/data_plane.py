"""Cosmos DB's data plane: the app's own reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.connections import connected_once
from d2c.foreign_json import quoted

if TYPE_CHECKING:
    from azure.cosmos import CosmosClient

INDEX_PROGRESS = "x-ms-documentdb-collection-index-transformation-progress"
DONE_PERCENT = 100


def has_documents(client: CosmosClient, database: str, container: str, constants: Mapping[str, Any]) -> bool:
    """Return whether a container has at least one document.

    Args:
        client: of the account.
        database: the container's database.
        container: its name.
        constants: top-level properties and their values in the documents to look for; empty for any document.
    """
    placeholders = {f"@p{number}": pair for number, pair in enumerate(constants.items())}
    conditions = " AND ".join(
        f"c[{json.dumps(name)}] = {placeholder}" for placeholder, (name, _) in placeholders.items()
    )
    query_text = f"SELECT TOP 1 VALUE 1 FROM c WHERE {conditions or 'true'}"  # noqa: S608 - names quoted, values apart
    with azure_errors(f"Cosmos DB container {database}/{container}"):
        query = (
            client.get_database_client(database)
            .get_container_client(container)
            .query_items(
                query_text,
                parameters=[
                    {"name": placeholder, "value": value} for placeholder, (_, value) in placeholders.items()
                ],
                enable_cross_partition_query=True,
            )
        )
        return any(True for _ in query)


def index_percent(client: CosmosClient, database: str, container: str) -> int:
    """Return how far a container's index transformation is, in percent; 100 where none is under way.

    https://learn.microsoft.com/azure/cosmos-db/how-to-manage-indexing-policy#use-the-python-sdk

    Args:
        client: of the account.
        database: the container's database.
        container: its name.
    """
    told: dict[str, str] = {}
    with azure_errors(f"Cosmos DB container {database}/{container}"):
        client.get_database_client(database).get_container_client(container).read(
            populate_quota_info=True, response_hook=lambda headers, _: told.update(headers)
        )
        text = {name.lower(): value for name, value in told.items()}.get(INDEX_PROGRESS, "")
        percent = int(text or DONE_PERCENT)
        if not 0 <= percent <= DONE_PERCENT:
            raise ValueError(f"the progress of an index transformation is {quoted(text)}")
        return percent


def try_reading_account(client: CosmosClient, endpoint: str) -> None:
    """Request one database from the data plane, whether or not there is one, to test access.

    Args:
        client: of the account.
        endpoint: the account's, for messages.
    """
    with azure_errors(f"Cosmos DB account at {endpoint}"):
        next(iter(client.list_databases(max_item_count=1)), None)


@connected_once
def connect_cosmos(settings: Settings) -> CosmosClient:
    """Return a client of the account in the settings: with Entra ID, or with a key if one is set.

    A key is an alternative for Microsoft's emulator, which takes no tokens.
    """
    # Importing it delays the start of a worker.
    from azure.cosmos import CosmosClient

    with azure_errors(f"Cosmos DB account at {settings.cosmos_endpoint}"):
        return CosmosClient(
            settings.cosmos_endpoint,
            credential=settings.cosmos_key or azure_credential(),
            **retries.COSMOS,
        )
