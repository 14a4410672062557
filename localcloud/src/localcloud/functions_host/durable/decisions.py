"""Carrying out what an orchestrator decided in one turn, in one transaction."""

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.durable_functions.models.actions import ActionType

from localcloud.functions_host.app import App
from localcloud.functions_host.durable.replay import Turn
from localcloud.functions_host.durable.store import (
    ENDED,
    InstanceRunsError,
    Json,
    Store,
    create_instance,
    event,
    send,
)

# The Azure Storage provider's limit: 16 KB of UTF-16.
CUSTOM_STATUS_BYTES = 16 * 1024
ACTIVITIES = (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY)
CHILDREN = (ActionType.CALL_SUB_ORCHESTRATOR, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY)
# History events that say that a task of this number was scheduled, and for which actions.
SCHEDULED_KINDS: dict[int, tuple[Any, ...]] = {4: ACTIVITIES, 7: CHILDREN, 10: (ActionType.CREATE_TIMER,)}


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
        name: its orchestrator.
        past: the history before the turn.
        new: the events that the turn was given.
        turn: what the orchestrator decided.
        message_numbers: the messages that the turn has consumed.
        ending: the runtime status of an instance that is done without an error.
    """
    failure = turn.error or _limit_broken(turn) or _unsupported(turn) or not_deterministic(past, turn)
    status = "Failed" if failure else ending if turn.is_done and turn.next_input is None else "Running"
    output = f"Orchestrator function '{name}' failed: {failure}" if failure else turn.output
    with store.transaction() as connection:
        connection.executemany(
            "delete from messages where number=?", [(number,) for number in message_numbers]
        )
        row = connection.execute(
            "select generation, parent, parent_generation, parent_task from instances where id=?", (instance,)
        )
        generation, *parent = row.fetchone()
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
        _update(
            connection, instance, status, json.dumps(output) if status in ENDED else None, turn.custom_status
        )
    return started


def _limit_broken(turn: Turn) -> str | None:
    if turn.custom_status is None:
        return None
    size = len(json.dumps(turn.custom_status).encode("utf-16-le"))
    return (
        f"the custom status has {size} bytes, {CUSTOM_STATUS_BYTES} are allowed"
        if size > CUSTOM_STATUS_BYTES
        else None
    )


def _unsupported(turn: Turn) -> str | None:
    """Name an action that this host does not have, such as a call of an entity."""
    known = (*ACTIVITIES, *CHILDREN, ActionType.CREATE_TIMER)
    kinds = [action["actionType"] for _, action in turn.open_actions if action["actionType"] not in known]
    return f"this host has no Durable action of type {kinds[0]}" if kinds else None


def not_deterministic(past: list[Json], turn: Turn) -> str | None:
    """Compare what the orchestrator waits for with what the history says was scheduled under the same number.

    What has ended already is not compared, which the real extension does too.
    """
    scheduled = {entry["EventId"]: entry for entry in past if entry["EventType"] in SCHEDULED_KINDS}
    for number, action in turn.open_actions:
        entry = scheduled.get(number)
        if entry is None:
            continue
        kinds = SCHEDULED_KINDS[entry["EventType"]]
        if action["actionType"] not in kinds or entry.get("Name") != action.get("functionName"):
            return (
                f"Non-Deterministic workflow detected: task {number} was {entry.get('Name') or 'a timer'} "
                f"and is now {action.get('functionName') or 'a timer'}"
            )
    return None


def _continue_as_new(
    connection: sqlite3.Connection, instance: str, name: str, generation: str, turn: Turn
) -> None:
    """Begin a new generation with an empty history; events that came meanwhile wait for it, timers die."""
    following = uuid.uuid4().hex
    connection.execute("delete from history where id=?", (instance,))
    connection.execute("delete from messages where id=? and generation=?", (instance, generation))
    connection.execute("delete from work where id=?", (instance,))
    connection.execute(
        "update instances set generation=?, input=? where id=?", (following, turn.next_input, instance)
    )
    send(connection, instance, following, event(0, Name=name, Version="", Input=turn.next_input))
    _update(connection, instance, "Running", None, turn.custom_status)


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
    instance, generation, number = parent
    try:
        if app.orchestrator(name) is None:
            raise LookupError(f"The orchestrator function '{name}' does not exist")
        create_instance(connection, name, child, text, parent)
    except (LookupError, InstanceRunsError) as error:
        failed = event(9, TaskScheduledId=number, Reason=str(error), Details="")
        send(connection, instance, generation, failed)


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
        reason = output if status == "Failed" else f"Sub-orchestration {status}"
        told = event(9, TaskScheduledId=parent[2], Reason=reason, Details="")
    send(connection, parent[0], parent[1], told)


def _update(
    connection: sqlite3.Connection, instance: str, status: str, output: str | None, custom_status: Any
) -> None:
    shown = None if custom_status is None else json.dumps(custom_status)
    connection.execute(
        "update instances set status=?, output=?, custom_status=coalesce(?, custom_status), updated=host_time() "
        "where id=?",
        (status, output, shown, instance),
    )
