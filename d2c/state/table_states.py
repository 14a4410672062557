"""How a migration's tables stand, as far as the files tell that lanes and ended tables leave in the lake."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from d2c.plan.schedule import Window, seconds_until_open

STATES = ("pending", "running", "succeeded", "failed", "cancelled")
UNDER_WAY = ("pending", "running")

Entry = Mapping[str, Any]


class TableState(NamedTuple):
    """How a table stands.

    Args:
        table: its name.
        state: its state; of one that is ``running``, its orchestration knows better.
        round: the last round of work that it takes part in.
        item_count: how many items DynamoDB said that it has, or None.
        end: its line in the log of tables that ended; None unless it has ended in its round.
    """

    table: str
    state: str
    round: int
    item_count: int | None
    end: Entry | None


def named_tables(plan: Mapping[str, Any]) -> list[Entry]:
    """Return the tables that a plan names, which is all that is known before its patterns are resolved."""
    return [entry for entry in plan["tables"] if not entry["table"].endswith("*")]


def standings(
    tables: Sequence[Entry],
    number: int,
    units: Sequence[Sequence[str]],
    turns: Sequence[Entry],
    ended: Sequence[Entry],
) -> list[TableState]:
    """Return how each table of a migration stands, in the order in which they are given.

    Args:
        tables: as `tables.json` lists them, or as the plan names them.
        number: the round of work that was begun last.
        units: the names of that round's tables, unit by unit; empty while it is not known.
        turns: the log in which that round's lanes take units.
        ended: the log of tables that ended, in whatever round.
    """
    last = {line["table"]: line for line in ended}
    containers = {entry["table"]: (entry.get("database"), entry.get("container")) for entry in tables}
    members = {name for unit in units for name in unit}
    finished = {name for name, line in last.items() if name not in members or line["round"] >= number}
    taken = units[: len({(entry["lane"], entry["turn"]) for entry in turns})]
    begun = {name for unit in taken for name in _under_way(unit, finished, containers)}

    def standing(entry: Entry) -> TableState:
        name = entry["table"]
        end = last[name] if name in finished else None
        if end:
            state, in_round = end["state"], end["round"]
        else:
            # Who took part in an earlier round and left no line there broke off; its orchestration tells how.
            is_lost = number > 0 and bool(units) and name not in members
            state = "running" if name in begun or is_lost else "pending"
            in_round = number if name in members else 0
        return TableState(name, state, in_round, entry.get("item_count"), end)

    return [standing(entry) for entry in tables]


def _under_way(unit: Sequence[str], finished: set[str], containers: Mapping[str, Any]) -> Iterator[str]:
    """Yield which tables of a unit that was taken are under way: all at once, but one for each container."""
    busy = set()
    for name in unit:
        container = containers.get(name, name)
        if name not in finished and container not in busy:
            busy.add(container)
            yield name


def window_of(plan: Mapping[str, Any]) -> Window | None:
    """Return the hours of the day in which a plan's stages may begin; None if those are all."""
    between = plan.get("between")
    return Window(between[0], between[1], plan.get("time_zone") or "UTC") if between else None


def begin_of(plan: Mapping[str, Any], started_at: datetime) -> datetime:
    """Return when the first table of a round of work could begin: once it was started, and the plan let it."""
    start_at = plan.get("start_at")
    return max(started_at, datetime.fromisoformat(start_at)) if start_at else started_at


def waiting_until(plan: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return until when a plan's times hold back what has not begun; None if it may go on.

    Args:
        plan: as it was accepted.
        now: with an offset.
    """
    moment, window = begin_of(plan, now), window_of(plan)
    if window:
        seconds = seconds_until_open(moment, (window.opens, window.closes), window.time_zone)
        moment += timedelta(seconds=seconds)
    return moment.astimezone(UTC) if moment > now else None
