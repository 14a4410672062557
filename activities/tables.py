"""The tables of an operation: found, written to the lake, and queued."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake, needed_json
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.plan.allowed import refuse_forbidden
from d2c.plan.caps import caps_of, tables_per_run
from d2c.plan.model import Plan, times_of
from d2c.plan.tables import in_order, location_of, locations_with_patterns, resolve_tables
from d2c.report.costs import cluster_of, cluster_seconds
from d2c.report.estimate import estimate_of
from d2c.report.terms import Terms
from d2c.shapes import (
    AcceptedPlan,
    Arrived,
    Caps,
    LaneCounts,
    LaneStage,
    ListedTables,
    OperationFile,
    OperationInput,
    QueuedTable,
    QueueFile,
    TableInput,
)
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.operations import accepted_plan, retried_input
from d2c.state.queue import lanes_of
from d2c.state.table_files import read_record
from d2c.state.table_record import compared_input

CALLS_AT_ONCE = 16
# What the list of a migration's tables has of each.
LISTED_FIELDS = ("table", "container", "database", "account", "region", "size_bytes", "item_count")

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_tables(clients: Clients, payload: OperationInput) -> LaneCounts:
    """Find the tables of an operation, write them to the lake and queue them; the result says how many lanes they need.

    What an earlier try queued is left as it is: lanes may have begun with it.
    """
    lake, migration, operation = clients.lake, payload["migration"], payload["operation"]
    path = paths.MigrationFiles(migration).work(operation).queue
    queue: QueueFile | None = lake.read_json(path)
    if queue is None:
        refuse_if_cancelled(lake, payload)
        accepted = accepted_plan(lake, migration)
        plan = Plan.model_validate(accepted["plan"])
        changes = _request(lake, payload)["caps"] if operation else {}
        cluster, prices = cluster_of(clients.settings.cluster), clients.settings.prices
        caps = caps_of(plan, cluster_seconds(cluster, prices), changes)
        tables = _tables(clients, payload, plan, accepted, caps)
        _write_tables(lake, tables)
        queue = {
            "caps": caps,
            "times": times_of(plan),
            "tables": [_queued(table) for table in tables],
        }
        lake.write_json(path, queue)
    return _counts(queue)


def _counts(queue: QueueFile) -> LaneCounts:
    counts: LaneCounts = {"tables": len(queue["tables"]), "export": {}, "copy": 0, "load": 0}
    for lane in lanes_of(queue):
        if lane.stage == "export":
            counts["export"][lane.location] = counts["export"].get(lane.location, 0) + 1
        else:
            counts[lane.stage] += 1
    return counts


def _tables(
    clients: Clients, payload: OperationInput, plan: Plan, accepted: AcceptedPlan, caps: Caps
) -> list[TableInput]:
    """Return the tables of an operation, in the order in which they go."""
    lake, migration, operation = clients.lake, payload["migration"], payload["operation"]
    if payload["kind"] not in MIGRATING:
        return _compared(lake, payload)
    listed: ListedTables | None = lake.read_json(paths.MigrationFiles(migration).tables)
    if listed is not None and listed["operation"] != operation:
        tables = _retried(lake, payload, listed)
    else:
        found = in_order(plan, _resolved(clients, plan, accepted.get("arrived")))
        shares = tables_per_run(found, caps)
        tables = [
            cast("TableInput", {**table, "tables_per_run": share})
            for table, share in zip(found, shares, strict=True)
        ]
        _write_list(lake, migration, tables, operation)
        _write_estimate(clients, migration, tables, caps)
    return [
        cast("TableInput", {"stages": [], **table, "migration": migration, "operation": operation})
        for table in tables
    ]


def _queued(table: TableInput) -> QueuedTable:
    location = location_of(table)
    return {
        "table": table["table"],
        "location": "/".join(part for part in (location.account, location.region) if part),
        "container": f"{table['database']}/{table['container']}",
        "size_bytes": table.get("size_bytes"),
        "items": table["export"]["items"] if "export" in table else None,
        "enters": _entrance(table),
    }


def _entrance(table: TableInput) -> LaneStage:
    """Return the stage at which a table's way begins."""
    if table.get("copy"):
        return "load"
    return "copy" if table.get("export") or table.get("arrived") else "export"


def _write_tables(lake: Lake, tables: Sequence[TableInput]) -> None:
    def write(table: TableInput) -> None:
        path = paths.MigrationFiles(table["migration"]).work(table["operation"]).table(table["table"])
        lake.write_json(path, table)

    side_by_side(write, tables, at_once=CALLS_AT_ONCE)


def _resolved(clients: Clients, plan: Plan, arrived: Arrived | None) -> list[TableInput]:
    """Return all tables that the plan names or that its patterns match.

    Args:
        clients: the app's.
        plan: the migration's.
        arrived: the export that others copied into the lake, of the plan's one table, or None.
    """
    existing = {
        location: clients.dynamodb(*location).list_tables() for location in locations_with_patterns(plan)
    }
    resolved = resolve_tables(plan, existing)
    if not arrived:
        refuse_forbidden(resolved, clients.settings)
    tables = [{**table, **({"arrived": arrived} if arrived else {})} for table in resolved]
    sizes = side_by_side(lambda table: _size(clients, table), tables, at_once=CALLS_AT_ONCE)
    return [cast("TableInput", {**table, **size}) for table, size in zip(tables, sizes, strict=True)]


def _size(clients: Clients, table: Mapping[str, Any]) -> dict[str, int | None]:
    """Return about how large a table is; None for one that cannot be described, for its own migration says why."""
    if table.get("arrived"):
        return {"size_bytes": table["arrived"]["bytes"], "item_count": table["arrived"]["export"]["items"]}
    try:
        described = clients.dynamodb(*location_of(table)).describe_table(table["table"])
    except PermanentError:
        return {"size_bytes": None, "item_count": None}
    return {"size_bytes": described.size_bytes, "item_count": described.item_count}


def _request(lake: Lake, payload: OperationInput) -> OperationFile:
    request: OperationFile = needed_json(
        lake,
        paths.MigrationFiles(payload["migration"]).operation(payload["operation"]),
        f"The request of the {payload['kind']} is no longer in the lake",
        f"Start the {payload['kind']} again.",
    )
    return request


def _retried(lake: Lake, payload: OperationInput, listed: ListedTables) -> list[TableInput]:
    """Return the tables that a retry names, in the order of all, with what their stages found before."""
    migration = payload["migration"]
    entries = {entry["table"]: entry for entry in _request(lake, payload)["tables"]}
    names = [table["table"] for table in listed["tables"] if table["table"] in entries]

    def read(name: str) -> TableInput:
        record = lake.read_json(paths.MigrationFiles(migration).table(name).record)
        if record is None:
            record = lake.read_json(paths.MigrationFiles(migration).work(listed["operation"]).table(name))
        return cast("TableInput", retried_input(record, entries[name]))

    return side_by_side(read, names, at_once=CALLS_AT_ONCE)


def _compared(lake: Lake, payload: OperationInput) -> list[TableInput]:
    """Return the tables of a verify or a replay, with what their records say."""

    def read(entry: Mapping[str, Any]) -> TableInput:
        record = read_record(lake, payload["migration"], entry["table"])
        return compared_input(record, payload["kind"], payload["operation"], entry)

    return side_by_side(read, _request(lake, payload)["tables"], at_once=CALLS_AT_ONCE)


def _write_list(lake: Lake, migration: str, tables: Sequence[TableInput], operation: int) -> None:
    """Write the list of all tables of a migration: at its start, or by a retry if that broke off too early."""
    listed = [{field: table.get(field) for field in LISTED_FIELDS} for table in tables]
    lake.write_json(paths.MigrationFiles(migration).tables, {"operation": operation, "tables": listed})


def _write_estimate(clients: Clients, migration: str, tables: Sequence[TableInput], caps: Caps) -> None:
    """Write the estimate of the migration; a table's own part follows from its record and the basis."""
    settings = clients.settings
    account = clients.cosmos_management.describe_account()
    terms = Terms(
        cluster_of(settings.cluster),
        settings.prices,
        settings.load_bounds,
        max(len(account.regions), 1),
        account.writes_in_all,
    )
    estimate = estimate_of(tables, terms, caps)
    whole = {name: estimate[name] for name in ("basis", "total", "lines", "tables_of_unknown_size")}
    clients.lake.write_json(paths.MigrationFiles(migration).estimate, whole)
