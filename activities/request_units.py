"""What Azure Monitor counted of the loads of an operation, before its report is written."""

import logging
from datetime import UTC, datetime, timedelta
from typing import cast

import azure.durable_functions as df

from activities.outcome import outcome
from activities.table_end import report_of
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import D2CError
from d2c.report.consumed import consumed, indexing_minutes, load_window
from d2c.shapes import Consumed, Look, OperationInput, Progress, QueueFile, TableRecord
from d2c.state import paths

CALLS_AT_ONCE = 8

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_request_units(clients: Clients, payload: OperationInput) -> Look[int]:
    """Ask Azure Monitor for what the loads of an operation took, once it has counted all of them.

    What it does not know stays unknown, and no table fails for it. The result is how many loads are counted.
    """
    records = _uncounted(clients.lake, payload)
    ends = [window.end for record in records if (window := load_window(record))]
    ends += [minutes[1] for record in records if (minutes := indexing_minutes(record))]
    lag = timedelta(seconds=clients.settings.load_runs.metrics_lag_seconds)
    left = (max(ends) + lag - datetime.now(UTC)).total_seconds() if ends else 0.0
    if left > 0:
        progress: Progress = {"tables": len(records)}
        return {"state": "running", "progress": progress, "look_again_within_seconds": left}
    counted = side_by_side(lambda record: _count(clients, record), records, at_once=CALLS_AT_ONCE)
    return {"state": "succeeded", "result": sum(counted)}


def _uncounted(lake: Lake, payload: OperationInput) -> list[TableRecord]:
    """Return the records of the tables that the operation has loaded and of which nothing is counted yet."""
    queue: QueueFile | None = lake.read_json(
        paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue
    )
    names = [table["table"] for table in queue["tables"]] if queue else []
    found: list[TableRecord | None] = side_by_side(
        lambda name: lake.read_json(paths.MigrationFiles(payload["migration"]).table(name).record),
        names,
        at_once=CALLS_AT_ONCE,
    )
    return [
        record
        for record in found
        if record
        and record["operation"] == payload["operation"]
        and "consumed" not in record
        and load_window(record)
    ]


def _count(clients: Clients, record: TableRecord) -> bool:
    """Keep what a table's load took, in its record and in its part of the report; return whether it is counted."""
    try:
        found = _consumed(clients, record)
    except D2CError as error:
        logger.warning("The request units of table %s are not counted: %s", record["table"], error.detail)
        return False
    kept = cast("TableRecord", {**record, "consumed": found})
    files = paths.MigrationFiles(record["migration"]).table(record["table"])
    clients.lake.write_json(files.record, kept)
    clients.lake.write_json(files.report, report_of(clients.lake, kept))
    return found["counted_ru"] is not None


def _consumed(clients: Clients, record: TableRecord) -> Consumed:
    window = load_window(record)
    assert window is not None  # noqa: S101 - `_uncounted` leaves out the others
    names, minutes = (record["database"], record["container"]), window.minutes
    found = consumed(
        clients.metrics.written_ru(*names, *minutes),
        window,
        record["described"]["peak_ru_per_second"] if "described" in record else None,
        clients.metrics.highest_use(*names, *minutes),
    )
    minutes_of_index = indexing_minutes(record)
    if minutes_of_index:
        counts = clients.metrics.written_ru(*names, *minutes_of_index)
        found["indexing_ru"] = round(sum(counts.values())) if counts else None
    return found
