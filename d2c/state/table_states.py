"""The states of a migration's tables, what they wait for, and which stage holds it back: by queue and log of ends."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

from d2c.plan.schedule import Window, seconds_until_open
from d2c.shapes import ErrorDict, LaneStage, ListedTable, QueueFile, State, TableEnd, Waiting, WaitingFor
from d2c.state.queue import STAGES, Lane, Queue, lanes_of

STATES = ("pending", "running", "succeeded", "failed", "cancelled")
UNDER_WAY = ("pending", "running")
# Every reason why a stage has not begun, in the words of the HTTP API.
REASONS: tuple[str, ...] = get_args(WaitingFor)


class TableState(NamedTuple):
    """The state of a table.

    Args:
        table: its name.
        state: its state.
        operation: the number of the last start or retry that includes it.
        item_count: DynamoDB's count of its items, or None.
        end: its line in the log of tables that ended; None unless it has ended in that operation.
    """

    table: str
    state: str
    operation: int
    item_count: int | None
    end: TableEnd | None


def state_of(error: ErrorDict | None) -> State:
    """Return the state in which an error, or none, ends a table or a migration."""
    if error is None:
        return "succeeded"
    return "cancelled" if error["cancelled"] else "failed"


def named_tables(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tables that a plan names: all that is known until its patterns are resolved."""
    return [entry for entry in plan["tables"] if not entry["table"].endswith("*")]


def states_of_tables(
    tables: Sequence[Mapping[str, Any]] | Sequence[ListedTable],
    number: int,
    queue: Queue | None,
    ended: Sequence[TableEnd],
) -> list[TableState]:
    """Return the state of each table of a migration, in the given order.

    Args:
        tables: as `tables.json` lists them, or as the plan names them.
        number: of the last retry, or 0.
        queue: that operation's; None while its tables are not listed.
        ended: the log of tables that ended, in any operation.
    """
    last = {line["table"]: line for line in ended}

    def table_state(entry: Mapping[str, Any]) -> TableState:
        name = entry["table"]
        is_queued, line = queue is not None and name in queue.tables, last.get(name)
        count = entry.get("item_count")
        if line and (line["operation"] >= number or not is_queued):
            return TableState(name, line["state"], line["operation"], count, line)
        if queue and name in queue.positions:
            return TableState(name, "running" if name in queue.begun else "pending", number, count, None)
        if queue and name in queue.ends:
            return TableState(name, queue.ends[name].state, number, count, None)
        # A table without a line, which a later retry does not name, broke off.
        return TableState(name, "failed" if queue else "pending", number if is_queued else 0, count, None)

    return [table_state(entry) for entry in tables]


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


class StageLoad(NamedTuple):
    """How busy a stage is: its lanes, those that have tables, and the tables that wait for one."""

    lanes: int
    busy: int
    waiting: int


def waiting_of(queue: Queue, name: str, held: Waiting | None) -> Waiting | None:
    """Return what a table waits for; None if a lane has it, or it has ended.

    Args:
        queue: the operation's.
        name: the table's.
        held: what holds every table back, if there is something.
    """
    position = queue.positions.get(name)
    if position is None or position.claim:
        return None
    if held:
        return held
    reason = queue.why_held(name)
    if reason:
        return {"for": reason, "until": None, "place": None}
    return {"for": f"{position.stage}_lane", "until": None, "place": queue.place_in_queue(name)}


def loads_of_stages(queue: Queue, file: QueueFile) -> dict[LaneStage, StageLoad]:
    """Return how busy each stage is."""
    lanes = lanes_of(file)
    return {
        stage: StageLoad(
            lanes=sum(lane.stage == stage for lane in lanes),
            busy=sum(lane.stage == stage and queue.is_busy(lane) for lane in lanes),
            waiting=len(queue.waiting(Lane(stage, 0))),
        )
        for stage in STAGES
    }


def held_back_by(loads: dict[LaneStage, StageLoad]) -> LaneStage | None:
    """Return the stage that holds a migration back: all its lanes are busy, and most tables wait for one of them."""
    full = [stage for stage, load in loads.items() if load.lanes and load.busy == load.lanes and load.waiting]
    return max(full, key=lambda stage: loads[stage].waiting / loads[stage].lanes, default=None)
