"""What a round of work consists of: the plan's tables in units, and who takes which."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import azure.durable_functions as df

from activities.outcome import outcome
from activities.turns import give_places_back
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.plan.model import MOST_EXPORT_BYTES, Plan, times_of
from d2c.plan.tables import location_of, locations_with_patterns, resolve_tables
from d2c.plan.units import units_of
from d2c.report.costs import cluster_of
from d2c.report.estimate import estimate_of
from d2c.shapes import (
    AcceptedPlan,
    Arrived,
    LaneCount,
    LaneInput,
    ListedTables,
    Members,
    MigrationInput,
    OperationFile,
    OperationInput,
    Slots,
    TableInput,
    Unit,
)
from d2c.state import paths
from d2c.state.ids import operation_name
from d2c.state.operations import retried_input
from d2c.state.queues import unit_number

CALLS_AT_ONCE = 16
# What a table that runs has no need to carry along.
TABLE_FIELDS = (
    "table",
    "container",
    "database",
    "account",
    "region",
    "size_bytes",
    "item_count",
    "load_group",
)

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_tables(clients: Clients, payload: MigrationInput) -> LaneCount:
    """Find the tables of a round and write them to the lake, in units; the result says how many lanes they need.

    What an earlier try wrote is left as it is: lanes may have begun with it.
    """
    lake, migration, number = clients.lake, payload["migration"], payload["round"]
    accepted = _accepted(lake, migration)
    plan = Plan.model_validate(accepted["plan"])
    folder = paths.operation_folder(migration, number)
    members: Members | None = lake.read_json(paths.members_path(folder))
    if members is None:
        listed: ListedTables | None = lake.read_json(paths.tables_path(migration))
        if listed is None or listed["round"] == number:
            units = _units(plan, _resolved(clients, plan, accepted.get("arrived")), number)
            _write_tables(lake, migration, units, number)
            _write_estimate(clients, migration, units, plan.max_parallel_tables)
        else:
            units = _units(plan, _retried(lake, migration, number, listed), number)
        members = write_units(lake, folder, units)
    return {
        "tables": sum(map(len, members["units"])),
        "lanes": min(plan.max_parallel_tables, len(members["units"])),
    }


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_revisited(clients: Clients, payload: OperationInput) -> LaneCount:
    """Put the tables of a revisit into units; the result says how many lanes they need."""
    lake, migration = clients.lake, payload["migration"]
    operation: OperationFile = lake.read_json(paths.operation_path(migration, "verify", payload["number"]))
    folder = paths.operation_folder(migration, operation_name(payload["operation"], payload["number"]))
    units = units_of(
        [{**table, "size_bytes": None} for table in operation["tables"]],
        order="as_listed",
        share_load_run_below_bytes=0,
        max_tables_per_load_run=1,
        round_number=0,
    )
    write_units(lake, folder, [cast("Unit", {**unit, "max_parallel_tables": None}) for unit in units])
    return {"lanes": min(operation["max_parallel_tables"], len(units))}


@blueprint.activity_trigger(input_name="payload")
@outcome
def take_unit(clients: Clients, payload: LaneInput) -> Unit | None:
    """Take the next unit for a lane; the result is its tables and whether they run together, or None at the end.

    A try that is repeated gets the same unit: the log in which lanes take units says whose each is.
    """
    lake, folder = clients.lake, payload["folder"]
    lane, turn, last = payload["lane"], payload["turn"], payload.get("unit")
    if last is not None:
        give_places_back(lake, payload, last)
    path = paths.turns_path(folder)
    lake.append(path, {"lane": lane, "turn": turn})
    number = unit_number(lake.read_log(path), lane, turn)
    unit: Unit | None = lake.read_json(paths.unit_path(folder, number))
    return unit


def write_units(lake: Lake, folder: str, units: Sequence[Unit]) -> Members:
    """Write a round's units, then their members, which says that they are all there; the result is the members.

    Args:
        lake: the lake.
        folder: the round's.
        units: each with ``tables``, whole inputs of their orchestrations, and ``together``.
    """

    def write(numbered: tuple[int, Unit]) -> None:
        number, unit = numbered
        lake.write_json(paths.unit_path(folder, number), {**unit, "number": number})

    side_by_side(write, enumerate(units), at_once=CALLS_AT_ONCE)
    members: Members = {"units": [[table["table"] for table in unit["tables"]] for unit in units]}
    lake.write_json(paths.members_path(folder), members)
    return members


def _accepted(lake: Lake, migration: str) -> AcceptedPlan:
    path = paths.plan_path(migration)
    accepted: AcceptedPlan | None = lake.read_json(path)
    if accepted is None:
        raise PermanentError(
            f"The plan of migration {migration} is no longer in the lake: {path}.",
            "Look for what deletes files there.",
        )
    return accepted


def _resolved(clients: Clients, plan: Plan, arrived: Arrived | None) -> list[TableInput]:
    """Return the inputs of all tables that the plan names or that its patterns match.

    Args:
        clients: the app's.
        plan: the migration's.
        arrived: the export that others copied into the lake, of the plan's one table, or None.
    """
    existing = {place: clients.dynamodb(*place).list_tables() for place in locations_with_patterns(plan)}
    tables = [
        {**table, **({"arrived": arrived} if arrived else {})} for table in resolve_tables(plan, existing)
    ]
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


def _retried(lake: Lake, migration: str, number: int, listed: ListedTables) -> list[TableInput]:
    """Return the inputs of the tables that a retry names, with what their stages found before."""
    path = paths.operation_path(migration, "retry", number)
    retry = lake.read_json(path)
    if retry is None:
        raise PermanentError(f"The request of the retry is no longer in the lake: {path}.", "Retry again.")
    units = {entry["table"]: entry["unit"] for entry in listed["tables"]}
    first = paths.operation_folder(migration, listed["round"])

    def read(entry: Mapping[str, Any]) -> TableInput:
        name = entry["table"]
        record = lake.read_json(paths.table_record_path(migration, name))
        if record is None:
            unit: Unit = lake.read_json(paths.unit_path(first, units[name]))
            record = next(table for table in unit["tables"] if table["table"] == name)
        return cast("TableInput", retried_input(record, entry))

    return side_by_side(read, retry["tables"], at_once=CALLS_AT_ONCE)


def _units(plan: Plan, tables: Sequence[TableInput], number: int) -> list[Unit]:
    """Return units of tables, each table with what the plan says of all: caps that can be met, and times."""
    units = units_of(
        cast("Sequence[dict[str, Any]]", tables),
        order=plan.order,
        share_load_run_below_bytes=plan.share_load_run_below_bytes,
        max_tables_per_load_run=min(plan.max_tables_per_load_run, plan.max_parallel_tables),
        round_number=number,
    )
    # A cap that cannot be reached needs no slots.
    widest = sorted((len(unit["tables"]) if unit["together"] else 1 for unit in units), reverse=True)
    at_once = sum(widest[: plan.max_parallel_tables])
    most_tables = plan.max_parallel_tables if at_once > plan.max_parallel_tables else None
    at_once = min(at_once, plan.max_parallel_tables)
    shared = {
        "migration": plan.name,
        "round": number,
        "slots": _slots(plan, tables, at_once),
        "times": times_of(plan),
    }
    return [
        {
            "tables": [cast("TableInput", {**table, **shared}) for table in unit["tables"]],
            "together": unit["together"],
            "max_parallel_tables": most_tables,
        }
        for unit in units
    ]


def _slots(plan: Plan, tables: Sequence[TableInput], at_once: int) -> Slots:
    """Return the caps that so many tables at once can exceed."""

    def slots(cap: int) -> int | None:
        return cap if at_once > cap else None

    is_too_large = sum(table["size_bytes"] or 0 for table in tables) > MOST_EXPORT_BYTES
    return {
        "exports": plan.max_parallel_exports if is_too_large else slots(plan.max_parallel_exports),
        "copies": slots(plan.max_parallel_copies),
        "loads": slots(plan.max_parallel_loads),
    }


def _write_tables(lake: Lake, migration: str, units: Sequence[Unit], number: int) -> None:
    """Write the list of all tables of a migration: by its first round, or a later one if that broke off too early."""
    tables = [
        {**{field: table.get(field) for field in TABLE_FIELDS}, "unit": number}
        for number, unit in enumerate(units)
        for table in unit["tables"]
    ]
    lake.write_json(paths.tables_path(migration), {"round": number, "tables": tables})


def _write_estimate(clients: Clients, migration: str, units: Sequence[Unit], at_once: int) -> None:
    """Write the estimate of the migration; a table's own part follows from its record and the basis."""
    settings = clients.settings
    tables = [table for unit in units for table in unit["tables"]]
    estimate = estimate_of(tables, cluster_of(settings.cluster), settings.prices, at_once)
    whole = {name: estimate[name] for name in ("basis", "total", "lines", "tables_of_unknown_size")}
    clients.lake.write_json(paths.estimate_path(migration), whole)
