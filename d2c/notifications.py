"""Notifications: what happened, as CloudEvents 1.0 in the lake's outbox, from where `triggers.notifications` sends it.

Writing an event costs a migration one small file, whatever becomes of its delivery.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from d2c.clients.lake import Lake
from d2c.settings import Settings

TABLE_ENDED = "d2c.table.ended"
TABLE_STALLED = "d2c.table.stalled"
ITEMS_REJECTED = "d2c.items.rejected"
MIGRATION_ENDED = "d2c.migration.ended"

OUTBOX = "outbox/"
SENT = "outbox-sent/"
FAILED = "outbox-failed/"
ATTEMPTS = "outbox-attempts/"


def notify(
    lake: Lake,
    settings: Settings,
    kind: str,
    migration: str,
    table: str | None,
    data: Mapping[str, Any],
    *identity: str | int,
) -> None:
    """Put an event into the outbox, once however often this is called for it; nothing where no webhook is set.

    Args:
        lake: where the outbox is.
        settings: the app's.
        kind: the event's type, one of the constants of this module.
        migration: the migration's id.
        table: the table's name, or None for an event of the whole migration.
        data: what is told beside both: small, without secrets, and nothing of an item.
        identity: what tells this event from others of its kind and its table, such as the round.
    """
    if not settings.webhook_url:
        return
    event_id = _event_id(kind, migration, table, identity)
    if any(lake.exists(f"{folder}{event_id}.json") for folder in (SENT, FAILED)):
        return
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/d2c/{settings.lake_account}/{settings.lake_file_system}",
        "type": kind,
        "subject": f"{migration}/{table}" if table else migration,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": {"migration": migration, **({"table": table} if table else {}), **data},
    }
    lake.create(f"{OUTBOX}{event_id}.json", json.dumps(event).encode())


def _event_id(kind: str, migration: str, table: str | None, identity: tuple[str | int, ...]) -> str:
    """Return the id, which is a file's name and stands in the signed text, so it has no dot and no slash."""
    parts = json.dumps([kind, migration, table, *identity])
    return f"evt_{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def notify_of_table(lake: Lake, settings: Settings, migration: str, ended: Mapping[str, Any]) -> None:
    """Tell that a table ended in a round, and that items of it were rejected if any were.

    An error's detail is left out, for it may name a key or a document; the HTTP API tells it.

    Args:
        lake: where the outbox is.
        settings: the app's.
        migration: its id.
        ended: the table's line of the log of tables that ended.
    """
    table, error = ended["table"], ended["error"]
    told = {name: value for name, value in ended.items() if name != "table"}
    if error:
        told["error"] = {name: error[name] for name in ("title", "next_step")}
    notify(lake, settings, TABLE_ENDED, migration, table, told, ended["round"])
    if ended.get("items_rejected"):
        rejected = {name: ended[name] for name in ("round", "items_rejected", "items_exported")}
        notify(lake, settings, ITEMS_REJECTED, migration, table, rejected, ended["round"])
