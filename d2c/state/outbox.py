"""Notifications: what happened, as CloudEvents 1.0 in the lake's outbox, from where `triggers.events` sends it.

Writing an event costs a migration one small file, whatever becomes of its delivery.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.app.settings import Settings
from d2c.clients.azure.lake import Lake
from d2c.errors import TransientError

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


logger = logging.getLogger(__name__)

FIRST_INTERVAL = timedelta(minutes=1)
PATIENCE = timedelta(hours=24)
SIDE_BY_SIDE = 16
# Four times a hanging receiver's timeout at the most; what is left out is due in the next round.
MOST_IN_A_ROUND = 64
EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")


class Receiver(Protocol):
    """Where events go; `d2c.clients.webhook.Webhook` is the one outside tests."""

    async def send(self, event_id: str, event: bytes) -> None:
        """Send an event once, or raise a TransientError."""


class Delivery:
    """Takes events from the outbox to a receiver.

    Args:
        lake: where the outbox is.
        receiver: where events go.
        now: tells the time.
    """

    def __init__(
        self, lake: Lake, receiver: Receiver, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._lake = lake
        self._receiver = receiver
        self._now = now
        self._free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def deliver_new(self, event_id: str) -> None:
        """Send an event that has just been written; one that was tried already waits for its time."""
        for known in _known([event_id]):
            if not await asyncio.to_thread(self._lake.exists, f"{ATTEMPTS}{known}.jsonl"):
                await self._deliver(known)

    async def deliver_what_is_due(self) -> None:
        """Send again every event of the outbox whose age has doubled since it was tried last, side by side.

        Raises:
            D2CError: if the lake failed for one of them; the others have been sent all the same.
        """
        waiting = await asyncio.to_thread(self._lake.sizes, OUTBOX)
        ids = list(_known(name.removesuffix(".json") for name in waiting))
        measure("d2c.outbox.events", len(ids))
        marks = await asyncio.gather(*(self._is_due(event_id) for event_id in ids))
        due = [event_id for event_id, mark in zip(ids, marks, strict=True) if mark]
        chosen = (self._deliver(event_id) for event_id in due[:MOST_IN_A_ROUND])
        for failure in filter(None, await asyncio.gather(*chosen, return_exceptions=True)):
            raise failure

    async def _deliver(self, event_id: str) -> None:
        """Send an event that is in the outbox; what fails stays there, and is given up once it is a day old."""
        async with self._free:
            event = await asyncio.to_thread(self._lake.read, f"{OUTBOX}{event_id}.json")
            if event is None:
                return
            if await asyncio.to_thread(self._lake.exists, f"{SENT}{event_id}.json"):
                await asyncio.to_thread(self._lake.delete, f"{OUTBOX}{event_id}.json")
                return
            with log_fields(**_subject_of(event)):
                await self._send(event_id, event)

    async def _send(self, event_id: str, event: bytes) -> None:
        try:
            await self._receiver.send(event_id, event)
        except TransientError as error:
            await self._note(event_id, error.detail)
            await self._give_up_if_old(event_id, event, error)
        else:
            await self._note(event_id, "delivered")
            await self._move(event_id, event, SENT)

    async def _is_due(self, event_id: str) -> bool:
        attempts = await asyncio.to_thread(self._lake.read_log, f"{ATTEMPTS}{event_id}.jsonl")
        event = await asyncio.to_thread(self._lake.read, f"{OUTBOX}{event_id}.json")
        return event is not None and is_due(self._now(), written_at(event), attempts)

    async def _give_up_if_old(self, event_id: str, event: bytes, error: TransientError) -> None:
        if self._now() - written_at(event) < PATIENCE:
            logger.warning("Event %s: %s", event_id, error)
            return
        logger.error("Event %s is given up after a day and lies in %s: %s", event_id, FAILED, error.detail)
        await self._move(event_id, event, FAILED)

    async def _note(self, event_id: str, what: str) -> None:
        entry = {"at": self._now().isoformat(timespec="milliseconds"), "found": what}
        await asyncio.to_thread(self._lake.append, f"{ATTEMPTS}{event_id}.jsonl", entry)

    async def _move(self, event_id: str, event: bytes, folder: str) -> None:
        await asyncio.to_thread(self._lake.write, f"{folder}{event_id}.json", event)
        await asyncio.to_thread(self._lake.delete, f"{OUTBOX}{event_id}.json")


def _known(ids: Iterable[str]) -> Iterable[str]:
    """Return those that are ids of events; what else someone put into the outbox is named in the log and left."""
    for event_id in ids:
        if EVENT_ID.fullmatch(event_id):
            yield event_id
        else:
            logger.warning("%s%s.json is no event of this app and is not sent; remove it", OUTBOX, event_id)


def _subject_of(event: bytes) -> dict[str, str]:
    """Return the migration and the table that an event is about, as far as its file says."""
    try:
        data = json.loads(event)["data"]
        return {name: str(data[name]) for name in ("migration", "table") if name in data}
    except (ValueError, KeyError, TypeError):
        return {}


def written_at(event: bytes) -> datetime:
    """Return when an event was written; long ago where its file does not say."""
    try:
        return datetime.fromisoformat(json.loads(event)["time"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError):
        return datetime.fromtimestamp(0, UTC)


def is_due(now: datetime, written_at: datetime, attempts: list[Any]) -> bool:
    """Tell whether an event is to be sent again: once its age has doubled since the last try, at least a minute later.

    A try in the future, which a clock that was set back leaves, does not hold it up.
    """
    last = datetime.fromisoformat(attempts[-1]["at"]) if attempts else written_at
    interval = max(FIRST_INTERVAL, last - written_at)
    return not timedelta() <= now - last < interval
