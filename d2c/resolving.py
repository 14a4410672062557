"""From the tables of a plan, some of which are patterns, to the tables that there are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from d2c.errors import PlanError
from d2c.plan import Plan, TablePlan
from d2c.plan_faults import faults_of_sharers, is_pattern

Json = dict[str, Any]


def needs_listing(plan: Plan) -> list[str]:
    """Return the regions whose tables must be listed before the plan's patterns can be resolved."""
    return sorted({_region(plan, entry) for entry in plan.tables if is_pattern(entry.table)})


def resolve_tables(plan: Plan, existing: Mapping[str, Sequence[str]]) -> list[Json]:
    """Return each table's whole settings as plain JSON, in the plan's order, those of a pattern by their names.

    A table that is listed by its name is there whatever `exclude` says and whether or not it exists: its own migration
    tells.

    Args:
        plan: what a user asks for.
        existing: the names of the tables in each region of `needs_listing`.

    Raises:
        PlanError: with every fault that shows only now.
    """
    owners = {region: _owners(plan, region, sorted(names)) for region, names in existing.items()}
    found = [
        (number, plan.table_input(entry, table))
        for number, entry in enumerate(plan.tables)
        for table in _tables_of(entry, owners.get(_region(plan, entry), {}))
    ]
    inputs = [table for _, table in found]
    faults = [
        *_patterns_without_tables(plan, existing),
        *_tables_of_two_regions(found),
        *faults_of_sharers(inputs),
    ]
    if not faults and not inputs:
        faults = ["exclude: it leaves no table to migrate"]
    if faults:
        raise PlanError(faults)
    return inputs


def table_input_of(plan: Plan, table: str, region: str) -> Json | None:
    """Return one table's whole settings as plain JSON, or None if the plan does not speak of it.

    Args:
        plan: what a user asks for.
        table: its name, whether or not it exists any more.
        region: where it is.
    """
    entry = _owners(plan, region, [table]).get(table)
    return None if entry is None else plan.table_input(entry, table)


def _tables_of(entry: TablePlan, owners: Mapping[str, TablePlan]) -> list[str]:
    if not is_pattern(entry.table):
        return [entry.table]
    return [table for table, owner in owners.items() if owner is entry]


def _owners(plan: Plan, region: str, tables: Sequence[str]) -> dict[str, TablePlan]:
    """Return which of a plan's tables stands for each of a region: its name if that is listed, else a pattern."""
    entries = [entry for entry in plan.tables if _region(plan, entry) == region]
    by_name = {entry.table: entry for entry in entries}
    patterns = [entry for entry in entries if is_pattern(entry.table)]
    owners = {}
    for table in tables:
        excluded = any(_matches(table, pattern) for pattern in plan.exclude)
        matching = () if excluded else (entry for entry in patterns if _matches(table, entry.table))
        owner = by_name.get(table) or next(iter(matching), None)
        if owner is not None:
            owners[table] = owner
    return owners


def _region(plan: Plan, entry: TablePlan) -> str:
    return str(entry.region or plan.region)


def _matches(table: str, pattern: str) -> bool:
    return table.startswith(pattern[:-1]) if is_pattern(pattern) else table == pattern


def _patterns_without_tables(plan: Plan, existing: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for number, entry in enumerate(plan.tables):
        region = _region(plan, entry)
        if is_pattern(entry.table) and not any(_matches(table, entry.table) for table in existing[region]):
            yield (
                f"tables.{number}.table: no table in {region} matches {entry.table}; correct the pattern or the "
                "region, or leave it out"
            )


def _tables_of_two_regions(found: Sequence[tuple[int, Json]]) -> Iterator[str]:
    first: dict[str, tuple[int, Json]] = {}
    for number, table in found:
        before, other = first.setdefault(table["table"], (number, table))
        if other is not table:
            yield (
                f"tables.{number}.table: {table['table']} of {table['region']} has the name of a table of "
                f"{other['region']} that is in tables.{before} already; migrate one of them with another plan"
            )
