"""Running queries over a container's documents, page by page.

A page ends at the asked number of results or at 4 MB. A scan resumes after the last document that it saw; a
query that sorts, aggregates or skips runs again for each page.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

from localcloud.cosmos.data_plane.calls import Call
from localcloud.cosmos.data_plane.parts import ContainerPart
from localcloud.cosmos.errors import NEEDS_QUERY_PLAN, CosmosError
from localcloud.cosmos.sql.expressions import Row
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.sql.plan import count_of
from localcloud.cosmos.sql.query import Query
from localcloud.cosmos.sql.values import UNDEFINED, aggregate, sort_key
from localcloud.cosmos.storage.charges import query_charge
from localcloud.cosmos.storage.container import Container
from localcloud.cosmos.storage.documents import Documents

LARGEST_PAGE_BYTES = 4 * 2**20
DEFAULT_PAGE_ITEMS = 100
MOST_PAGE_ITEMS = 1000


class Page(NamedTuple):
    """A page of results."""

    results: list[Any]
    continuation: str | None
    charge: float


def run_query(
    call: Call, container: Container, part: ContainerPart, text: Any, parameters: Any = None
) -> Page:
    """Run a query for one page.

    Args:
        call: its headers say how many results, and where to resume.
        container: the container.
        part: the part of it to look at.
        text: the query.
        parameters: ``[{"name": "@x", "value": ...}]``.

    Raises:
        CosmosError: 400, for a query that is not understood or not supported; 400/1004, for one over several ranges
            whose results only the client can put together.
    """
    query = parse(text)
    if len(part.partitions) > 1 and not query.streams:
        raise CosmosError(
            400,
            "The provided cross partition query can not be directly served by the gateway.",
            NEEDS_QUERY_PLAN,
        )
    named = values_of(parameters)
    asked = call.number("x-ms-max-item-count", DEFAULT_PAGE_ITEMS)
    most = min(asked, MOST_PAGE_ITEMS) if asked > 0 else MOST_PAGE_ITEMS
    goes_on = call.headers.get("x-ms-continuation")
    scan = _Scan(call, container, part)
    if query.streams:
        return _stream(scan, query, named, most, goes_on)
    start = _continuation(goes_on, int) if goes_on else 0
    if _counts_all(query, text) and container.properties.get("defaultTtl") is None:
        return Page([scan.count()], None, query_charge(0))
    results, is_last = _first_page(islice(_whole(scan, query, named), start, None), most)
    return Page(results, None if is_last else str(start + len(results)), query_charge(scan.bytes_read))


def _first_page(results: Iterator[Any], most: int) -> tuple[list[Any], bool]:
    """Return as many results as a page holds, and whether they are all."""
    page: list[Any] = []
    size = 0
    for result in results:
        text = orjson.dumps(result)
        size += len(text)
        if page and (len(page) == most or size > LARGEST_PAGE_BYTES):
            return page, False
        page.append(orjson.Fragment(text))
    return page, True


def values_of(parameters: Any) -> dict[str, Any]:
    """Return the values of a query's parameters.

    Raises:
        CosmosError: 400, if they are no list of names and values.
    """
    try:
        return {entry["name"]: entry.get("value") for entry in parameters or []}
    except (TypeError, KeyError, AttributeError) as error:
        raise CosmosError(400, "The query's parameters are not an array of names and values.") from error


class _Scan:
    """Goes over documents in the order of the ring, without expired ones, and counts the bytes that it reads."""

    def __init__(self, call: Call, container: Container, part: ContainerPart) -> None:
        self._connection = call.store.connection
        self._part = part
        self._documents = Documents(call.store, container)
        self._expires = container.properties.get("defaultTtl") is not None
        self.bytes_read = 0

    def rows(self, after: list[Any] | None = None) -> Iterator[tuple[str, int, bytes]]:
        where, values = self._part.where, self._part.values
        if after:
            where, values = f"{where} and (ring, number)>(?,?)", [*values, *after]
        selected = "select ring, number, body, written_at from documents"
        selected = f"{selected} where {where} order by ring, number"
        for ring, number, body, written_at in self._connection.execute(selected, values):
            self.bytes_read += len(body)
            if not (self._expires and self._documents.is_expired(body, written_at)):
                yield ring, number, body

    def count(self) -> int:
        selected = f"select count(*) from documents where {self._part.where}"  # noqa: S608 - made of constants
        return int(self._connection.execute(selected, self._part.values).fetchone()[0])


def _stream(scan: _Scan, query: Query, named: dict[str, Any], most: int, goes_on: str | None) -> Page:
    results: list[Any] = []
    size, last = 0, None
    after = _continuation(goes_on, list) if goes_on else None
    started = time.monotonic()
    for ring, number, body in scan.rows(after):
        found = list(_results(query, [body], named))
        full = len(results) + len(found) > most or size + len(body) > LARGEST_PAGE_BYTES
        # The service ends a page after some seconds even if it found little.
        if last and ((full and results) or time.monotonic() - started > 5):
            return Page(results, orjson.dumps(last).decode(), query_charge(scan.bytes_read))
        results += found
        size += len(body) if found else 0
        last = [ring, number]
    return Page(results, None, query_charge(scan.bytes_read))


def _whole(scan: _Scan, query: Query, named: dict[str, Any]) -> Iterator[Any]:
    """Yield all results of a query that needs more than one document for a result."""
    top, offset, limit = (count_of(each, named) for each in (query.top, query.offset, query.limit))
    rows: Iterable[tuple[str, int, bytes]] = scan.rows()
    if query.order:
        # Of equal values the one with the lower resource id comes first, or last if the first order is descending:
        # `com.azure.cosmos.implementation.query.OrderByUtils` relies on it where it resumes.
        rows = sorted(rows, key=lambda row: row[1], reverse=query.order[0].descending)
    results = _results(query, (body for _, _, body in rows), named)
    if query.distinct:
        results = _without_repetition(results)
    if offset is not None and limit is not None:
        results = islice(results, offset, offset + limit)
    return islice(results, top)


def _results(query: Query, bodies: Iterable[bytes], named: dict[str, Any]) -> Iterator[Any]:
    if query.kind == "*" and not query.where and not query.order:
        yield from map(orjson.Fragment, bodies)
        return
    rows: Iterable[Row] = (Row(orjson.loads(body), named, []) for body in bodies)
    if query.where:
        where = query.where.expression
        rows = (row for row in rows if where(row) is True)
    if query.aggregates or query.group:
        rows = _groups(query, rows, named)
    for order in reversed(query.order):
        rows = sorted(
            rows,
            key=lambda row, value=order.by.expression: sort_key(value(row)),  # type: ignore[misc]
            reverse=order.descending,
        )
    projected = (_projected(query, row) for row in rows)
    yield from (result for result in projected if result is not UNDEFINED)


def _groups(query: Query, rows: Iterable[Row], named: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for each group, with its aggregates; without GROUP BY there is one group, of all rows."""
    groups: dict[Any, list[Row]] = {} if query.group else {(): []}
    for row in rows:
        key = tuple(sort_key(part.expression(row)) for part in query.group)
        groups.setdefault(key, []).append(row)
    for held in groups.values():
        totals = [aggregate(each.name, map(each.argument.expression, held)) for each in query.aggregates]
        yield Row(held[0].document if query.group else {}, named, totals)


def _projected(query: Query, row: Row) -> Any:
    if query.kind == "*":
        return row.document
    values = [(column.name, column.value.expression(row)) for column in query.columns]
    return values[0][1] if query.kind == "value" else {n: v for n, v in values if v is not UNDEFINED}


def _without_repetition(results: Iterable[Any]) -> Iterator[Any]:
    seen = set()
    for result in results:
        text = orjson.dumps(result, option=orjson.OPT_SORT_KEYS)
        if text not in seen:
            seen.add(text)
            yield result


def _counts_all(query: Query, text: str) -> bool:
    return (
        text.split()[:3] == ["SELECT", "VALUE", "COUNT(1)"] and len(query.aggregates) == 1 and not query.where
    )


def _continuation(text: str, kind: type) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, kind):
        raise CosmosError(400, "The continuation token is malformed.")
    return value
