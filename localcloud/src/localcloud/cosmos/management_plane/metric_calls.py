"""The call for the metrics of the Cosmos DB account: Azure Monitor's, for one container.

https://learn.microsoft.com/rest/api/monitor/metrics/list
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.server import Answer, Call, Route
from localcloud.cosmos.management_plane.container_calls import ACCOUNT
from localcloud.cosmos.management_plane.data_plane_client import DataPlaneClient

NAMESPACE = "Microsoft.DocumentDB/databaseAccounts"
REQUEST_UNITS, UTILIZATION = "TotalRequestUnits", "NormalizedRUConsumption"
# The aggregation that each has here.
AGGREGATIONS = {REQUEST_UNITS: "total", UTILIZATION: "maximum"}
UNITS = {REQUEST_UNITS: "Count", UTILIZATION: "Percent"}
CONDITION = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*")
DIMENSIONS = ("DatabaseName", "CollectionName", "OperationType")
EVERY = "*"
MINUTE = timedelta(minutes=1)
MOST_MINUTES = 1440

Json = dict[str, Any]


class MetricCalls:
    """Answers the call.

    Args:
        plane: the account's data plane, which counts.
        lag_seconds: how long after a minute its counts show.
    """

    def __init__(self, plane: DataPlaneClient, lag_seconds: float) -> None:
        self._plane = plane
        self._lag = timedelta(seconds=lag_seconds)

    def routes(self) -> list[Route]:
        """Return the operations."""
        return [
            Route("ListMetrics", "GET", f"{ACCOUNT}/providers/microsoft.insights/metrics", self.list_metrics)
        ]

    async def list_metrics(self, call: Call) -> Answer:
        """Return a metric of a container, minute by minute; minutes that are not counted yet have no value."""
        name, query = call.query.get("metricnames", ""), call.query
        if name not in AGGREGATIONS:
            raise _refused(f"Failed to find metric configuration for provider: {NAMESPACE}, metric: {name}")
        if query.get("aggregation", "").lower() != AGGREGATIONS[name] or query.get("interval") != "PT1M":
            raise _refused(f"Only {AGGREGATIONS[name]} of {name} by PT1M is supported here.")
        start, end = _timespan(query.get("timespan", ""))
        conditions = _conditions(query.get("$filter", ""))
        counted = await self._plane.administer("metrics")
        container = f"{conditions['DatabaseName']}/{conditions['CollectionName']}"
        series = _series(counted["containers"].get(container, {}), name, conditions.get("OperationType"))
        minutes = list(_minutes(start, end))
        shown_until = datetime.now(UTC) - self._lag
        return Answer(
            {
                "cost": 0,
                "timespan": query["timespan"],
                "interval": "PT1M",
                "value": [
                    {
                        "id": f"{call.path}/{name}",
                        "type": "Microsoft.Insights/metrics",
                        "name": {"value": name, "localizedValue": name},
                        "unit": UNITS[name],
                        "timeseries": [
                            _timeseries(labels, points, minutes, shown_until, AGGREGATIONS[name])
                            for labels, points in series
                        ],
                        "errorCode": "Success",
                    }
                ],
                "namespace": NAMESPACE,
                "resourceregion": "westeurope",
            }
        )


def _timespan(text: str) -> tuple[datetime, datetime]:
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split("/"))
        minutes = (end - start) / MINUTE
    except (ValueError, TypeError) as error:
        raise _refused(f"Invalid time range: {text}") from error
    if not 0 < minutes <= MOST_MINUTES:
        raise _refused(f"The time range {text} is not between a minute and a day.")
    return start, end


def _conditions(text: str) -> dict[str, str]:
    """Return the values by dimension: a database, a container, and perhaps every kind of operation on its own."""
    conditions: dict[str, str] = {}
    for part in re.split(r"\band\b(?=(?:[^']*'[^']*')*[^']*$)", text):
        found = CONDITION.fullmatch(part)
        if found is None or found[1] not in DIMENSIONS:
            raise _refused(f"The filter {text!r} is invalid.")
        conditions[found[1]] = found[2].replace("''", "'")
    if not {"DatabaseName", "CollectionName"} <= conditions.keys():
        raise _refused("Metrics are told for one container here.")
    if conditions.get("OperationType", EVERY) != EVERY:
        raise _refused("Operations are told all or each on its own here.")
    return conditions


def _series(
    counted: Mapping[str, Any], name: str, operation: str | None
) -> list[tuple[dict[str, str], dict[int, float]]]:
    """Return each time series: its labels, and its values by minute."""
    if name == UTILIZATION:
        points = {point["minute"]: point["maximum"] for point in counted.get("utilization", ())}
        return [({}, points)] if points else []
    by_operation: dict[str, dict[int, float]] = {}
    for point in counted.get("request_units", ()):
        label = point["operation"] if operation == EVERY else ""
        points = by_operation.setdefault(label, {})
        points[point["minute"]] = points.get(point["minute"], 0.0) + point["total"]
    return [({"operationtype": label} if label else {}, points) for label, points in by_operation.items()]


def _timeseries(
    labels: Mapping[str, str],
    points: Mapping[int, float],
    minutes: Iterable[datetime],
    shown_until: datetime,
    aggregation: str,
) -> Json:
    return {
        "metadatavalues": [
            {"name": {"value": name, "localizedValue": name}, "value": value}
            for name, value in labels.items()
        ],
        "data": [
            {
                "timeStamp": f"{minute:%Y-%m-%dT%H:%M:%SZ}",
                **({aggregation: points.get(int(minute.timestamp()), 0.0)} if minute <= shown_until else {}),
            }
            for minute in minutes
        ],
    }


def _minutes(start: datetime, end: datetime) -> Iterable[datetime]:
    minute = start.replace(second=0, microsecond=0)
    while minute < end:
        yield minute
        minute += MINUTE


def _refused(text: str) -> ArmError:
    return ArmError(400, "BadRequest", text)
