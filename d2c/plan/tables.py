"""Resolve the tables of a plan, including patterns, to existing tables."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from d2c.errors import PlanError
from d2c.plan.model import Plan, TablePlan
from d2c.plan.sharing import faults_of_sharing, with_sharers
from d2c.plan.validation import faults_of_sharers, is_pattern

Json = dict[str, Any]
TableT = TypeVar("TableT", bound=Mapping[str, Any])


class Location(NamedTuple):
    """The location of tables: an AWS account's 12 digits, or None for the account of the settings, and a region."""

    account: str | None
    region: str

    def __str__(self) -> str:
        return f"{self.region} of account {self.account}" if self.account else self.region


def locations_with_patterns(plan: Plan) -> list[Location]:
    """Return the locations whose tables must be listed to resolve the plan's patterns."""
    return _sorted(_place(plan, entry) for entry in plan.tables if is_pattern(entry.table))


def locations_of(plan: Plan) -> list[Location]:
    """Return all locations of a plan's tables."""
    return _sorted(_place(plan, entry) for entry in plan.tables)


def _sorted(places: Iterable[Location]) -> list[Location]:
    return sorted(set(places), key=lambda place: (place.account or "", place.region))


def resolve_tables(plan: Plan, existing: Mapping[Location, Sequence[str]]) -> list[Json]:
    """Return each table's complete settings as plain JSON, in the plan's order, those of a pattern sorted by name.

    A table listed by name is always included, even if it matches `exclude` or does not exist: its own migration then
    reports that.

    Args:
        plan: the user's plan.
        existing: the names of the tables in each location of `locations_with_patterns`.

    Raises:
        PlanError: with all faults that depend on the existing tables.
    """
    matching: defaultdict[int, list[str]] = defaultdict(list)
    for place, names in existing.items():
        for table, owner in _owners(plan, _entries_in(plan, place), sorted(names)).items():
            matching[id(owner)].append(table)
    found = [
        (number, plan.table_input(entry, table))
        for number, entry in enumerate(plan.tables)
        for table in (matching[id(entry)] if is_pattern(entry.table) else [entry.table])
    ]
    inputs = [table for _, table in found]
    faults = [
        *_patterns_without_tables(plan, existing),
        *_tables_of_two_places(found),
        *faults_of_sharers(inputs),
        *faults_of_sharing(inputs),
    ]
    if not faults and not inputs:
        faults = ["exclude: no table remains to migrate"]
    if faults:
        raise PlanError(faults)
    return with_sharers(inputs)


def table_input_of(plan: Plan, table: str, place: Location) -> Json | None:
    """Return one table's complete settings as plain JSON, or None if the plan does not include it.

    Args:
        plan: the user's plan; without an account it matches tables of any account.
        table: the table's name; the table may no longer exist.
        place: the table's location, with its account.
    """
    entries = [*_entries_in(plan, place), *_entries_in(plan, Location(None, place.region))]
    entry = _owners(plan, entries, [table]).get(table)
    return None if entry is None else plan.table_input(entry, table)


def location_of(table: Mapping[str, Any]) -> Location:
    """Return a table's location, from its settings."""
    return Location(table.get("account"), table["region"])


def in_order(plan: Plan, tables: Iterable[TableT]) -> list[TableT]:
    """Return tables as the plan lists them, or the largest first, with those of unknown size before all others.

    Args:
        plan: the user's plan.
        tables: as the plan lists them, with ``size_bytes`` if it is known.
    """
    if plan.order == "as_listed":
        return list(tables)

    def size(table: TableT) -> float:
        known = table.get("size_bytes")
        return math.inf if known is None else float(known)

    return sorted(tables, key=size, reverse=True)


def _entries_in(plan: Plan, place: Location) -> list[TablePlan]:
    return [entry for entry in plan.tables if _place(plan, entry) == place]


def _owners(plan: Plan, entries: Sequence[TablePlan], tables: Sequence[str]) -> dict[str, TablePlan]:
    """Return the plan's entry for each table: the one with its name, otherwise the first matching pattern."""
    by_name = {entry.table: entry for entry in entries}
    patterns = [entry for entry in entries if is_pattern(entry.table)]
    left_out = {name for name in plan.exclude if not is_pattern(name)}
    beginnings = tuple(name[:-1] for name in plan.exclude if is_pattern(name))
    owners = {}
    for table in tables:
        excluded = table in left_out or table.startswith(beginnings)
        matching = () if excluded else (entry for entry in patterns if _matches(table, entry.table))
        owner = by_name.get(table) or next(iter(matching), None)
        if owner is not None:
            owners[table] = owner
    return owners


def _place(plan: Plan, entry: TablePlan) -> Location:
    return Location(entry.account or plan.account, str(entry.region or plan.region))


def _matches(table: str, pattern: str) -> bool:
    return table.startswith(pattern[:-1]) if is_pattern(pattern) else table == pattern


def _patterns_without_tables(plan: Plan, existing: Mapping[Location, Sequence[str]]) -> Iterator[str]:
    for number, entry in enumerate(plan.tables):
        place = _place(plan, entry)
        if is_pattern(entry.table) and not any(_matches(table, entry.table) for table in existing[place]):
            yield (
                f"tables.{number}.table: no table in {place} matches {entry.table}; correct the pattern or the "
                "region, or remove it"
            )


def _tables_of_two_places(found: Sequence[tuple[int, Json]]) -> Iterator[str]:
    first: dict[str, tuple[int, Json]] = {}
    for number, table in found:
        before, other = first.setdefault(table["table"], (number, table))
        if other is not table:
            yield (
                f"tables.{number}.table: {table['table']} of {location_of(table)} has the same name as "
                f"tables.{before} of {location_of(other)}; migrate one of them with another plan"
            )
