"""The status of a migration in the words of the HTTP API, made from the states of its tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from d2c.shapes import ErrorDict, Progress, TableEnd, Waiting
from d2c.state.progress import (
    WHOLE_WAY,
    StageProgress,
    estimated_end,
    percent_of_all,
    percent_of_table,
    progress_of_stage,
)
from d2c.state.stall_rules import Stall
from d2c.state.table_states import STATES, UNDER_WAY, TableState, begin_of, waiting_until, window_of


class TableStatus(TypedDict):
    """A table in the words of the HTTP API."""

    table: str
    state: str
    stage: str | None
    items_exported: int | None
    items_written: int | None
    items_rejected: int | None
    items_expired: int | None
    mismatches: int | None
    percent: float
    progress: StageProgress | None
    eta: str | None
    waiting: Waiting | None
    stalled: Stall | None
    finding: str | None
    error: ErrorDict | None


class TableView(NamedTuple):
    """A table's state at one moment.

    Args:
        by_logs: by the lake's logs.
        status: in the words of the HTTP API; its percent is exact.
        began: when its first stage began, if it is under way.
        seconds_left: how long it still takes at the rate of its stage; None if that does not tell.
    """

    by_logs: TableState
    status: TableStatus
    began: datetime | None = None
    seconds_left: float | None = None


class Times(NamedTuple):
    """The times of a migration at one moment.

    Args:
        now: the moment.
        began: when its current start or retry began; None if it has ended.
        plan: the plan, with its times.
        paused: whether no new stage may start; a migration that has ended is not paused.
        waits_until: the time until which the plan allows no stage to start, if there is one.
    """

    now: datetime
    began: datetime | None
    plan: Mapping[str, Any]
    paused: bool
    waits_until: datetime | None

    def eta(self, began: datetime | None, percent: float, seconds_left: float | None = None) -> str | None:
        """Return the estimated completion time of work that began at a time; None if it cannot be estimated.

        Args:
            began: the time.
            percent: done.
            seconds_left: by the rate of the last minutes, which is better than what took hours before.
        """
        if began is None or self.paused or self.waits_until:
            return None
        if seconds_left is not None:
            return in_seconds(self.now + timedelta(seconds=seconds_left))
        return in_seconds(estimated_end(began, self.now, percent, window_of(self.plan)))


def times_of(plan: Mapping[str, Any], began: datetime | None, is_paused: bool, now: datetime) -> Times:
    """Return the times of a migration.

    Args:
        plan: as it was accepted.
        began: when its current start or retry began; None if it has ended.
        is_paused: whether the migration was suspended.
        now: with an offset.
    """
    if began is None:
        return Times(now, None, plan, paused=False, waits_until=None)
    return Times(now, begin_of(plan, began), plan, is_paused, waiting_until(plan, now))


def sums_of(views: Sequence[TableView], number: int, times: Times) -> dict[str, Any]:
    """Return the totals of a migration's tables.

    Args:
        views: one of each table.
        number: of the last retry, or 0.
        times: the migration's.
    """
    states = Counter(view.status["state"] for view in views)
    statuses = [view.status for view in views]
    items = {
        "exported": sum(status["items_exported"] or 0 for status in statuses),
        "written": sum(status["items_written"] or 0 for status in statuses),
        "rejected": sum(status["items_rejected"] or 0 for status in statuses),
        "expired": sum(status["items_expired"] or 0 for status in statuses),
    }
    # A table that has ended in any state needs no more time.
    current = [_progress(view, of_ended=WHOLE_WAY) for view in views if view.by_logs.operation == number]
    return {
        "paused": times.paused,
        "waiting_until": in_seconds(times.waits_until),
        "counts": {state: states[state] for state in STATES},
        "items": items,
        "percent": int(percent_of_all([_progress(view) for view in views])),
        "eta": times.eta(times.began, percent_of_all(current), _seconds_left(views)),
    }


def _seconds_left(views: Sequence[TableView]) -> float | None:
    """Return how long the last table still takes; None unless the rates of all that are under way tell."""
    left = [view.seconds_left for view in views if view.status["state"] in UNDER_WAY]
    known = [seconds for seconds in left if seconds is not None]
    return max(known) if known and len(known) == len(left) else None


def _progress(view: TableView, of_ended: float | None = None) -> tuple[int | None, float]:
    """Return a table's number of items, None if unknown, and its percent done."""
    exported, percent = view.status["items_exported"], view.status["percent"]
    if of_ended is not None and view.status["state"] not in UNDER_WAY:
        percent = of_ended
    return (view.by_logs.item_count if exported is None else exported), percent


def page_of(
    views: Sequence[TableView], state: str | None, top: int, begin: int
) -> tuple[list[TableView], str | None]:
    """Return a page of tables, and the token of the next page or None.

    Args:
        views: one of each table of the migration.
        state: the state that they are in; any if None.
        top: how many at the most.
        begin: the position of the first one among all, which is the token's text.
    """
    positions = [
        position
        for position in range(begin, len(views))
        if state is None or views[position].status["state"] == state
    ]
    following = str(positions[top]) if len(positions) > top else None
    return [views[position] for position in positions[:top]], following


def shown_table(view: TableView, times: Times, stall: Stall | None) -> TableStatus:
    """Return a table's status with a whole percent, its estimated completion time, and its stall.

    Args:
        view: of the table.
        times: the migration's.
        stall: that the watchdog found, if it found one.
    """
    runs = view.status["state"] == "running"
    stall = stall if runs else None
    is_sound = runs and not stall and not view.status["finding"]
    eta = times.eta(view.began, view.status["percent"], view.seconds_left) if is_sound else None
    return {**view.status, "percent": int(view.status["percent"]), "eta": eta, "stalled": stall}


def in_seconds(moment: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return moment.isoformat(timespec="seconds") if moment else None


def ended_table(end: TableEnd) -> TableStatus:
    """Return the status of a table that has ended, from its line in the log."""
    return _status(end["table"], end["state"], end["stage"], end, error=end["error"])


def table_under_way(
    table: str,
    state: str,
    stage: str | None,
    items: int | None,
    progress: Progress | None = None,
    waiting: Waiting | None = None,
) -> TableStatus:
    """Return the status of a table that has not ended, or that broke off.

    Args:
        table: its name.
        state: its state.
        stage: the stage that a lane runs for it, or that it is ready for; None before the first.
        items: of its export, or None.
        progress: of the stage, at the last poll.
        waiting: what it waits for, or None.
    """
    return _status(table, state, stage, {"items_exported": items}, progress, None, waiting)


def _status(
    table: str,
    state: str,
    stage: str | None,
    counts: Mapping[str, Any],
    progress: Progress | None = None,
    error: ErrorDict | None = None,
    waiting: Waiting | None = None,
) -> TableStatus:
    return {
        "table": table,
        "state": state,
        "stage": stage,
        "items_exported": counts.get("items_exported"),
        "items_written": counts.get("items_written"),
        "items_rejected": counts.get("items_rejected"),
        "items_expired": counts.get("items_expired"),
        "mismatches": counts.get("mismatches"),
        "percent": percent_of_table(state, stage, progress),
        "progress": progress_of_stage(stage, progress),
        "eta": None,
        "waiting": waiting,
        "stalled": None,
        "finding": (progress or {}).get("finding"),
        "error": error,
    }
