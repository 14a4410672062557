"""The Spark workers of replay: rows of rejected items as JSON lines in, their outcomes out."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson

from d2c.errors import PermanentError
from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import OUTCOME, Batches, Row, Worker, pack
from d2c.load_run.mappers import AnyMapper, map_for_writing, request_mapper, request_mappers
from d2c.load_run.request import LoadRequest
from d2c.mapping import REASONS, Document, Mapped, Mapper, Rejected
from d2c.mapping.rejected import MALFORMED_LINE, shown


def decide(request: LoadRequest, decided_at: int) -> Worker:
    """Map every rejected item and emit those that stay rejected, by file and line of the export.

    Args:
        request: the load request, with the previous and the new rules.
        decided_at: epoch seconds at which items count as expired or not.
    """

    def map_line(mapper: AnyMapper, line: bytes) -> Mapped:
        return mapper.map_line(line, decided_at)

    def row_of(mapped: Mapped, kept: dict[str, Any]) -> Row | None:
        if isinstance(mapped, Rejected):
            return "rejected", mapped.to_json_line(kept["file"], kept["line"])
        return None

    return _replay_worker(request, map_line, row_of)


def write(request: LoadRequest, decided_at: int) -> Worker:
    """Map every rejected item and emit its document, if it became one.

    Args:
        request: as given to `decide`.
        decided_at: as given to `decide`.
    """

    def map_line(mapper: AnyMapper, line: bytes) -> Mapped:
        return map_for_writing(mapper, line, decided_at)

    def row_of(mapped: Mapped, kept: dict[str, Any]) -> Row | None:
        return ("document", mapped.body) if isinstance(mapped, Document) else None

    return _replay_worker(request, map_line, row_of)


def _replay_worker(
    request: LoadRequest,
    map_line: Callable[[AnyMapper, bytes], Mapped],
    row_of: Callable[[Mapped, dict[str, Any]], Row | None],
) -> Worker:
    """Return a worker that emits the ``row_of`` each item, and a tally after each part of a file."""

    def rows(batches: Batches) -> Iterator[Row]:
        mapper, mappers = request_mapper(request), request_mappers(request)
        for part, lines in groupby(_lines(batches), key=lambda row: row[0]):
            tally = FileTally(part)
            for _, text in lines:
                kept, rejected = _read(text)
                line = _export_line(rejected)
                mapped = map_line(mapper, line) if _is_original(mappers, rejected, line) else rejected
                tally.count(mapped)
                row = row_of(mapped, kept)
                if row is not None:
                    yield row
            yield "file", tally.to_json()

    return lambda batches: pack(rows(batches), OUTCOME)


def _lines(batches: Batches) -> Iterator[tuple[str, bytes]]:
    for batch in batches:
        for part, value in zip(batch.column("part"), batch.column("value"), strict=True):
            yield part.as_py(), value.as_py().encode()


def _read(text: bytes) -> tuple[dict[str, Any], Rejected]:
    """Return a rejected item's JSON line as parsed, and with ``item`` as text, since parsing loses digits and names.

    Raises:
        PermanentError: if no load run wrote it.
    """
    try:
        kept = orjson.loads(text)
        others = orjson.dumps({name: value for name, value in kept.items() if name != "item"})
        item = text[len(others[:-1]) + len(',"item":') : -1]
        rejected = Rejected(kept["reason"], kept["detail"], kept["keys"], item)
        is_ours = rejected.reason in REASONS and rejected.to_json_line(kept["file"], kept["line"]) == text
        # A second field "item" would be part of the text.
        is_ours = is_ours and orjson.loads(item) == kept["item"]
    except (ValueError, TypeError, KeyError, AttributeError):
        is_ours = False
    if not is_ours:
        raise PermanentError(
            f"The lake has a rejected item that no load run wrote: {shown(text.decode(errors='replace'))}",
            "Stop other writers to the rejected items in the lake. The export in the lake is unchanged.",
        )
    return kept, rejected


def _export_line(rejected: Rejected) -> bytes:
    """Rebuild the data file's line from a rejected item, as far as it is stored there."""
    if rejected.item.startswith(b'"'):
        text: str = orjson.loads(rejected.item)
        return text.encode()
    return b'{"Item":' + rejected.item + b"}"


def _is_original(mappers: Sequence[Mapper], rejected: Rejected, line: bytes) -> bool:
    r"""Return whether a rebuilt line is the one that was rejected.

    The fault of a malformed line may be outside of its item, or in bytes that are stored as ``\xNN``. Then the rebuilt
    line could become a document that the export's own line never becomes.
    """
    if rejected.reason != MALFORMED_LINE:
        return True
    again = [mapper.map_line(line, 0) for mapper in mappers]
    causes = [(one.reason, one.detail) for one in again if isinstance(one, Rejected)]
    return (rejected.reason, rejected.detail) in causes
