"""Carrying out what an orchestrator decided in one turn, in one transaction."""

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localcloud.functions_host.app import App
from localcloud.functions_host.durable.failures import child_failure, orchestrator_failure
from localcloud.functions_host.durable.refusals import (
    ACTIVITIES,
    CHILDREN,
    SCHEDULED_KINDS,
    limit_broken,
    not_deterministic,
    unsupported,
)
from localcloud.functions_host.durable.replay import Turn
from localcloud.functions_host.durable.store import ENDED, Json, Store, create_instance, event, send


@dataclass(frozen=True)
class Started:
    """An activity to run: its row in the store, whose it is, and what to call."""

    number: int
    instance: str
    generation: str
    task: int
    name: str
    input: str | None


def carry_out(
    store: Store,
    app: App,
    instance: str,
    generation: str,
    name: str,
    past: list[Json],
    new: list[Json],
    turn: Turn,
    message_numbers: list[int],
    ending: str = "Completed",
) -> list[Started]:
    """Store a turn and all that follows from it, and return the activities to run.

    Args:
        store: the host's store.
        app: the app, to know which orchestrators there are.
        instance: whose turn it was.
        generation: of the instance then; nothing comes of a turn that another start or child overtook.
        name: its orchestrator.
        past: the history before the turn.
        new: the events that the turn was given.
        turn: what the orchestrator decided.
        message_numbers: the messages that the turn has consumed.
        ending: the runtime status of an instance that is done without an error.
    """
    too_long = limit_broken(turn)
    failure = turn.error or too_long or unsupported(turn) or not_deterministic(past, turn)
    status = "Failed" if failure else ending if turn.is_done and turn.next_input is None else "Running"
    output = orchestrator_failure(name, failure) if failure else turn.output
    with store.transaction() as connection:
        row = connection.execute(
            "select parent, parent_generation, parent_task from instances where id=? and generation=?",
            (instance, generation),
        ).fetchone()
        if row is None:
            return []
        parent = list(row)
        connection.executemany(
            "delete from messages where number=?", [(number,) for number in message_numbers]
        )
        if status == "Running" and turn.next_input is not None:
            _continue_as_new(connection, instance, name, generation, turn)
            return []
        started = (
            _schedule(connection, app, instance, generation, past, new, turn) if status == "Running" else []
        )
        if status in ENDED:
            _tell_parent(connection, instance, parent, status, output)
            new.append(event(1, Result=json.dumps(output), OrchestrationStatus=status))
        new.append(event(13))
        rows = [(instance, len(past) + place, json.dumps(entry)) for place, entry in enumerate(new)]
        connection.executemany(
            "insert into history values(?,?,json_insert(?,'$.Timestamp',host_time()))", rows
        )
        # The first turn of a generation follows within the same work item, which keeps the status of the one before.
        kept = not past or status == "Terminated"
        text = json.dumps(output) if status in ENDED else None
        _update(connection, instance, status, text, None if too_long else turn.custom_status, kept=kept)
    return started


def _continue_as_new(
    connection: sqlite3.Connection, instance: str, name: str, generation: str, turn: Turn
) -> None:
    """Begin a new generation with an empty history, and a time of creation of its own.

    Events that came meanwhile wait for it, timers die.
    """
    following = uuid.uuid4().hex
    connection.execute("delete from history where id=?", (instance,))
    connection.execute("delete from messages where id=? and generation=?", (instance, generation))
    connection.execute("delete from work where id=?", (instance,))
    connection.execute(
        "update instances set generation=?, input=?, created=host_time() where id=?",
        (following, turn.next_input, instance),
    )
    send(connection, instance, following, event(0, Name=name, Version="", Input=turn.next_input))
    _update(connection, instance, "Running", None, turn.custom_status, kept=False)


def _schedule(
    connection: sqlite3.Connection,
    app: App,
    instance: str,
    generation: str,
    past: list[Json],
    new: list[Json],
    turn: Turn,
) -> list[Started]:
    """Schedule what the orchestrator waits for and is not scheduled yet."""
    known = {entry["EventId"] for entry in past if entry["EventType"] in SCHEDULED_KINDS}
    started = []
    for number, action in turn.open_actions:
        if number in known or action.get("isCanceled"):
            continue
        kind, called, text = action["actionType"], action.get("functionName"), action.get("input")
        if kind in ACTIVITIES:
            new.append(event(4, number, Name=called, Input=text))
            row = (instance, generation, number, str(called), text)
            cursor = connection.execute(
                "insert into work(id, generation, task, name, input) values(?,?,?,?,?)", row
            )
            started.append(Started(cursor.lastrowid or 0, *row))
        elif kind in CHILDREN:
            child = action.get("instanceId") or f"{instance}:{generation[:6]}{number:04x}"
            new.append(event(7, number, Name=called, InstanceId=child, Input=text))
            _start_child(connection, app, called, child, text, (instance, generation, number))
        else:
            fire_at = datetime.fromisoformat(action["fireAt"].replace("Z", "+00:00"))
            new.append(event(10, number, FireAt=action["fireAt"]))
            fired = event(11, TimerId=number, FireAt=action["fireAt"])
            send(connection, instance, generation, fired, fire_at.timestamp())
    return started


def _start_child(
    connection: sqlite3.Connection,
    app: App,
    name: Any,
    child: str,
    text: str | None,
    parent: tuple[str, str, int],
) -> None:
    """Start a child, in place of whatever has its id: nothing is asked there, as in Azure Storage's provider."""
    instance, generation, number = parent
    if app.orchestrator(name) is not None:
        create_instance(connection, name, child, text, parent)
        return
    reason = f"The orchestrator function '{name}' does not exist"
    send(connection, instance, generation, event(9, TaskScheduledId=number, Reason=reason, Details=""))


def _tell_parent(
    connection: sqlite3.Connection, instance: str, parent: list[Any], status: str, output: Any
) -> None:
    connection.execute("delete from messages where id=?", (instance,))
    connection.execute("delete from work where id=?", (instance,))
    if parent[0] is None:
        return
    if status == "Completed":
        told = event(8, TaskScheduledId=parent[2], Result=json.dumps(output))
    else:
        told = event(9, TaskScheduledId=parent[2], **child_failure(status, output))
    send(connection, parent[0], parent[1], told)


def _update(
    connection: sqlite3.Connection,
    instance: str,
    status: str,
    output: str | None,
    custom_status: Any,
    *,
    kept: bool,
) -> None:
    """Store how an instance is; ``kept`` lets a custom status stay where the turn has set none."""
    shown = None if custom_status is None else json.dumps(custom_status)
    connection.execute(
        "update instances set status=?, output=?, updated=host_time(), "
        "custom_status=case when ? then coalesce(?, custom_status) else ? end where id=?",
        (status, output, kept, shown, shown, instance),
    )
