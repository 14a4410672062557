"""Who loads a container, and what its throughput was before: a record in the lake that is a lock as well.

The record is there before anything is changed, and goes once the throughput has been put back. So a container that
has one may be scaled, and whoever finds the record knows to what it goes back, whatever happened in between.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from d2c.app.settings import Settings
from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError, TransientError
from d2c.state.paths import container_path

Record = dict[str, Any]

HOLDER = ("migration", "table", "round")


def record_path(settings: Settings, payload: Mapping[str, Any]) -> str:
    """Return the path of the record of the container that a table is loaded into."""
    return container_path(settings.cosmos_account, payload["database"], payload["container"])


def take_container(lake: Lake, path: str, payload: Mapping[str, Any]) -> tuple[Record, str]:
    """Take a container for a table, or find that the table has it; the result is its record and the record's version.

    Another table of the same migration hands it over with what was found first: tables that share a container take
    turns, and a retry comes after what it retries.

    Args:
        lake: where the record is.
        path: the record's.
        payload: the table's, with its ``migration``, ``table``, ``round``, ``database`` and ``container``.

    Raises:
        PermanentError: if another migration has it.
        TransientError: if it changes hands at this moment.
    """
    holder = {"migration": payload["migration"], "table": payload["table"], "round": payload.get("round", 0)}
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    names = {"database": payload["database"], "container": payload["container"]}
    lake.create(path, json.dumps({**holder, **names, "taken_at": taken_at}).encode())
    found = lake.read_version(path)
    if found is None:
        raise _changes_hands(payload)
    record, version = found
    if record["migration"] != holder["migration"]:
        raise _held_by_another(payload, record)
    if record.get("being_put_back"):
        raise _changes_hands(payload)
    if holder_of(record) == holder:
        return record, version
    return keep_record(lake, path, {**record, **holder, "taken_at": taken_at}, version)


def keep_record(lake: Lake, path: str, record: Record, version: str) -> tuple[Record, str]:
    """Write a record over the version that was read; the result is the record and its new version.

    Raises:
        TransientError: if it is not that version any more.
    """
    written = lake.replace(path, json.dumps(record, indent=1).encode(), version)
    if written is None:
        raise _changes_hands(record)
    return record, written


def release_container(lake: Lake, path: str, payload: Mapping[str, Any]) -> None:
    """Delete the record that a table holds; one of somebody else stays."""
    found = lake.read_version(path)
    if found and holder_of(found[0]) == holder_of(payload):
        lake.delete(path, found[1])


def is_held_by_another(lake: Lake, path: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether a container has been taken by another table since this one had it."""
    record = lake.read_json(path)
    return record is not None and holder_of(record) != holder_of(payload)


def take_to_put_back(lake: Lake, path: str, holder: Mapping[str, Any]) -> Record | None:
    """Take the container of a holder that is no longer under way; None if it has changed hands or is free.

    Nobody can take it over from now on until `delete` of the record: what it had goes back first.

    Args:
        lake: where the record is.
        path: the record's.
        holder: what the record said when its holder was found to be gone.
    """
    found = lake.read_version(path)
    if found is None or holder_of(found[0]) != holder_of(holder):
        return None
    record: Record
    record, version = found
    if not record.get("being_put_back"):
        record, _ = keep_record(lake, path, {**record, "being_put_back": True}, version)
    return record


def holder_of(record: Mapping[str, Any]) -> Record:
    """Return of a record, or of a table's payload, who it is about."""
    return {"round": 0, **{name: record[name] for name in HOLDER if name in record}}


def _held_by_another(payload: Mapping[str, Any], record: Mapping[str, Any]) -> PermanentError:
    return PermanentError(
        f"Container {payload['database']}/{payload['container']} is being loaded by the migration "
        f"{record['migration']}, for its table {record['table']}.",
        f"Wait until that table has ended, or cancel {record['migration']}, then retry this table; or name another "
        "container in the plan. If that migration is no longer under way, the watch frees the container within "
        "minutes (docs/operate/watchdog.md).",
        title="Another migration loads the container",
    )


def _changes_hands(payload: Mapping[str, Any]) -> TransientError:
    return TransientError(
        f"Container {payload['database']}/{payload['container']} is changing hands, or its throughput is being put "
        "back.",
        "It is tried again.",
    )
