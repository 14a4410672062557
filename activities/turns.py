"""Decide whether a stage may begin: pause flag, time window, concurrency limits."""

from datetime import UTC, datetime
from typing import Any, Literal, cast

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.load_run import groups
from d2c.plan.model import MOST_EXPORT_BYTES
from d2c.plan.schedule import seconds_until_open
from d2c.shapes import LaneInput, Look, MigrationInput, PlacesInput, Running, TableInput, Times, Waiting
from d2c.state import paths, queues

LONGEST_WAIT_SECONDS = 3600.0

Kind = Literal["exports", "copies", "loads"]
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_start(clients: Clients, payload: TableInput | MigrationInput) -> Look[Literal[True]]:
    """Look whether a stage may begin, and take the slot that it needs; the slot of the stage before is given back.

    A payload without a ``kind`` asks for a whole migration: whether its time has come.
    """
    lake, migration = clients.lake, payload["migration"]
    table = payload if "kind" in payload else None
    refuse_if_cancelled(lake, migration, table=table and table["table"])
    start_at = None if table else payload.get("times", {}).get("start_at")
    wait = _time_to_wait(lake, migration, payload.get("times") or {}, start_at)
    if wait is None and table:
        wait = _others_to_wait_for(lake, table)
    return wait or {"state": "succeeded", "result": True}


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_places(clients: Clients, payload: PlacesInput) -> Look[Literal[True]]:
    """Look whether a unit of work may begin: all its tables at once, within the most that the plan lets run."""
    lake = clients.lake
    refuse_if_cancelled(lake, payload["migration"])
    path, name = paths.slots_path(payload["migration"], "tables"), _unit_name(payload, payload["unit"])
    entries = lake.read_log(path)
    if not queues.has_asked(entries, name):
        lake.append(path, {"ask": name, "bytes": payload["tables"]})
        entries = lake.read_log(path)
    if queues.may_go(entries, name, cap=len(entries), most_bytes=payload["max_parallel_tables"]):
        return {"state": "succeeded", "result": True}
    return _waiting("slot")


def give_places_back(lake: Lake, payload: LaneInput | PlacesInput, unit: int) -> None:
    """Let others begin in the place of a unit whose tables have ended.

    Args:
        lake: the lake.
        payload: has the ``migration`` and the round's ``name``.
        unit: its number.
    """
    name = _unit_name(payload, unit)
    lake.append(paths.slots_path(payload["migration"], "tables"), {"leave": name, "by": name})


def _unit_name(payload: LaneInput | PlacesInput, unit: int) -> str:
    return f"unit {payload['name']}-{unit}"


def _time_to_wait(lake: Lake, migration: str, times: Times, start_at: str | None) -> Running | None:
    """Return for what to wait, or None: the plan's start has not come, it is paused, the window is shut."""
    now = datetime.now(UTC)
    if start_at:
        seconds = (datetime.fromisoformat(start_at) - now).total_seconds()
        if seconds > 0:
            return _waiting_until("start", now, seconds)
    if lake.exists(paths.pause_path(migration)):
        return _waiting("pause")
    between = times.get("between")
    seconds = seconds_until_open(now, (between[0], between[1]), times["time_zone"]) if between else 0
    return _waiting_until("window", now, seconds) if seconds > 0 else None


def _waiting_until(reason: str, now: datetime, seconds: float) -> Running:
    until = datetime.fromtimestamp(now.timestamp() + seconds, UTC).isoformat(timespec="seconds")
    return _waiting(reason, until, min(seconds, LONGEST_WAIT_SECONDS))


def _waiting(reason: str, until: str | None = None, look_again_in_seconds: float | None = None) -> Running:
    waiting: Waiting = {"for": reason, "until": until}
    return {
        "state": "running",
        "progress": {"waiting": waiting},
        "look_again_in_seconds": look_again_in_seconds,
    }


def _others_to_wait_for(lake: Lake, payload: TableInput) -> Running | None:
    """Return which tables a stage waits for, or None: those of its load group, or those that have all slots."""
    migration, kind, group = payload["migration"], cast("Kind", payload["kind"]), payload.get("load_group")
    give_slot_back(lake, payload, before=kind)
    if kind == "loads" and group:
        path = paths.load_group_path(migration, group["id"])
        entries = _append_once(lake, path, {"table": payload["table"], "did": "arrived"})
        if not groups.all_arrived(entries, group["tables"]):
            return _waiting("group")
    return None if _has_slot(lake, payload, kind) else _waiting("slot")


def _has_slot(lake: Lake, payload: TableInput, kind: Kind) -> bool:
    """Ask for a slot of a kind unless that is done, and tell whether the table has one."""
    cap = payload["slots"][kind]
    if cap is None:
        return True
    path, name = _slots_path(payload, kind), _name(payload, kind)
    entries = lake.read_log(path)
    if not queues.has_asked(entries, name):
        ask: dict[str, Any] = {"ask": name, "of": _members(payload, kind)}
        if kind == "exports":
            ask["bytes"] = payload.get("size_bytes") or 0
        lake.append(path, ask)
        entries = lake.read_log(path)
    return queues.may_go(entries, name, cap, MOST_EXPORT_BYTES if kind == "exports" else None)


def give_slot_back(lake: Lake, payload: TableInput, before: Kind | None = None) -> None:
    """Leave the slots that a table may have.

    Args:
        lake: the lake.
        payload: the table's.
        before: the kind of slot that it takes next, or None if it needs none any more.
    """
    kinds: list[Kind] = ["exports", "copies", "loads"]
    for kind in kinds[: kinds.index(before)] if before else kinds:
        if payload["slots"].get(kind) is not None:
            entry = {"leave": _name(payload, kind), "by": payload["table"]}
            _append_once(lake, _slots_path(payload, kind), entry)


def make_room(lake: Lake, payload: TableInput) -> None:
    """Let others begin that wait for a table which has ended: for its slots, or for it to join its load group.

    Args:
        lake: the lake.
        payload: the table's.
    """
    give_slot_back(lake, payload)
    group = payload.get("load_group")
    if group:
        path = paths.load_group_path(payload["migration"], group["id"])
        _append_once(lake, path, {"table": payload["table"], "did": "left"})


def _append_once(lake: Lake, path: str, entry: dict[str, str]) -> list[Any]:
    """Append an entry to a log unless it is there; the result is the log with it."""
    entries = lake.read_log(path)
    if entry not in entries:
        lake.append(path, entry)
        entries.append(entry)
    return entries


def _slots_path(payload: TableInput, kind: Kind) -> str:
    place = (part for part in (payload.get("account"), payload["region"]) if part)
    name = "-".join((kind, *place)) if kind == "exports" else kind
    return paths.slots_path(payload["migration"], name)


def _name(payload: TableInput, kind: Kind) -> str:
    """Return the name under which a slot is asked for: tables that share a load run have one together."""
    group = payload.get("load_group") if kind == "loads" else None
    return f"group {group['id']}" if group else f"{payload['table']} {payload['round']}"


def _members(payload: TableInput, kind: Kind) -> int:
    group = payload.get("load_group") if kind == "loads" else None
    return len(group["tables"]) if group else 1
