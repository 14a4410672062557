"""What the activities of a unit share: its tables, each with an outcome of its own, worked on side by side."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from activities.outcome import cancelled_error, is_cancelled, log_error, unexpected
from activities.table_end import end_table
from d2c.app.logs import log_fields
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake, needed_json
from d2c.clients.clients import Clients
from d2c.errors import (
    BusyError,
    CancelledError,
    D2CError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SettingsError,
    TransientError,
)
from d2c.shapes import ErrorDict, LaneInput, Look, QueueFile, StageEntry, TableInput
from d2c.state import paths
from d2c.state.queue import Claim, Lane, Queue
from d2c.state.table_files import awaits_indexes, keep, read_table
from d2c.state.table_states import state_of

TABLES_AT_ONCE = 16
# One less than looks in a row may fail (`orchestrators.retrying`): a table that ends by then takes no other with it.
MOST_FAILURES = 39
# Errors that another try does not heal.
PERMANENT = (NotFoundError, PermanentError, RefusedError, SettingsError)

logger = logging.getLogger(__name__)


def read_queue(lake: Lake, payload: LaneInput) -> Queue:
    """Return the queue of an operation as it is now."""
    log = lake.read_log(paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log)
    return Queue(read_queue_file(lake, payload), log)


def read_queue_file(lake: Lake, payload: LaneInput) -> QueueFile:
    """Return the caps and the tables that a queue began with.

    Raises:
        PermanentError: if the file is gone.
    """
    file: QueueFile = needed_json(
        lake,
        paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue,
        f"The queue of migration {payload['migration']} is no longer in the lake",
        "Look for what deletes files there, then retry the migration.",
    )
    return file


def lane_of(payload: LaneInput) -> Lane:
    """Return the lane that an activity works for."""
    return Lane(payload["stage"], payload["lane"], payload["location"])


def open_tables(lake: Lake, payload: LaneInput) -> list[str]:
    """Return the tables that a lane has and that have neither passed on nor ended."""
    queue = read_queue(lake, payload)
    claim: Claim | None = queue.claim_of(lane_of(payload), payload["turn"])
    return queue.held_by(claim) if claim else []


def for_each(
    clients: Clients,
    payload: LaneInput,
    names: Sequence[str],
    stage: str,
    act: Callable[[TableInput], bool],
    stop: Callable[[str], None] | None = None,
    has_news: Callable[[str], bool] | None = None,
) -> list[str]:
    """Do something for each table of a unit; the result is the tables for which it is not done yet.

    A table that fails, or that a user cancels, ends alone. Once all are cancelled together, the unit's own activity is.

    Args:
        clients: the app's.
        payload: the lane's.
        names: the tables.
        stage: the stage, in which a table fails.
        act: returns whether it is done; what may heal is raised once all others have been looked at, until it has
            failed so often that the table ends by it, lest it take the others with it.
        stop: called with the name of a table that is cancelled, before it ends.
        has_news: returns whether there is something to do for a table, at less cost than reading its file; None if
            there may be for each. What fails in it for the moment is no failure of the table.

    Raises:
        CancelledError: if every table has been cancelled.
        TransientError: the first one.
    """
    flag = clients.lake.read_json(paths.MigrationFiles(payload["migration"]).cancel(payload["operation"]))
    cancelled = {name: cancelled_error(flag, payload, name) for name in names if is_cancelled(flag, name)}
    if names and len(cancelled) == len(names):
        raise cancelled[names[0]]

    def one(name: str) -> TransientError | bool:
        with log_fields(table=name):
            if has_news and name not in cancelled and not _may_have_news(has_news, name):
                return False
            try:
                return _is_done(clients, payload, name, act, cancelled.get(name))
            except PERMANENT as error:
                log_error(stage, error)
                if stop:
                    stop(name)
                return _end_or_count(clients, payload, name, stage, error)
            except TransientError as error:
                return _after_failure(clients, payload, name, stage, error)
            except Exception as error:
                logger.exception("%s of table %s failed unexpectedly", stage, name)
                return _after_failure(clients, payload, name, stage, unexpected(stage, error))

    outcomes = side_by_side(one, names, at_once=TABLES_AT_ONCE)
    first = next((outcome for outcome in outcomes if isinstance(outcome, TransientError)), None)
    if first:
        raise first
    return [name for name, done in zip(names, outcomes, strict=True) if not done]


def _may_have_news(has_news: Callable[[str], bool], name: str) -> bool:
    """Return whether there may be something to do for a table: what fails for good ends it where that is done."""
    try:
        return has_news(name)
    except PERMANENT:
        return True


def _is_done(
    clients: Clients,
    payload: LaneInput,
    name: str,
    act: Callable[[TableInput], bool],
    cancelled: CancelledError | None,
) -> bool:
    """Act for a table unless it is cancelled; the result is whether it is done."""
    if cancelled:
        raise cancelled
    table = read_table(clients.lake, payload["migration"], payload["operation"], name)
    is_done = act(table)
    if table.get("failures") and not is_done:
        _count_failures(clients.lake, payload, name, 0)
    return is_done


def _end_or_count(
    clients: Clients, payload: LaneInput, name: str, stage: str, error: D2CError
) -> TransientError | bool:
    """End a table that failed, and return True; what keeps it from ending may heal."""
    try:
        end_failed(clients, payload, name, stage, error.to_dict())
    except TransientError as again:
        return _after_failure(clients, payload, name, stage, again)
    return True


def _after_failure(
    clients: Clients, payload: LaneInput, name: str, stage: str, error: TransientError
) -> TransientError | bool:
    """Return an error of a table that may heal, or end the table, and return True, if it has not for long."""
    lake = clients.lake
    if isinstance(error, BusyError):
        return error
    table = read_table(lake, payload["migration"], payload["operation"], name)
    failures = table.get("failures", 0) + 1
    if failures < MOST_FAILURES:
        _count_failures(lake, payload, name, failures)
        return error
    try:
        end_failed(clients, payload, name, stage, error.to_dict())
    except TransientError as again:
        end_failed(clients, payload, name, stage, error.to_dict(), restore_error=again.to_dict())
    return True


def look_at_each(
    clients: Clients, payload: LaneInput, stage: str, step: Callable[[TableInput], bool]
) -> Look[int]:
    """Do the next step for each table of a unit that is not done; the result is how many tables are left in the end.

    Args:
        clients: the app's.
        payload: the lane's.
        stage: as in `for_each`.
        step: does it, and returns whether it was the last one.
    """
    waiting = for_each(clients, payload, open_tables(clients.lake, payload), stage, step)
    if waiting:
        return {"state": "running", "progress": {"tables": len(waiting)}}
    return {"state": "succeeded", "result": len(open_tables(clients.lake, payload))}


def _count_failures(lake: Lake, payload: LaneInput, name: str, failures: int) -> None:
    keep(lake, read_table(lake, payload["migration"], payload["operation"], name), failures=failures)


def end_failed(
    clients: Clients,
    payload: LaneInput,
    name: str,
    stage: str,
    error: ErrorDict,
    *,
    began: datetime | None = None,
    restore_error: ErrorDict | None = None,
) -> None:
    """End a table that failed, or was cancelled, in a stage.

    Args:
        clients: the app's.
        payload: the lane's.
        name: the table's.
        stage: the one in which it ended.
        error: why.
        began: when the stage began, if its file does not say so; now if None.
        restore_error: why its throughput cannot be put back.
    """
    path = paths.MigrationFiles(payload["migration"]).work(payload["operation"]).table(name)
    table: TableInput | None = clients.lake.read_json(path)
    if table and awaits_indexes(table):
        stage = "index"
    moment = (_beginning(table, stage) if table else None) or began or datetime.now(UTC)
    entry: StageEntry = {
        "stage": stage,
        "state": state_of(error),
        "started_at": moment.isoformat(timespec="milliseconds"),
        "seconds": round(max((datetime.now(UTC) - moment).total_seconds(), 0.0), 3),
    }
    end_table(
        clients,
        payload,
        name,
        error={**error, "stage": stage},
        stages=[entry],
        restore_error=restore_error,
    )


def _beginning(table: TableInput, stage: str) -> datetime | None:
    """Return when a stage of a unit began for a table, the same at each try; None if its file does not say so."""
    if "prepare_began" not in table:
        return None
    if stage == "index":
        began_text = table.get("indexing_began")
        return datetime.fromisoformat(began_text) if began_text else None
    began = datetime.fromisoformat(table["prepare_began"])
    if stage == "prepare":
        return began
    before = [entry for entry in table["stages"] if entry["stage"] in ("prepare", "assess")]
    if not before:
        return None
    return datetime.fromisoformat(before[-1]["started_at"]) + timedelta(seconds=before[-1]["seconds"])
