"""What a round of work consists of: the plan's tables in units, and who takes which."""

from collections.abc import Sequence
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from activities.turns import give_places_back
from d2c.app.settings import app_settings
from d2c.app.threads import side_by_side
from d2c.clients.aws.dynamodb import connect_dynamodb
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.errors import PermanentError
from d2c.plan.model import MOST_EXPORT_BYTES, Plan, times_of
from d2c.plan.tables import location_of, locations_with_patterns, resolve_tables
from d2c.plan.units import units_of
from d2c.report.costs import cluster_of
from d2c.report.estimate import estimate_of
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

Json = dict[str, Any]
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_tables(payload: dict) -> Any:
    """Find the tables of a round and write them to the lake, in units; the result says how many lanes they need.

    What an earlier try wrote is left as it is: lanes may have begun with it.
    """
    lake, migration, number = connect_lake(app_settings()), payload["migration"], payload["round"]
    accepted = _accepted(lake, migration)
    plan = Plan.model_validate(accepted["plan"])
    folder = paths.operation_folder(migration, number)
    members = lake.read_json(paths.members_path(folder))
    if members is None:
        listed = lake.read_json(paths.tables_path(migration))
        is_first = listed is None or listed["round"] == number
        tables = (
            _found(plan, accepted.get("arrived")) if is_first else _retried(lake, migration, number, listed)
        )
        units = _units(plan, tables, number)
        if is_first:
            _write_tables(lake, migration, units, number)
            _write_estimate(lake, migration, units, plan.max_parallel_tables)
        write_units(lake, folder, units)
        members = lake.read_json(paths.members_path(folder))
    units = members["units"]
    return {"tables": sum(map(len, units)), "lanes": min(plan.max_parallel_tables, len(units))}


@blueprint.activity_trigger(input_name="payload")
@outcome
def list_revisited(payload: dict) -> Any:
    """Put the tables of a revisit into units; the result says how many lanes they need."""
    lake, migration = connect_lake(app_settings()), payload["migration"]
    asked = lake.read_json(paths.operation_path(migration, "verify", payload["number"]))
    folder = paths.operation_folder(migration, operation_name(payload["operation"], payload["number"]))
    units = units_of(
        [{**table, "size_bytes": None} for table in asked["tables"]],
        order="as_listed",
        share_load_run_below_bytes=0,
        max_tables_per_load_run=1,
        round_number=0,
    )
    write_units(lake, folder, [{**unit, "max_parallel_tables": None} for unit in units])
    return {"lanes": min(asked["max_parallel_tables"], len(units))}


@blueprint.activity_trigger(input_name="payload")
@outcome
def take_unit(payload: dict) -> Any:
    """Take the next unit for a lane; the result is its tables and whether they run together, or None at the end.

    A try that is repeated gets the same unit: the log in which lanes take units says whose each is.
    """
    lake, folder = connect_lake(app_settings()), payload["folder"]
    lane, turn = payload["lane"], payload["turn"]
    if payload.get("unit") is not None:
        give_places_back(lake, payload, payload["unit"])
    path = paths.turns_path(folder)
    lake.append(path, {"lane": lane, "turn": turn})
    number = unit_number(lake.read_log(path), lane, turn)
    return lake.read_json(paths.unit_path(folder, number))


def write_units(lake: Lake, folder: str, units: Sequence[Json]) -> None:
    """Write a round's units, then whose they are, which says that they are all there.

    Args:
        lake: the lake.
        folder: the round's.
        units: each with ``tables``, whole inputs of their orchestrations, and ``together``.
    """

    def write(numbered: tuple[int, Json]) -> None:
        number, unit = numbered
        lake.write_json(paths.unit_path(folder, number), {**unit, "number": number})

    side_by_side(write, enumerate(units), at_once=CALLS_AT_ONCE)
    names = [[table["table"] for table in unit["tables"]] for unit in units]
    lake.write_json(paths.members_path(folder), {"units": names})


def _accepted(lake: Lake, migration: str) -> Json:
    path = paths.plan_path(migration)
    accepted: Json | None = lake.read_json(path)
    if accepted is None:
        raise PermanentError(
            f"The plan of migration {migration} is no longer in the lake: {path}.",
            "Look for what deletes files there.",
        )
    return accepted


def _found(plan: Plan, arrived: Json | None) -> list[Json]:
    """Return the inputs of all tables that the plan names or that its patterns match.

    Args:
        plan: the migration's.
        arrived: the export that others copied into the lake, of the plan's one table, or None.
    """
    settings = app_settings()
    existing = {
        place: connect_dynamodb(settings, *place).list_tables() for place in locations_with_patterns(plan)
    }
    tables = [
        {**table, **({"arrived": arrived} if arrived else {})} for table in resolve_tables(plan, existing)
    ]
    sizes = side_by_side(_size, tables, at_once=CALLS_AT_ONCE)
    return [{**table, **size} for table, size in zip(tables, sizes, strict=True)]


def _size(table: Json) -> Json:
    """Return about how large a table is; of one that cannot be described nothing, for its own migration says why."""
    if table.get("arrived"):
        return {"size_bytes": table["arrived"]["bytes"], "item_count": table["arrived"]["export"]["items"]}
    try:
        described = connect_dynamodb(app_settings(), *location_of(table)).describe_table(table["table"])
    except PermanentError:
        return {"size_bytes": None, "item_count": None}
    return {"size_bytes": described.size_bytes, "item_count": described.item_count}


def _retried(lake: Lake, migration: str, number: int, listed: Json) -> list[Json]:
    """Return the inputs of the tables that a retry was asked for, with what their stages found before."""
    path = paths.operation_path(migration, "retry", number)
    asked = lake.read_json(path)
    if asked is None:
        raise PermanentError(
            f"What the retry was asked is no longer in the lake: {path}.", "Ask for it again."
        )
    units = {entry["table"]: entry["unit"] for entry in listed["tables"]}
    first = paths.operation_folder(migration, listed["round"])

    def read(entry: Json) -> Json:
        name = entry["table"]
        record = lake.read_json(paths.table_record_path(migration, name))
        if record is None:
            unit = lake.read_json(paths.unit_path(first, units[name]))
            record = next(table for table in unit["tables"] if table["table"] == name)
        return retried_input(record, entry)

    return side_by_side(read, asked["tables"], at_once=CALLS_AT_ONCE)


def _units(plan: Plan, tables: Sequence[Json], number: int) -> list[Json]:
    """Return units of tables, each table with what the plan says of all: caps that can be met, and times."""
    units = units_of(
        tables,
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
    caps = {
        "exports": plan.max_parallel_exports,
        "copies": plan.max_parallel_copies,
        "loads": plan.max_parallel_loads,
    }
    slots = {kind: cap if at_once > cap else None for kind, cap in caps.items()}
    if sum(table["size_bytes"] or 0 for table in tables) > MOST_EXPORT_BYTES:
        slots["exports"] = plan.max_parallel_exports
    shared = {"migration": plan.name, "round": number, "slots": slots, "times": times_of(plan)}
    return [
        {
            **unit,
            "tables": [{**table, **shared} for table in unit["tables"]],
            "max_parallel_tables": most_tables,
        }
        for unit in units
    ]


def _write_tables(lake: Lake, migration: str, units: Sequence[Json], number: int) -> None:
    """Write down all tables of a migration, found in a round: its first, or a later one if that broke off too early."""
    tables = [
        {**{field: table.get(field) for field in TABLE_FIELDS}, "unit": number}
        for number, unit in enumerate(units)
        for table in unit["tables"]
    ]
    lake.write_json(paths.tables_path(migration), {"round": number, "tables": tables})


def _write_estimate(lake: Lake, migration: str, units: Sequence[Json], at_once: int) -> None:
    """Write down what the migration is expected to take; a table's own part follows from its record and the basis."""
    settings = app_settings()
    tables = [table for unit in units for table in unit["tables"]]
    found = estimate_of(tables, cluster_of(settings.cluster), settings.prices, at_once)
    kept = {name: found[name] for name in ("basis", "total", "lines", "tables_of_unknown_size")}
    lake.write_json(paths.estimate_path(migration), kept)
