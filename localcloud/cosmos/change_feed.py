"""The change feed in its latest-version mode: each document once, at the place of its last write; deletes do not show.

https://learn.microsoft.com/azure/cosmos-db/nosql/change-feed-modes
"""

import orjson

from localcloud.cosmos.calls import Answer, Call, json_answer
from localcloud.cosmos.charges import query_charge
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.queries import Part
from localcloud.cosmos.store import Container

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
    connection = call.store.connection
    etag = call.headers.get("if-none-match", "0").strip('"')
    after = call.store.next_number - 1 if etag == "*" else int(etag)
    most = int(call.headers.get("x-ms-max-item-count") or DEFAULT_PAGE_ITEMS)
    selected = "select sequence, body from documents where"
    rows = connection.execute(
        f"{selected} {part.where} and sequence>? order by sequence limit ?",
        [*part.values, after, most if most > 0 else DEFAULT_PAGE_ITEMS],
    ).fetchall()
    if not rows:
        return Answer(b"", 304, headers={"etag": f'"{after}"'})
    changes = [orjson.Fragment(body[:-1] + b',"_lsn":%d}' % sequence) for sequence, body in rows]
    size = sum(len(body) for _, body in rows)
    return json_answer(
        {"_rid": container.properties["_rid"], "Documents": changes, "_count": len(changes)},
        charge=query_charge(size),
        headers={"etag": f'"{rows[-1][0]}"', "x-ms-item-count": str(len(changes))},
    )
