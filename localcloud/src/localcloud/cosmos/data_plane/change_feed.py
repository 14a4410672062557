"""The change feed in its latest-version mode: each document once, at the place of its last write; deletes do not show.

https://learn.microsoft.com/azure/cosmos-db/nosql/change-feed-modes
"""

import orjson

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.queries import LARGEST_PAGE_BYTES, Part
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage.charges import query_charge
from localcloud.cosmos.storage.documents import Documents
from localcloud.cosmos.storage.store import Container

MODES = ("incremental feed",)
DEFAULT_PAGE_ITEMS = 100


def read_change_feed(call: Call, container: Container, part: Part) -> Answer:
    """Return the changes after the etag in ``If-None-Match``: of all time without one, from now on with ``*``.

    Raises:
        CosmosError: 400, for a mode or a start that is not supported.
    """
    mode = call.headers["a-im"]
    if mode.lower() not in MODES or "if-modified-since" in call.headers:
        raise CosmosError(400, f"The change feed {mode} from a point in time is not supported here.")
    after = _after(call)
    asked = call.number("x-ms-max-item-count", DEFAULT_PAGE_ITEMS)
    documents = Documents(call.store, container)
    changes: list[orjson.Fragment] = []
    size, last = 0, after
    selected = "select sequence, body, written_at from documents where"
    rows = call.store.connection.execute(
        f"{selected} {part.where} and sequence>? order by sequence", [*part.values, after]
    )
    for sequence, body, written_at in rows:
        full = len(changes) >= (asked if asked > 0 else DEFAULT_PAGE_ITEMS)
        if changes and (full or size + len(body) > LARGEST_PAGE_BYTES):
            break
        last = sequence
        if not documents.is_expired(body, written_at):
            changes.append(orjson.Fragment(body[:-1] + b',"_lsn":%d}' % sequence))
            size += len(body)
    etag = {"etag": f'"{last}"'}
    if not changes:
        return Answer(b"", 304, headers=etag)
    return json_answer(
        {"_rid": container.properties["_rid"], "Documents": changes, "_count": len(changes)},
        charge=query_charge(size),
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
