"""Azure Monitor's metrics of the Cosmos DB account: the request units that it counted for a container.

They are read through the client of Cosmos DB's management plane, with its sign-in and its retries.
https://learn.microsoft.com/rest/api/monitor/metrics/list and
https://learn.microsoft.com/azure/cosmos-db/monitor-reference
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from d2c.app.settings import Settings
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.clients.connections import connected_once
from d2c.foreign_json import quoted

if TYPE_CHECKING:
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

API_VERSION = "2024-02-01"
INTERVAL = "PT1M"
MOST_COUNTED = 2.0**53
EACH_OPERATION = " and OperationType eq '*'"
# All others write.
READING = frozenset({"read", "readfeed", "query", "sqlquery", "queryplan", "head", "headfeed"})

Json = Mapping[str, Any]
Counts = dict[datetime, float]


class Metrics:
    """The metrics of one Cosmos DB account, minute by minute.

    Args:
        client: azure-mgmt-cosmosdb's client.
        subscription: the account's subscription.
        resource_group: the account's resource group.
        account: the account's name.
    """

    def __init__(
        self, client: CosmosDBManagementClient, subscription: str, resource_group: str, account: str
    ) -> None:
        self._client = client
        self._account = account
        self._path = (
            f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
            f"/providers/Microsoft.DocumentDB/databaseAccounts/{account}/providers/microsoft.insights/metrics"
        )

    def written_ru(self, database: str, container: str, start: datetime, end: datetime) -> Counts:
        """Return the request units that writes to a container took, by minute; minutes without a count are left out.

        Args:
            database: the container's.
            container: its name.
            start: a whole minute, in UTC.
            end: a whole minute, after it.
        """
        counts: Counts = {}
        series = self._read(
            "TotalRequestUnits", "total", _filter(database, container) + EACH_OPERATION, start, end
        )
        for operation, points in series:
            if operation not in READING:
                for minute, value in points:
                    counts[minute] = counts.get(minute, 0.0) + value
        return counts

    def highest_use(self, database: str, container: str, start: datetime, end: datetime) -> float | None:
        """Return the largest part of a partition's RU/s that was used in a second, in percent; None without a count.

        Args:
            database: the container's.
            container: its name.
            start: a whole minute, in UTC.
            end: a whole minute, after it.
        """
        series = self._read("NormalizedRUConsumption", "maximum", _filter(database, container), start, end)
        return max((value for _, points in series for _, value in points), default=None)

    def _read(
        self, metric: str, aggregation: str, condition: str, start: datetime, end: datetime
    ) -> list[tuple[str, list[tuple[datetime, float]]]]:
        """Return the time series of a metric: the operation that each is of, and its values by minute."""
        parameters = {
            "api-version": API_VERSION,
            "metricnames": metric,
            "aggregation": aggregation,
            "interval": INTERVAL,
            "timespan": "/".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, end)),
            "$filter": condition,
        }
        request = HttpRequest("GET", f"{{endpoint}}{self._path}", params=parameters)
        with azure_errors(f"Azure Monitor's {metric} of Cosmos DB account {self._account}"):
            response = self._client.send_request(request)
            if response.status_code >= 400:
                raise HttpResponseError(response=response)
            return [
                (_operation_of(series), list(_points_of(series, aggregation)))
                for value in response.json()["value"]
                for series in value["timeseries"]
            ]


def _filter(database: str, container: str) -> str:
    names = (name.replace("'", "''") for name in (database, container))
    return "DatabaseName eq '{}' and CollectionName eq '{}'".format(*names)


def _operation_of(series: Json) -> str:
    """Return the operation of a time series; empty for one of all."""
    labels = {
        str(label["name"]["value"]).lower(): label["value"] for label in series.get("metadatavalues") or ()
    }
    return str(labels.get("operationtype", "")).lower()


def _points_of(series: Json, aggregation: str) -> Iterator[tuple[datetime, float]]:
    for point in series["data"]:
        value = point.get(aggregation)
        if value is None:
            continue
        if not isinstance(value, int | float) or not 0 <= value <= MOST_COUNTED:
            raise ValueError(f"a count is {quoted(value)}")
        yield datetime.fromisoformat(str(point["timeStamp"])).astimezone(UTC), float(value)


@connected_once
def connect_metrics(settings: Settings, credential: TokenCredential | None = None) -> Metrics:
    """Return the metrics of the account in the settings; without a credential, the app signs in by its own."""
    # Importing it takes over half a second, which would delay the start of the host.
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

    client = CosmosDBManagementClient(**management_arguments(settings, credential))
    return Metrics(client, settings.subscription_id, settings.resource_group, settings.cosmos_account)
