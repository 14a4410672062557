"""The states of a migration's tables, by the files that lanes and ended tables write to the lake."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from d2c.plan.schedule import Window, seconds_until_open
from d2c.shapes import ListedTable, TableEnd

STATES = ("pending", "running", "succeeded", "failed", "cancelled")
UNDER_WAY = ("pending", "running")


class TableState(NamedTuple):
    """The state of a table.

    Args:
        table: its name.
        state: its state; that of a ``running`` one is confirmed by its orchestration.
        retry: the number of the last retry that includes it, or 0.
        item_count: DynamoDB's count of its items, or None.
        end: its line in the log of tables that ended; None unless it has ended in its last retry.
    """

    table: str
    state: str
    retry: int
    item_count: int | None
    end: TableEnd | None


def named_tables(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tables that a plan names: all that is known until its patterns are resolved."""
    return [entry for entry in plan["tables"] if not entry["table"].endswith("*")]


def states_of_tables(
    tables: Sequence[Mapping[str, Any]] | Sequence[ListedTable],
    number: int,
    units: Sequence[Sequence[str]],
    turns: Sequence[Mapping[str, Any]],
    ended: Sequence[TableEnd],
) -> list[TableState]:
    """Return the state of each table of a migration, in the given order.

    Args:
        tables: as `tables.json` lists them, or as the plan names them.
        number: of the last retry, or 0.
        units: the names of that retry's tables, unit by unit; empty while they are not listed.
        turns: the log in which that retry's lanes take units.
        ended: the log of tables that ended, in any retry.
    """
    last = {line["table"]: line for line in ended}
    containers = {entry["table"]: (entry.get("database"), entry.get("container")) for entry in tables}
    members = {name for unit in units for name in unit}
    finished = {name for name, line in last.items() if name not in members or line["round"] >= number}
    taken = units[: len({(entry["lane"], entry["turn"]) for entry in turns})]
    begun = {name for unit in taken for name in _under_way(unit, finished, containers)}

    def state_of(entry: Mapping[str, Any]) -> TableState:
        name = entry["table"]
        end = last[name] if name in finished else None
        state: str
        if end:
            state, retry = end["state"], end["round"]
        else:
            # A table of an earlier retry without a line in the log broke off; its orchestration has the cause.
            is_lost = number > 0 and bool(units) and name not in members
            state = "running" if name in begun or is_lost else "pending"
            retry = number if name in members else 0
        return TableState(name, state, retry, entry.get("item_count"), end)

    return [state_of(entry) for entry in tables]


def _under_way(unit: Sequence[str], finished: set[str], containers: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables of a taken unit that are under way: all at once, but one for each container."""
    busy = set()
    for name in unit:
        container = containers.get(name, name)
        if name not in finished and container not in busy:
            busy.add(container)
            yield name


def window_of(plan: Mapping[str, Any]) -> Window | None:
    """Return the hours of the day in which a plan's stages may start; None if all."""
    between = plan.get("between")
    return Window(between[0], between[1], plan.get("time_zone") or "UTC") if between else None


def begin_of(plan: Mapping[str, Any], started_at: datetime) -> datetime:
    """Return the time when the first table could start: that of the start or retry, or the plan's ``start_at``."""
    start_at = plan.get("start_at")
    return max(started_at, datetime.fromisoformat(start_at)) if start_at else started_at


def waiting_until(plan: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the time until which a plan allows no stage to start; None if stages may start now.

    Args:
        plan: as it was accepted.
        now: with an offset.
    """
    moment, window = begin_of(plan, now), window_of(plan)
    if window:
        seconds = seconds_until_open(moment, (window.opens, window.closes), window.time_zone)
        moment += timedelta(seconds=seconds)
    return moment.astimezone(UTC) if moment > now else None
