"""Whose turn it is: before a stage begins, the plan's pause, window and caps are looked at."""

from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.settings import app_settings
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.load_run import groups
from d2c.plan.model import MOST_EXPORT_BYTES
from d2c.plan.schedule import seconds_until_open
from d2c.state import paths, queues

LONGEST_WAIT_SECONDS = 3600.0

Json = dict[str, Any]
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_start(payload: dict) -> Any:
    """Look whether a stage may begin, and take the slot that it needs; the slot of the stage before is given back.

    A payload without a ``kind`` asks for a whole migration: whether its time has come.
    """
    refuse_if_cancelled(payload["migration"], table=payload.get("table"))
    lake = connect_lake(app_settings())
    waiting = _time_to_wait(lake, payload, datetime.now(UTC))
    if waiting is None and payload.get("kind"):
        waiting = _others_to_wait_for(lake, payload)
    if waiting is None:
        return {"state": "succeeded", "result": True}
    seconds = waiting.pop("seconds", None)
    return {"state": "running", "progress": {"waiting": waiting}, "look_again_in_seconds": seconds}


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_places(payload: dict) -> Any:
    """Look whether a unit of work may begin: all its tables at once, within the most that the plan lets run."""
    refuse_if_cancelled(payload["migration"])
    lake = connect_lake(app_settings())
    path, who = paths.slots_path(payload["migration"], "tables"), _unit_name(payload, payload["unit"])
    entries = lake.read_log(path)
    if not queues.has_asked(entries, who):
        lake.append(path, {"ask": who, "bytes": payload["tables"]})
        entries = lake.read_log(path)
    if queues.may_go(entries, who, cap=len(entries), most_bytes=payload["max_parallel_tables"]):
        return {"state": "succeeded", "result": True}
    return {"state": "running", "progress": {"waiting": {"for": "slot", "until": None}}}


def give_places_back(lake: Lake, payload: Json, unit: int) -> None:
    """Let others begin in the place of a unit whose tables have ended.

    Args:
        lake: the lake.
        payload: has the ``migration`` and the round's ``name``.
        unit: its number.
    """
    who = _unit_name(payload, unit)
    lake.append(paths.slots_path(payload["migration"], "tables"), {"leave": who, "by": who})


def _unit_name(payload: Json, unit: int) -> str:
    return f"unit {payload['name']}-{unit}"


def _time_to_wait(lake: Lake, payload: Json, now: datetime) -> Json | None:
    """Return why it is not the time yet, or None: the plan's start has not come, it is paused, the window is shut."""
    times = payload.get("times") or {}
    start_at = times.get("start_at")
    if start_at and payload.get("kind") is None:
        seconds = (datetime.fromisoformat(start_at) - now).total_seconds()
        if seconds > 0:
            return _until("start", now, seconds)
    if lake.exists(paths.pause_path(payload["migration"])):
        return {"for": "pause", "until": None}
    between = times.get("between")
    seconds = seconds_until_open(now, tuple(between), times["time_zone"]) if between else 0
    return _until("window", now, seconds) if seconds > 0 else None


def _until(reason: str, now: datetime, seconds: float) -> Json:
    until = datetime.fromtimestamp(now.timestamp() + seconds, UTC).isoformat(timespec="seconds")
    return {"for": reason, "until": until, "seconds": min(seconds, LONGEST_WAIT_SECONDS)}


def _others_to_wait_for(lake: Lake, payload: Json) -> Json | None:
    """Return which tables a stage waits for, or None: those of its load group, or those that have all slots."""
    migration, kind, group = payload["migration"], payload["kind"], payload.get("load_group")
    give_slot_back(lake, payload, before=kind)
    if kind == "loads" and group:
        path = paths.load_group_path(migration, group["id"])
        entries = _append_once(lake, path, {"table": payload["table"], "did": "arrived"})
        if not groups.all_arrived(entries, group["tables"]):
            return {"for": "group", "until": None}
    return None if _has_slot(lake, payload) else {"for": "slot", "until": None}


def _has_slot(lake: Lake, payload: Json) -> bool:
    """Ask for a slot of the payload's kind unless that is done, and tell whether the table has one."""
    kind = payload["kind"]
    cap = payload["slots"].get(kind)
    if cap is None:
        return True
    path, who = _slots_path(payload, kind), _who(payload, kind)
    entries = lake.read_log(path)
    if not queues.has_asked(entries, who):
        ask: Json = {"ask": who, "of": _members(payload, kind)}
        if kind == "exports":
            ask["bytes"] = payload.get("size_bytes") or 0
        lake.append(path, ask)
        entries = lake.read_log(path)
    return queues.may_go(entries, who, cap, MOST_EXPORT_BYTES if kind == "exports" else None)


def give_slot_back(lake: Lake, payload: Json, before: str | None = None) -> None:
    """Leave the slots that a table may have.

    Args:
        lake: the lake.
        payload: the table's.
        before: the kind of slot that it takes next, or None if it needs none any more.
    """
    kinds = list(payload["slots"])
    for kind in kinds[: kinds.index(before)] if before in kinds else kinds:
        if payload["slots"][kind] is not None:
            left = {"leave": _who(payload, kind), "by": payload["table"]}
            _append_once(lake, _slots_path(payload, kind), left)


def make_room(lake: Lake, payload: Json) -> None:
    """Let others go on that wait for a table which has ended: for its slots, or for it to join its load group.

    Args:
        lake: the lake.
        payload: the table's.
    """
    give_slot_back(lake, payload)
    group = payload.get("load_group")
    if group:
        path = paths.load_group_path(payload["migration"], group["id"])
        _append_once(lake, path, {"table": payload["table"], "did": "left"})


def _append_once(lake: Lake, path: str, entry: Json) -> list[Json]:
    """Append an entry to a log unless it is there; the result is the log with it."""
    entries = lake.read_log(path)
    if entry not in entries:
        lake.append(path, entry)
        entries.append(entry)
    return entries


def _slots_path(payload: Json, kind: str) -> str:
    place = (part for part in (payload.get("account"), payload["region"]) if part)
    name = "-".join((kind, *place)) if kind == "exports" else kind
    return paths.slots_path(payload["migration"], name)


def _who(payload: Json, kind: str) -> str:
    """Return in whose name a slot is asked for: tables that share a load run have one together."""
    group = payload.get("load_group") if kind == "loads" else None
    return f"group {group['id']}" if group else f"{payload['table']} {payload['round']}"


def _members(payload: Json, kind: str) -> int:
    group = payload.get("load_group") if kind == "loads" else None
    return len(group["tables"]) if group else 1
