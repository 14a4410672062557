"""The change feed in its latest-version mode: each document once, at the place of its last write; deletes do not show.

https://learn.microsoft.com/azure/cosmos-db/nosql/change-feed-modes
"""

from email.utils import parsedate_to_datetime

import orjson

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.parts import ContainerPart
from localcloud.cosmos.data_plane.queries import LARGEST_PAGE_BYTES
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage.charges import query_charge
from localcloud.cosmos.storage.container import Container
from localcloud.cosmos.storage.documents import Documents

MODES = ("incremental feed",)
DEFAULT_PAGE_ITEMS = 100


def read_change_feed(call: Call, container: Container, part: ContainerPart) -> Answer:
    """Return the changes after the etag in ``If-None-Match``: of all time without one, from now on with ``*``.

    The first call may name a time in ``If-Modified-Since`` instead.

    Raises:
        CosmosError: 400, for a mode or a start that is not supported.
    """
    mode = call.headers["a-im"]
    if mode.lower() not in MODES:
        raise CosmosError(400, f"The change feed {mode} is not supported here.")
    after, since = _after(call), _since(call)
    asked = call.number("x-ms-max-item-count", DEFAULT_PAGE_ITEMS)
    documents = Documents(call.store, container)
    changes: list[orjson.Fragment] = []
    size, last = 0, after
    selected = "select sequence, body, written_at from documents where"
    rows = call.store.connection.execute(
        f"{selected} {part.where} and sequence>? and written_at>=? order by sequence",
        [*part.values, after, since],
    )
    for sequence, body, written_at in rows:
        full = len(changes) >= (asked if asked > 0 else DEFAULT_PAGE_ITEMS)
        if changes and (full or size + len(body) > LARGEST_PAGE_BYTES):
            break
        last = sequence
        if not documents.is_expired(body, written_at):
            changes.append(orjson.Fragment(body[:-1] + b',"_lsn":%d}' % sequence))
            size += len(body)
    if since and not changes:
        last = call.store.next_number - 1
    etag = {"etag": f'"{last}"'}
    if not changes:
        return Answer(b"", 304, headers=etag)
    return json_answer(
        {"_rid": container.properties["_rid"], "Documents": changes, "_count": len(changes)},
        charge=part.spend(query_charge(size)),
        headers={**etag, "x-ms-item-count": str(len(changes))},
    )


def _after(call: Call) -> int:
    """Return the number of the last write that the caller knows."""
    etag = call.headers.get("if-none-match", "0").strip('"')
    if etag == "*":
        return call.store.next_number - 1
    if not etag.isdecimal():
        raise CosmosError(400, "The continuation of the change feed is malformed.")
    return int(etag)


def _since(call: Call) -> float:
    """Return the time from which the caller wants changes, in epoch seconds; 0 for all time."""
    text = call.headers.get("if-modified-since")
    if not text or "if-none-match" in call.headers:
        return 0
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError as error:
        raise CosmosError(400, f"The time {text} of the change feed is malformed.") from error
