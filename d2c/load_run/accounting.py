"""Account for every item: count the outcomes of each data file's lines, and check the sums."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.field_types import wrong_fields
from d2c.mapping import Document, Expired, Mapped

# A worker receives a file as one Arrow value. Spark 4.0 doubles the buffer of such a value, which it cannot above
# 1 GiB: it fails, or copies without end. The limit leaves some room for the other columns.
LARGEST_DATA_FILE_BYTES = 1_000_000_000
LONGEST_SHOWN = 300


@dataclass
class FileTally:
    """The outcomes of the lines of one data file; ``fault`` is the reason if it could not be read to its end.

    ``stopped`` means that it was not mapped to its end, because of its rejected items. Assess adds the file's
    ``census``, as returned by `Census.to_json`.
    """

    file: str
    lines: int = 0
    documents: int = 0
    expired: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    document_bytes: int = 0
    fault: str | None = None
    stopped: bool = False
    census: dict[str, Any] | None = None

    def count(self, mapped: Mapped) -> None:
        """Count the outcome of one line."""
        self.lines += 1
        if isinstance(mapped, Document):
            self.documents += 1
            self.document_bytes += len(mapped.body)
        elif isinstance(mapped, Expired):
            self.expired += 1
        else:
            self.rejected[mapped.reason] += 1

    def to_json(self) -> str:
        """Return the tally as one line of JSON."""
        return json.dumps(vars(self))


def parse_tallies(text: str) -> list[FileTally]:
    """Read tallies from JSON lines.

    Spark may report a file twice if a task ran twice. Both tallies are equal, so one is kept.
    """
    tallies = [_tally(json.loads(line)) for line in text.split("\n") if line]
    by_file = {tally.file: tally for tally in tallies}
    return [by_file[name] for name in sorted(by_file)]


def tally_of(found: Mapping[str, Any]) -> FileTally:
    """Return a tally that another run wrote.

    Raises:
        ValueError, TypeError, KeyError or AttributeError: if it is none.
    """
    tally = _tally(found)
    counts = (tally.lines, tally.documents, tally.expired, tally.document_bytes, *tally.rejected.values())
    if wrong_fields(tally) or not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("no tally of a data file")
    return tally


def _tally(found: Mapping[str, Any]) -> FileTally:
    return FileTally(**{**found, "rejected": Counter(found["rejected"])})


def check_files_present(files: Sequence[DataFile], sizes: Mapping[str, int]) -> None:
    """Check that a folder has the manifest's data files, none of them empty, and no others.

    Args:
        files: the manifest's list.
        sizes: the folder's files by name, in bytes.

    Raises:
        PermanentError: with the first few that are missing, not listed or empty.
    """
    listed = {file.name for file in files}
    found = {
        "missing": listed - sizes.keys(),
        "not in the manifest": sizes.keys() - listed,
        "of 0 bytes, which no gzip has": {name for name in listed if sizes.get(name) == 0},
    }
    parts = [f"{fault}: {_some(sorted(names))}" for fault, names in found.items() if names]
    if parts:
        raise PermanentError(
            f"The copied data files differ from the export's manifest ({'; '.join(parts)}).",
            "Copy the export again, into an empty folder, then start again.",
        )


def check_file_sizes(sizes: Mapping[str, int], limit_bytes: int = LARGEST_DATA_FILE_BYTES) -> None:
    """Check that Spark can pass each data file as a whole to a worker.

    Args:
        sizes: the data files by name, in bytes.
        limit_bytes: the largest allowed size.

    Raises:
        PermanentError: with the first few that are larger.
    """
    larger = [f"{name} ({size:,} bytes)" for name, size in sorted(sizes.items()) if size > limit_bytes]
    if larger:
        raise PermanentError(
            f"{len(larger)} of {len(sizes)} data files are larger than {limit_bytes:,} bytes, the limit for "
            f"checking and mapping one: {_some(larger)}. Nothing was written to the container.",
            "Export the table again, which distributes its items differently over files. If a file is too large again, "
            "d2c cannot load this table.",
            title="A data file is too large",
        )


def check_conservation(files: Sequence[DataFile], tallies: Iterable[FileTally]) -> None:
    """Check that each file was read completely and that each of its items has exactly one outcome.

    Raises:
        PermanentError: with the first few files that fail the check.
    """
    by_name = {tally.file: tally for tally in tallies}
    faults = [fault for file in files if (fault := _file_fault(file, by_name.get(file.name)))]
    if faults:
        raise PermanentError(
            f"{len(faults)} of {len(files)} data files do not match the export's manifest: {_some(faults)}.",
            "Copy the export again. If the error persists, export the table again.",
        )


def is_sound(file: DataFile, tally: FileTally) -> bool:
    """Return whether a data file was read to its end and each of its items has exactly one outcome."""
    return not tally.stopped and _file_fault(file, tally) is None


def _file_fault(file: DataFile, tally: FileTally | None) -> str | None:
    if tally is None:
        return f"{file.name} was not read"
    if tally.fault:
        return tally.fault.removesuffix(".")
    accounted = tally.documents + tally.expired + tally.rejected.total()
    if tally.lines != file.item_count or accounted != tally.lines:
        return (
            f"{file.name} has {tally.lines} lines, and the manifest has {file.item_count} items; "
            f"{tally.documents} became documents, {tally.expired} are expired and {tally.rejected.total()} rejected"
        )
    return None


def check_replayed(tallies: Iterable[FileTally], rejected_before: int) -> None:
    """Check that a replay read every rejected item once, so that each has exactly one outcome.

    Args:
        tallies: their outcomes.
        rejected_before: how many items earlier runs rejected.

    Raises:
        PermanentError: if it read more or fewer.
    """
    replayed = sum(tally.lines for tally in tallies)
    if replayed != rejected_before:
        raise PermanentError(
            f"The lake has {replayed} rejected items of this table, but earlier runs rejected {rejected_before}.",
            "Stop other writers to the rejected items in the lake. The export in the lake is unchanged.",
        )


def verified(files: Sequence[DataFile], tallies: Iterable[FileTally]) -> int:
    """Return how many data files were read completely and have the manifest's MD5 and item count."""
    by_name = {tally.file: tally for tally in tallies}
    return sum(_file_fault(file, by_name.get(file.name)) is None for file in files)


def tallies_text(tallies: Iterable[FileTally]) -> str:
    """Return tallies as JSON lines."""
    return "".join(tally.to_json() + "\n" for tally in tallies)


def totals(tallies: Iterable[FileTally]) -> dict[str, Any]:
    """Return the sums over all files: lines, documents, expired, rejected (also by reason), document bytes."""
    sums = {"lines": 0, "documents": 0, "expired": 0, "document_bytes": 0}
    by_reason: Counter[str] = Counter()
    for tally in tallies:
        for name in sums:
            sums[name] += getattr(tally, name)
        by_reason += tally.rejected
    return {**sums, "rejected": by_reason.total(), "rejected_by_reason": dict(by_reason)}


def _some(texts: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(
        text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…" for text in texts[:most]
    )
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"
