"""What lanes do with the queue: take tables, pass them on to the next stage, end them."""

from collections.abc import Sequence
from datetime import datetime

import azure.durable_functions as df

from activities.copy_lane.runs import stop_copies_of
from activities.load import request_paths_of, stop_runs_of
from activities.outcome import cancelled_error, is_cancelled, outcome
from activities.table_end import end_table as end
from activities.unit import TABLES_AT_ONCE, end_failed, lane_of, open_tables, read_queue, read_queue_file
from d2c.app import clock
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.plan.schedule import seconds_until_open
from d2c.shapes import (
    ErrorDict,
    LaneInput,
    LostLane,
    OperationInput,
    QueueEntry,
    QueueFile,
    StageEnd,
    StageEntry,
    Take,
    Times,
)
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.queue import Claim, Lane, Queue, lanes_of
from d2c.state.table_files import awaits_indexes, keep, read_table, with_stages
from d2c.state.table_states import state_of

# A claim that another lane was quicker with is tried again at once, this often.
MOST_CLAIMS = 20
# As many tables that a user cancelled end in one turn.
MOST_CANCELLED = 50
# The first idle lane of a stage looks as often as the settings say within these bounds: with 70 lanes that look every
# second or two, as polling for a demo would have them, a host does nothing else.
SHORTEST_IDLE_SECONDS, FIRST_IDLE_SECONDS, LONGEST_IDLE_SECONDS = 1.0, 5.0, 60.0
LONGEST_WAIT_SECONDS = 3600.0
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def take_tables(clients: Clients, payload: LaneInput) -> Take:
    """Take the next tables for a lane; the same lane and turn always get the same."""
    lake, lane, turn = clients.lake, lane_of(payload), payload["turn"]
    path = paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log
    file = read_queue_file(lake, payload)
    for _ in range(MOST_CLAIMS):
        queue, now = Queue(file, lake.read_log(path)), clock.now()
        claim = queue.claim_of(lane, turn)
        if claim:
            return _taken(lake, payload, claim, queue)
        waiting = queue.waiting(lane)
        if queue.is_abandoned or (not waiting and _is_over(queue, lane, file)):
            return {"state": "over"}
        cancelled = _cancelled(lake, payload, waiting)
        held = None if cancelled else _seconds_held(lake, payload, file["times"])
        tables = cancelled or ([] if held else queue.next_tables(lane, now))
        if not tables:
            return _nothing(payload, queue, lane, held, file)
        entry: QueueEntry = {
            "did": "claimed",
            "stage": lane.stage,
            "lane": lane.number,
            "turn": turn,
            "tables": tables,
            "cancelled": bool(cancelled),
            "at": clock.text("milliseconds"),
        }
        lake.append(path, entry)
    return {"state": "idle", "seconds": payload["waits"]["first_seconds"]}


def _cancelled(lake: Lake, payload: LaneInput, waiting: Sequence[str]) -> list[str]:
    """Return which of the tables that wait for a lane a user has cancelled, as many as end in one turn."""
    if not waiting:
        return []
    flag = lake.read_json(paths.MigrationFiles(payload["migration"]).cancel(payload["operation"]))
    return [name for name in waiting if is_cancelled(flag, name)][:MOST_CANCELLED]


def _taken(lake: Lake, payload: LaneInput, claim: Claim, queue: Queue) -> Take:
    """Return what a lane has taken; only a table that began with its copy has an export that others copy."""
    name = claim.tables[0]
    arrived = False
    if claim.stage == "copy" and not claim.cancelled and queue.tables[name]["enters"] == "copy":
        arrived = bool(read_table(lake, payload["migration"], payload["operation"], name).get("arrived"))
    return {
        "state": "taken",
        "table": name,
        "tables": len(claim.tables),
        "cancelled": claim.cancelled,
        "arrived": arrived,
    }


def _nothing(payload: LaneInput, queue: Queue, lane: Lane, held: float | None, file: QueueFile) -> Take:
    """Return when to look again, which is soon for the first idle lanes only; or that the lane is over."""
    if _is_over(queue, lane, file):
        return {"state": "over"}
    first = min(max(payload["waits"]["first_seconds"], SHORTEST_IDLE_SECONDS), FIRST_IDLE_SECONDS)
    seconds = min(first * (queue.rank(lane, lanes_of(file)) + 1), LONGEST_IDLE_SECONDS)
    return {"state": "idle", "seconds": max(seconds, held or 0)}


def _is_over(queue: Queue, lane: Lane, file: QueueFile) -> bool:
    """Return whether nothing can come any more that a lane could take, or no more than idle lanes before it can."""
    return queue.rank(lane, lanes_of(file)) >= queue.to_come(lane)


def _seconds_held(lake: Lake, payload: LaneInput, times: Times) -> float | None:
    """Return for how long nothing may be taken, since it is paused or the window is shut; None if it may."""
    if payload["kind"] not in MIGRATING:
        return None
    if lake.exists(paths.MigrationFiles(payload["migration"]).pause):
        return LONGEST_IDLE_SECONDS
    between = times.get("between")
    if not between:
        return None
    seconds = seconds_until_open(clock.now(), (between[0], between[1]), times["time_zone"])
    return min(seconds, LONGEST_WAIT_SECONDS) if seconds > 0 else None


@blueprint.activity_trigger(input_name="payload")
@outcome
def pass_on(clients: Clients, payload: StageEnd) -> None:
    """Write what a stage found to a table's file, and let the next stage take the table.

    A repeated try changes nothing: the next stage may be writing the file.
    """
    lake, path = clients.lake, paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log
    entry: QueueEntry = {
        "did": "passed",
        "table": payload["table"],
        "stage": "export" if payload["stage"] == "export" else "copy",
        "items": payload["found"]["export"]["items"] if "export" in payload["found"] else None,
        "at": clock.text("milliseconds"),
    }
    names = ("did", "table", "stage")
    if any(all(line.get(name) == entry.get(name) for name in names) for line in lake.read_log(path)):
        return
    table = read_table(lake, payload["migration"], payload["operation"], payload["table"])
    began = table.get("started_at", payload["started_at"])
    keep(
        lake,
        table,
        **payload["found"],
        started_at=began,
        stages=with_stages(table, _stage(payload)),
    )
    lake.append(path, entry)


def _stage(payload: StageEnd) -> StageEntry:
    began, ended = (datetime.fromisoformat(payload[name]) for name in ("started_at", "ended_at"))
    return {
        "stage": payload["stage"],
        "state": state_of(payload["error"]),
        "started_at": payload["started_at"],
        "seconds": round((ended - began).total_seconds(), 3),
    }


@blueprint.activity_trigger(input_name="payload")
@outcome
def end_table(clients: Clients, payload: StageEnd) -> None:
    """End a table that has failed in its export or copy, or was cancelled there."""
    end(
        clients,
        payload,
        payload["table"],
        error=payload["error"],
        stages=[_stage(payload)],
        found=payload["found"],
        restore_error=payload.get("restore_error"),
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def end_tables(clients: Clients, payload: LaneInput) -> int:
    """End the tables that a lane has: with an error, or since a user cancelled them before they were taken.

    The result is how many are spared: those that have been assessed, and wait for a load run of their own.
    """
    lake, error, restore_error = clients.lake, payload.get("error"), payload.get("restore_error")
    flag = lake.read_json(paths.MigrationFiles(payload["migration"]).cancel(payload["operation"]))

    def one(name: str) -> None:
        stage = _stage_of(lake, payload, name)
        if error:
            end_failed(clients, payload, name, stage, error, restore_error=restore_error)
        else:
            cancelled: ErrorDict = {**cancelled_error(flag, payload, name).to_dict(), "stage": stage}
            end(clients, payload, name, error=cancelled, restore_error=restore_error)

    names = open_tables(lake, payload)
    ending = [name for name in names if not _is_spared(lake, payload, name)]
    side_by_side(one, ending, at_once=TABLES_AT_ONCE)
    return len(names) - len(ending)


def _is_spared(lake: Lake, payload: LaneInput, name: str) -> bool:
    if not payload.get("spares_assessed"):
        return False
    table = read_table(lake, payload["migration"], payload["operation"], name)
    return awaits_indexes(table) or ("assessed_in" in table and not payload.get("is_second_run"))


def _stage_of(lake: Lake, payload: LaneInput, name: str) -> str:
    """Return the stage that a table of a lane is in; from its load on, something may have been written."""
    if payload["stage"] != "load":
        return payload["stage"]
    table = read_table(lake, payload["migration"], payload["operation"], name)
    if payload["kind"] not in MIGRATING or "assessed" in table:
        return "load"
    return "assess" if table.get("is_prepared") else "prepare"


@blueprint.activity_trigger(input_name="payload")
@outcome
def end_lost(clients: Clients, payload: LaneInput) -> LostLane:
    """End the tables of a lane whose orchestration ended without a result; another one takes its place.

    What it ran outside is stopped before, as far as that can be: DynamoDB has no way to end an export. The containers
    are free for others then.
    """
    queue, lane = read_queue(clients.lake, payload), lane_of(payload)
    turn = 1 + max((claim.turn for claim in queue.claims.values() if _is_of(claim, lane)), default=-1)
    held = {
        name: claim for claim in queue.claims.values() if _is_of(claim, lane) for name in queue.held_by(claim)
    }
    if lane.stage == "copy" and held:
        stop_copies_of(clients, payload, held, since=min(claim.at for claim in held.values()))
    if lane.stage == "load" and held:
        lists = {path for claim in held.values() for path in request_paths_of(clients.lake, payload, claim)}
        stop_runs_of(clients, lists)
    for name, claim in held.items():
        end_failed(
            clients,
            payload,
            name,
            _stage_of(clients.lake, payload, name),
            payload.get("error") or _lost(),
            began=claim.at,
            restore_error=payload.get("restore_error"),
        )
    return {"turn": turn, "tables": len(held)}


def _is_of(claim: Claim, lane: Lane) -> bool:
    return (claim.stage, claim.lane) == (lane.stage, lane.number)


def _lost() -> ErrorDict:
    return PermanentError(
        "The orchestration of its lane ended without a result.",
        "See the app's log, then retry the table.",
        title="An orchestration ended without a result",
    ).to_dict()


@blueprint.activity_trigger(input_name="payload")
@outcome
def abandon(clients: Clients, payload: OperationInput) -> None:
    """Let no lane take anything any more: one of them cannot, so that tables would wait for it for ever."""
    path = paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log
    clients.lake.append(path, {"did": "abandoned", "at": clock.text("milliseconds")})
