"""Notifications: CloudEvents 1.0 in the lake's outbox, from where they are sent.

Writing an event costs a migration one small file, whether or not it can be delivered.
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

import orjson

from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.app.settings import Settings
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.errors import TransientError
from d2c.shapes import TableEnd

TABLE_ENDED = "d2c.table.ended"
TABLE_STALLED = "d2c.table.stalled"
ITEMS_REJECTED = "d2c.items.rejected"
MIGRATION_ENDED = "d2c.migration.ended"

OUTBOX = "outbox/"
SENT = "outbox-sent/"
FAILED = "outbox-failed/"
ATTEMPTS = "outbox-attempts/"


logger = logging.getLogger(__name__)
FIRST_INTERVAL = timedelta(minutes=1)
PATIENCE = timedelta(hours=24)
SIDE_BY_SIDE = 16
# Four times a hanging receiver's timeout at the most; the other events are due at the next run.
MOST_AT_ONCE = 64
MOST_EVENT_BYTES = 2**18
EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")


def notify(
    lake: Lake,
    settings: Settings,
    kind: str,
    migration: str,
    table: str | None,
    data: Mapping[str, Any],
    *identity: str | int,
) -> None:
    """Put an event into the outbox, once however often this is called for it; nothing if no webhook is set.

    Args:
        lake: where the outbox is.
        settings: the app's.
        kind: the event's type, one of the constants of this module.
        migration: the migration's id.
        table: the table's name, or None for an event of the whole migration.
        data: of the event: small, without secrets, and nothing of an item.
        identity: distinguishes this event from others of its kind and table, such as the number of the retry.
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
    """Return the id, which is a file's name and part of the signed text, so it has no dot and no slash."""
    parts = json.dumps([kind, migration, table, *identity])
    return f"evt_{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def notify_of_table(lake: Lake, settings: Settings, migration: str, end: TableEnd) -> None:
    """Put an event into the outbox that a table ended, and another one if items of it were rejected.

    An error's detail is left out, because it may name a key or a document; the HTTP API has it.

    Args:
        lake: where the outbox is.
        settings: the app's.
        migration: its id.
        end: the table's line of the log of tables that ended.
    """
    table, error = end["table"], end["error"]
    data: dict[str, Any] = {name: value for name, value in end.items() if name != "table"}
    if error:
        data["error"] = {"title": error["title"], "next_step": error["next_step"]}
    notify(lake, settings, TABLE_ENDED, migration, table, data, end["operation"])
    if data.get("items_rejected"):
        rejected = {name: data[name] for name in ("operation", "items_rejected", "items_exported")}
        notify(lake, settings, ITEMS_REJECTED, migration, table, rejected, end["operation"])


class Receiver(Protocol):
    """The receiver of events; `d2c.clients.webhook.Webhook` outside of tests."""

    async def send(self, event_id: str, event: bytes) -> None:
        """Send an event once, or raise a TransientError."""


class Delivery:
    """Takes events from the outbox to a receiver.

    Args:
        lake: where the outbox is.
        receiver: of the events.
        now: returns the time.
    """

    def __init__(
        self, lake: AsyncLake, receiver: Receiver, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._lake = lake
        self._receiver = receiver
        self._now = now
        self._free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def deliver_new(self, event_id: str) -> None:
        """Send an event that has just been written, unless an attempt was made already."""
        for known in _known([event_id]):
            if not await self._lake.exists(f"{ATTEMPTS}{known}.jsonl"):
                await self._deliver(known)

    async def deliver_what_is_due(self) -> None:
        """Send every event of the outbox again whose age has doubled since its last attempt, in parallel.

        Raises:
            D2CError: if the lake failed for one of them; the others have been sent all the same.
        """
        waiting = await self._lake.sizes(OUTBOX)
        ids = list(_known(name.removesuffix(".json") for name in waiting))
        measure("d2c.outbox.events", len(ids))
        flags = await asyncio.gather(*(self._is_due(event_id) for event_id in ids), return_exceptions=True)
        due = [event_id for event_id, is_due in zip(ids, flags, strict=True) if is_due is True]
        chosen = (self._deliver(event_id) for event_id in due[:MOST_AT_ONCE])
        outcomes = [*flags, *await asyncio.gather(*chosen, return_exceptions=True)]
        for failure in outcomes:
            if isinstance(failure, BaseException):
                raise failure

    async def _deliver(self, event_id: str) -> None:
        """Send an event of the outbox; one that fails stays there, and is given up once it is a day old."""
        async with self._free:
            event = await self._lake.read(f"{OUTBOX}{event_id}.json", MOST_EVENT_BYTES)
            if event is None:
                return
            if not _is_event(event):
                logger.error("%s%s.json is no event and is moved to %s", OUTBOX, event_id, FAILED)
                await self._move(event_id, event, FAILED)
                return
            if await self._lake.exists(f"{SENT}{event_id}.json"):
                await self._lake.delete(f"{OUTBOX}{event_id}.json")
                return
            with log_fields(**_subject_of(event)):
                await self._send(event_id, event)

    async def _send(self, event_id: str, event: bytes) -> None:
        try:
            await self._receiver.send(event_id, event)
        except TransientError as error:
            await self._note(event_id, error.texts()["detail"])
            await self._give_up_if_old(event_id, event, error)
        else:
            await self._note(event_id, "delivered")
            await self._move(event_id, event, SENT)

    async def _is_due(self, event_id: str) -> bool:
        attempts = await self._lake.read_log(f"{ATTEMPTS}{event_id}.jsonl")
        event = await self._lake.read(f"{OUTBOX}{event_id}.json", MOST_EVENT_BYTES)
        return event is not None and is_due(self._now(), written_at(event), attempts)

    async def _give_up_if_old(self, event_id: str, event: bytes, error: TransientError) -> None:
        if self._now() - written_at(event) < PATIENCE:
            logger.warning("Event %s: %s", event_id, error)
            return
        logger.error("Event %s is given up after a day and moved to %s: %s", event_id, FAILED, error.detail)
        await self._move(event_id, event, FAILED)

    async def _note(self, event_id: str, outcome: str) -> None:
        entry = {"at": self._now().isoformat(timespec="milliseconds"), "found": outcome}
        await self._lake.append(f"{ATTEMPTS}{event_id}.jsonl", entry)

    async def _move(self, event_id: str, event: bytes, folder: str) -> None:
        await self._lake.write(f"{folder}{event_id}.json", event)
        await self._lake.delete(f"{OUTBOX}{event_id}.json")


def _known(ids: Iterable[str]) -> Iterable[str]:
    """Yield the ids of events; other files in the outbox are reported in the log and ignored."""
    for event_id in ids:
        if EVENT_ID.fullmatch(event_id):
            yield event_id
        else:
            logger.warning("%s%s.json is no event of this app and is not sent; remove it", OUTBOX, event_id)


def _subject_of(event: bytes) -> dict[str, str]:
    """Return the migration and the table of an event, as far as its file has them."""
    try:
        data = orjson.loads(event)["data"]
        return {name: str(data[name]) for name in ("migration", "table") if name in data}
    except (ValueError, KeyError, TypeError):
        return {}


def _is_event(content: bytes) -> bool:
    """Return whether a file of the outbox is a JSON object in UTF-8, which is all that its delivery asks for."""
    try:
        return isinstance(orjson.loads(content), dict)
    except orjson.JSONDecodeError:
        return False


def written_at(event: bytes) -> datetime:
    """Return the time of an event; the year 1970 if its file has none."""
    try:
        return _time(orjson.loads(event)["time"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def is_due(now: datetime, written_at: datetime, attempts: list[Any]) -> bool:
    """Return whether an event is due: its age has doubled since the last attempt, at least a minute later.

    An attempt in the future, which a clock that was set back leaves, does not delay it.
    """
    last = _last_attempt(attempts) or written_at
    interval = max(FIRST_INTERVAL, last - written_at)
    return not timedelta() <= now - last < interval


def _last_attempt(attempts: list[Any]) -> datetime | None:
    """Return the time of the last attempt; None if there was none, or its line has none."""
    try:
        return _time(attempts[-1]["at"])
    except (LookupError, ValueError, TypeError, OverflowError):
        return None
