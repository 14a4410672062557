"""Why a turn fails its orchestration, whatever the orchestrator has decided."""

import json
from typing import Any

from azure.durable_functions.models.actions import ActionType

from localcloud.functions_host.durable.replay import Turn
from localcloud.functions_host.durable.store import Json

# Of UTF-16; the extension counts whole ones.
CUSTOM_STATUS_KB = 16
ACTIVITIES = (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY)
CHILDREN = (ActionType.CALL_SUB_ORCHESTRATOR, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY)
# History events that say that a task of this number was scheduled, and for which actions.
SCHEDULED_KINDS: dict[int, tuple[Any, ...]] = {4: ACTIVITIES, 7: CHILDREN, 10: (ActionType.CREATE_TIMER,)}


def limit_broken(turn: Turn) -> str | None:
    """Return why the extension refuses a custom status, in its words."""
    text = "" if turn.custom_status is None else json.dumps(turn.custom_status, ensure_ascii=False)
    size = len(text.encode("utf-16-le", "surrogatepass")) // 1024
    if size <= CUSTOM_STATUS_KB:
        return None
    return (
        f"The UTF-16 size of the JSON-serialized payload must not exceed {CUSTOM_STATUS_KB} KB. "
        f"The current payload size is {size} KB."
    )


def unsupported(turn: Turn) -> str | None:
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
