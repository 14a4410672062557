"""The lock of a container that is being loaded: a file in the lake with its holder and its former throughput.

The file is written before anything is changed, and deleted once the throughput has been restored. So a container with
a lock may be scaled, and any reader of the file knows its former throughput, after a crash too.
"""

import json
from collections.abc import Mapping
from typing import Any

from d2c.app import clock
from d2c.app.settings import Settings
from d2c.clients.azure.lake import Lake
from d2c.errors import BusyError, PermanentError, TransientError
from d2c.shapes import ContainerHolder, ContainerLock
from d2c.state.paths import MigrationFiles, container_path

Record = ContainerLock

HOLDER = {"migration": str, "table": str, "operation": int}


def record_path(settings: Settings, payload: Mapping[str, Any]) -> str:
    """Return the path of the lock of a table's container."""
    return container_path(settings.cosmos_account, payload["database"], payload["container"])


def take_container(lake: Lake, path: str, payload: Mapping[str, Any]) -> tuple[Record, str]:
    """Lock a container for a table, unless the table has locked it; the result is the lock and its version.

    A table of the same migration that has ended hands the lock over with the former throughput, as after a restore
    that failed; one that has not ended keeps it.

    Args:
        lake: the lake.
        path: the lock's.
        payload: the table's, with its ``migration``, ``table``, ``operation``, ``database`` and ``container``.

    Raises:
        PermanentError: if another migration has locked it.
        TransientError: if the lock is changing.
    """
    holder = holder_of(payload)
    taken_at = clock.text()
    found = find_lock(lake, path) or _created(lake, path, payload, taken_at) or find_lock(lake, path)
    if found is None:
        raise _changes_hands(payload)
    record, version = found
    if record["migration"] != holder["migration"]:
        raise _held_by_another(payload, record)
    if record.get("being_put_back"):
        raise _changes_hands(payload)
    if holder_of(record) == holder:
        return record, version
    if not (_is_own_earlier(record, holder) or _has_ended(lake, record)):
        raise _held_by_table(payload, record)
    return keep_record(lake, path, {**record, **holder, "taken_at": taken_at}, version)


def _created(lake: Lake, path: str, payload: Mapping[str, Any], taken_at: str) -> tuple[Record, str] | None:
    """Create a lock and return it with its version; None if there is one by now."""
    record: Record = {
        "migration": payload["migration"],
        "table": payload["table"],
        "operation": payload["operation"],
        "database": payload["database"],
        "container": payload["container"],
        "taken_at": taken_at,
    }
    version = lake.create_version(path, json.dumps(record).encode())
    return None if version is None else (record, version)


def keep_record(lake: Lake, path: str, record: Record, version: str) -> tuple[Record, str]:
    """Replace the version of a lock that was read; the result is the lock and its new version.

    Raises:
        TransientError: if it has a newer version.
    """
    written = lake.replace(path, json.dumps(record, indent=1).encode(), version)
    if written is None:
        raise _changes_hands(record)
    return record, written


def release_container(lake: Lake, path: str, payload: Mapping[str, Any]) -> None:
    """Delete the lock that a table holds; a lock of another holder stays."""
    found = find_lock(lake, path)
    if found and holder_of(found[0]) == holder_of(payload):
        lake.delete(path, found[1])


def take_to_put_back(lake: Lake, path: str, holder: Mapping[str, Any]) -> Record | None:
    """Take over the lock of a holder that has ended; None if another holder has it or there is none.

    Until the lock is deleted no other holder can take it over: the throughput is restored first.

    Args:
        lake: the lake.
        path: the lock's.
        holder: the lock's holder when it was found to have ended.
    """
    found = find_lock(lake, path)
    if found is None or holder_of(found[0]) != holder_of(holder):
        return None
    record, version = found
    if not record.get("being_put_back"):
        record, _ = keep_record(lake, path, {**record, "being_put_back": True}, version)
    return record


def parse_lock(value: Any, path: str) -> Record:
    """Return a lock as the lake has it.

    Args:
        value: of the file.
        path: the file's, for messages.

    Raises:
        PermanentError: if it is no lock.
    """
    fields = value if isinstance(value, dict) else {}
    if not all(type(fields.get(name)) is kind for name, kind in HOLDER.items()):
        raise PermanentError(
            f"The lake's {path} is not the lock of a container.",
            "Look for what else writes there; delete the file once nothing loads the container.",
        )
    record: Record = value
    return record


def find_lock(lake: Lake, path: str) -> tuple[Record, str] | None:
    """Return a lock and its version, or None if there is none."""
    found = lake.read_version(path)
    return None if found is None else (parse_lock(found[0], path), found[1])


def holder_of(record: Mapping[str, Any]) -> ContainerHolder:
    """Return the holder of a lock, or of a table's input."""
    return {"migration": record["migration"], "table": record["table"], "operation": record["operation"]}


def _is_own_earlier(record: Record, holder: ContainerHolder) -> bool:
    """Return whether the same table took a lock in an earlier operation: a retry runs after what it retries."""
    return bool(record["table"] == holder["table"] and record["operation"] < holder["operation"])


def _has_ended(lake: Lake, record: Record) -> bool:
    """Return whether the table that holds a lock has ended in the operation in which it took it, or in a later one."""
    log = lake.read_log(MigrationFiles(record["migration"]).ended_tables)
    return any(line["table"] == record["table"] and line["operation"] >= record["operation"] for line in log)


def _held_by_table(payload: Mapping[str, Any], record: Record) -> BusyError:
    return BusyError(
        f"Container {payload['database']}/{payload['container']} is being loaded by the table {record['table']} of "
        "the same migration.",
        "Waiting until that table has ended.",
    )


def _held_by_another(payload: Mapping[str, Any], record: Record) -> PermanentError:
    return PermanentError(
        f"Container {payload['database']}/{payload['container']} is being loaded by the migration "
        f"{record['migration']}, for its table {record['table']}.",
        f"Wait until that table has ended, or cancel {record['migration']}, then retry this table; or name another "
        "container in the plan. If that migration has ended, the watchdog frees the container within "
        "minutes (docs/operate/watchdog.md).",
        title="Another migration loads the container",
    )


def _changes_hands(payload: Mapping[str, Any]) -> TransientError:
    return TransientError(
        f"Container {payload['database']}/{payload['container']} is being released, or its throughput is being "
        "restored.",
        "Retrying.",
    )
