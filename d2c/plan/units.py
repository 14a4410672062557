"""Group a plan's tables into units: tables that run together or one after another, in order."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from d2c.plan.tables import Location, location_of

Json = dict[str, Any]
Group = list[Json]


def units_of(
    tables: Sequence[Json],
    *,
    order: str,
    share_load_run_below_bytes: int,
    max_tables_per_load_run: int,
    round_number: int,
) -> list[Json]:
    """Group the tables of an operation into units, in the order in which lanes take them.

    Tables that share a container are one unit and run one after another. Small tables of a location run together
    and share a load run, since starting a cluster costs more than loading one of them. Any other table is a unit alone.

    Args:
        tables: complete inputs of the tables' orchestrations in the plan's order, with ``size_bytes``, None if unknown.
        order: ``largest_first``, with tables of unknown size before all others, or ``as_listed``.
        share_load_run_below_bytes: a table of at least this size has a load run of its own.
        max_tables_per_load_run: the most tables in a shared load run.
        round_number: the first part of the load groups' ids.

    Returns:
        For each unit its ``tables`` and whether they run ``together``. Each table has ``load_group``: the ``id`` and
        the names of the ``tables`` that share its load run, or None.
    """
    place = {table["table"]: number for number, table in enumerate(tables)}

    def turn(group: Group) -> tuple[float, int]:
        size = _total_bytes(group) if order == "largest_first" else 0
        return -size, min(place[table["table"]] for table in group)

    ordered = sorted(tables, key=lambda table: turn([table]))
    groups = sorted(
        _groups(ordered, share_load_run_below_bytes, max_tables_per_load_run), key=lambda of: turn(of[0])
    )
    return [
        _unit(group, together, f"{round_number}-{number}") for number, (group, together) in enumerate(groups)
    ]


def _groups(tables: Sequence[Json], below_bytes: int, most: int) -> Iterator[tuple[Group, bool]]:
    """Yield the tables of each unit, and whether they run together."""
    sharers: defaultdict[tuple[str, str], Group] = defaultdict(list)
    for table in tables:
        sharers[table["database"], table["container"]].append(table)
    small: defaultdict[Location, Group] = defaultdict(list)
    for group in sharers.values():
        if len(group) == 1 and _total_bytes(group) < below_bytes:
            small[location_of(group[0])] += group
        else:
            yield group, False
    for group in small.values():
        for part in _even_parts(group, most):
            yield part, len(part) > 1


def _unit(group: Group, together: bool, load_group: str) -> Json:
    shared = {"id": load_group, "tables": [table["table"] for table in group]} if together else None
    return {"tables": [{**table, "load_group": shared} for table in group], "together": together}


def _total_bytes(group: Group) -> float:
    return sum(math.inf if table["size_bytes"] is None else table["size_bytes"] for table in group)


def _even_parts(group: Group, most: int) -> Iterator[Group]:
    """Divide a group into the fewest possible parts of about equal size, so that no table remains alone."""
    count = math.ceil(len(group) / most)
    for part in range(count):
        yield group[part * len(group) // count : (part + 1) * len(group) // count]
