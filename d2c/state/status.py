"""How a whole migration stands, in the words of the HTTP API: made of how each of its tables does."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from d2c.state.progress import WHOLE_WAY, estimated_arrival, percent_of_all, percent_of_table
from d2c.state.table_states import STATES, UNDER_WAY, TableState, begin_of, waiting_until, window_of

Json = dict[str, Any]

ITEMS = ("exported", "written", "rejected", "expired")


class TableView(NamedTuple):
    """What one look at a table saw.

    Args:
        standing: how it stands by the lake's logs.
        table: how it stands, in the words of the HTTP API; its percent is exact.
        began: when its orchestration began, if it is under way.
    """

    standing: TableState
    table: Json
    began: datetime | None = None


class Times(NamedTuple):
    """When a migration was looked at, and what holds it.

    Args:
        now: the time of the look.
        began: when the round of work that is under way began; None if none is.
        plan: the plan, whose times count.
        paused: whether no new stage is to begin; what has ended is not paused.
        waits_until: until when the plan's times hold back what has not begun, if they do.
    """

    now: datetime
    began: datetime | None
    plan: Mapping[str, Any]
    paused: bool
    waits_until: datetime | None

    def arrival(self, began: datetime | None, percent: float) -> str | None:
        """Return when a way that began at a time may be over; None if nobody can tell."""
        if began is None or self.paused or self.waits_until:
            return None
        return in_seconds(estimated_arrival(began, self.now, percent, window_of(self.plan)))


def times_of(plan: Mapping[str, Any], began: datetime | None, is_paused: bool, now: datetime) -> Times:
    """Return when a migration is looked at, and what holds it.

    Args:
        plan: as it was accepted.
        began: when the round of work that is under way began; None if none is.
        is_paused: whether the migration was suspended.
        now: with an offset.
    """
    if began is None:
        return Times(now, None, plan, paused=False, waits_until=None)
    return Times(now, begin_of(plan, began), plan, is_paused, waiting_until(plan, now))


def sums_of(looks: Sequence[TableView], number: int, times: Times) -> Json:
    """Return what a migration's tables come to together.

    Args:
        looks: one at each table.
        number: the round of work that was begun last.
        times: of the looks.
    """
    states = Counter(look.table["state"] for look in looks)
    items = {name: sum(look.table[f"items_{name}"] or 0 for look in looks) for name in ITEMS}
    # Whatever a table came to, it needs no more time once it has ended.
    left = [_way(look, is_over=WHOLE_WAY) for look in looks if look.standing.round == number]
    return {
        "paused": times.paused,
        "waiting_until": in_seconds(times.waits_until),
        "counts": {state: states[state] for state in STATES},
        "items": items,
        "percent": int(percent_of_all([_way(look) for look in looks])),
        "eta": times.arrival(times.began, percent_of_all(left)),
    }


def _way(look: TableView, is_over: float | None = None) -> tuple[int | None, float]:
    """Return how many items a table has, as far as it is known, and how much of its way is behind it."""
    exported, percent = look.table["items_exported"], look.table["percent"]
    if is_over is not None and look.table["state"] not in UNDER_WAY:
        percent = is_over
    return (look.standing.item_count if exported is None else exported), percent


def page_of(
    looks: Sequence[TableView], state: str | None, top: int, begin: int
) -> tuple[list[TableView], str | None]:
    """Return a page of tables, and the token of the next page or None.

    Args:
        looks: one at each table of the migration.
        state: the state that they are to be in; any if None.
        top: how many at the most.
        begin: the place of the first one among all, which is what a token says.
    """
    places = [
        place for place in range(begin, len(looks)) if state is None or looks[place].table["state"] == state
    ]
    following = str(places[top]) if len(places) > top else None
    return [looks[place] for place in places[:top]], following


def shown_table(look: TableView, times: Times, stalled: Mapping[str, Any] | None) -> Json:
    """Return a table with whole percents, its time of arrival, and the stall that the watch found.

    Args:
        look: at the table.
        times: of the look.
        stalled: what the watch says of the table, if it does not get on.
    """
    runs = look.table["state"] == "running"
    stalled = stalled if runs else None
    eta = times.arrival(look.began, look.table["percent"]) if runs and not stalled else None
    return {**look.table, "percent": int(look.table["percent"]), "eta": eta, "stalled": stalled}


def in_seconds(moment: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return moment.isoformat(timespec="seconds") if moment else None


COUNTS = ("items_exported", "items_written", "items_rejected", "items_expired", "mismatches")


def ended_table(end: Mapping[str, Any]) -> Json:
    """Return how a table stands that has ended, from its line in the log."""
    return _described(end["table"], end["state"], end["stage"], end, error=end["error"])


def pending_table(table: str) -> Json:
    """Return how a table stands whose turn has not come."""
    return _described(table, "pending", None, {})


def table_under_way(
    table: str,
    state: str,
    shown: Mapping[str, Any],
    progress: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
) -> Json:
    """Return how a table stands whose orchestration was looked at.

    Args:
        table: its name.
        state: its orchestration's state.
        shown: its orchestration's custom status, by `orchestrators.stage_log`.
        progress: what the stage that it waits in found at its last look, if anything.
        error: why it failed, or None.
    """
    stage = (error or {}).get("stage") or _stage(shown, progress)
    waiting = shown.get("waiting")
    if (progress or {}).get("waits_for"):
        waiting = {"for": "group", "until": None}
    return _described(table, state, stage, shown, progress, error, waiting)


def _stage(shown: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str:
    """Return the stage under way; of those that share a load run, the run itself tells."""
    stages = (progress or {}).get("stages")
    stage: str = stages[-1]["stage"] if stages else shown.get("stage", "export")
    return stage


def _described(
    table: str,
    state: str,
    stage: str | None,
    counts: Mapping[str, Any],
    progress: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    waiting: Mapping[str, Any] | None = None,
) -> Json:
    return {
        "table": table,
        "state": state,
        "stage": stage,
        **{name: counts.get(name) for name in COUNTS},
        "percent": percent_of_table(state, stage, progress),
        "eta": None,
        "waiting": waiting,
        "stalled": None,
        "error": error,
    }
