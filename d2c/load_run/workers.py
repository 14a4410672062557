"""The Spark workers of assess and load: iterators of Arrow batches of data files in, iterators of batches out.

Each function here returns a worker for ``DataFrame.mapInArrow``. A data file arrives as one row: by its path where
workers can open it, and are bounded in memory then, or whole from the ``binaryFile`` source. That takes about twice its
compressed size in Python and up to seven times in the JVM's heap (`benchmarks/large_data_file.py`). Lines are
decompressed in pieces, and batches are bounded in bytes.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from pyarrow import RecordBatch

from d2c.export_format import DataFile, ExportFormatError, lines_of
from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import (
    OUTCOME,
    Batches,
    Row,
    Worker,
    check_rest,
    checked_blocks,
    files_of,
    pack,
)
from d2c.load_run.census.counts import Census
from d2c.load_run.census.first_levels import sampled_of_a_file
from d2c.load_run.kernel import items
from d2c.load_run.kernel.rules import CENSUS, DOCUMENTS
from d2c.load_run.limits import Allowance
from d2c.load_run.mappers import AnyMapper, map_for_writing, request_mapper
from d2c.load_run.request import LoadRequest
from d2c.mapping import (
    Document,
    Mapped,
    MappedShape,
    Rejected,
)


def assess_files(request: LoadRequest, files: Sequence[DataFile], assessed_at: int) -> Worker:
    """Map every item and emit rejected items, tallies and censuses, before anything is written.

    Args:
        request: the load request, with the rules.
        files: the export's data files.
        assessed_at: epoch seconds at which items count as expired or not.
    """

    def map_line(mapper: AnyMapper, line: bytes) -> Mapped:
        return mapper.map_line(line, assessed_at)

    def row_of(mapped: Mapped, file: str, line: int) -> Row | None:
        if isinstance(mapped, Rejected):
            return "rejected", mapped.to_json_line(file, line)
        return None

    return _outcome_worker(request, files, map_line, row_of, lambda: assessed_at, takes_census=True)


def load_files(request: LoadRequest, files: Sequence[DataFile], assessed_at: int) -> Worker:
    """Map every item and emit documents and tallies; an item rejected by assess stays rejected.

    Args:
        request: the load request, with the rules.
        files: the export's data files.
        assessed_at: as given to `assess_files`.
    """

    def map_line(mapper: AnyMapper, line: bytes) -> Mapped:
        return map_for_writing(mapper, line, assessed_at)

    def row_of(mapped: Mapped, file: str, line: int) -> Row | None:
        return ("document", mapped.body) if isinstance(mapped, Document) else None

    return _outcome_worker(request, files, map_line, row_of, lambda: int(time.time()))


def merge_censuses(batches: Batches) -> Iterator[RecordBatch]:
    """Merge the censuses of several files into one, so that those of thousands of files need not meet in the driver.

    A worker for rows of ``body``, the tallies of `assess_files`. It emits them as ``file`` without their censuses, and
    last the merged ``census``.
    """
    return pack(_merged_rows(batches), OUTCOME)


def _merged_rows(batches: Batches) -> Iterator[Row]:
    merged = None
    for batch in batches:
        for body in batch.column("body"):
            tally = json.loads(body.as_py())
            census = Census.from_json(tally.pop("census"))
            if merged is None:
                merged = census
            else:
                merged.merge(census)
            yield "file", json.dumps(tally)
    if merged:
        yield "census", json.dumps(merged.to_json())


def _outcome_worker(
    request: LoadRequest,
    files: Sequence[DataFile],
    map_line: Callable[[AnyMapper, bytes], Mapped],
    row_of: Callable[[Mapped, str, int], Row | None],
    clock: items.Clock,
    *,
    takes_census: bool = False,
) -> Worker:
    """Return a worker that emits the ``row_of`` each item, and a tally after each file.

    A file ends early with far more rejected items than the plan allows: the table fails in any case.
    """
    listed = {file.name: file for file in files}

    def rows_of(
        mapper: AnyMapper,
        lines: items.Lines,
        blocks: Iterator[bytes],
        tally: FileTally,
        census: Census | None,
    ) -> Iterator[Row | RecordBatch]:
        allowance = Allowance(request.max_rejected_items)
        to_sample = sampled_of_a_file(len(files)) if len(mapper.rules.partition_key) > 1 else 0
        for block in blocks:
            if census is not None and to_sample:
                for line in islice(lines_of(block), to_sample):
                    census.first_levels.add(map_line(mapper, line))
                    to_sample -= 1
            for line in lines.left_of(block, tally):
                mapped = map_line(mapper, line)
                tally.count(mapped)
                if census is not None:
                    census.add(mapped)
                row = row_of(mapped, tally.file, tally.lines)
                if row is not None:
                    yield from lines.emit(row)
                if isinstance(mapped, Rejected) and not allowance.covers(mapped):
                    tally.stopped = True
                    return
            yield from lines.batches()

    def rows(batches: Batches) -> Iterator[Row | RecordBatch]:
        mapped_shape = MappedShape() if takes_census else None
        mapper = request_mapper(request, mapped_shape)
        rules = mapper.rules
        lines = items.lines_mapper(rules, CENSUS if takes_census else DOCUMENTS, clock)
        for name, content in files_of(batches):
            tally = FileTally(name)
            census = Census(mapped_shape, rules.drop, rules.ttl_attribute) if mapped_shape else None
            lines.begin(census)
            try:
                # Assess writes nothing, so it need not know before the first line that the file is the listed one.
                blocks = checked_blocks(listed, name, content, md5_first=not takes_census)
                yield from rows_of(mapper, lines, blocks, tally, census)
                if tally.stopped:
                    check_rest(listed, name, content)
            except ExportFormatError as error:
                tally.fault, tally.stopped = error.detail, False
            yield from lines.batches(to_the_end=True)
            lines.end(census)
            tally.census = None if census is None else census.to_json()
            yield "file", tally.to_json()

    return lambda batches: pack(rows(batches), OUTCOME)
