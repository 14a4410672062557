"""What stands between assess and load: a table says what it assessed, and waits until its container is there.

The container is created and scaled by the app, and only for a table whose items fit. Where that takes longer than a
cluster should wait, the run ends as ``assessed``, and a second one loads by what the first one has written.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.field_types import wrong_fields
from d2c.load_run.unit.log import ended_tables, tables_let_go
from d2c.mapping.rejected import shown
from d2c.shapes import AssessedSums

ASSESSED_FILE = "assessed.json"
# What the notebook reads of it; a census has some 100 KB.
ASSESSED_BYTES = 2**22
FIRST_LOOK_SECONDS, LOOK_FACTOR, LONGEST_LOOK_SECONDS = 0.2, 1.2, 5.0
MOST_RU = 2**53


@dataclass(frozen=True)
class Assessed:
    """What assess found of a table that fits, as the folder of its load run has it.

    Args:
        assessed_at: epoch seconds, by which items count as expired or not.
        assessed: the sums over all items.
        files: how many data files are listed and were verified.
        census: the summary.
        listing: a digest of the data files, to which the load is held.
        stages: those that have ended.
    """

    assessed_at: int
    assessed: Mapping[str, Any]
    files: Mapping[str, Any]
    census: Mapping[str, Any]
    listing: str
    stages: tuple[Mapping[str, Any], ...]

    def to_json(self) -> str:
        """Return it in the form that the run writes to the lake."""
        return json.dumps(asdict(self))

    @property
    def sums(self) -> AssessedSums:
        """What the app needs for the container."""
        return {
            "documents": self.assessed["documents"],
            "document_bytes": self.assessed["document_bytes"],
            "write_ru": self.census["write_ru"],
        }


def assessed_of(value: Any) -> Assessed:
    """Return what a load run wrote of a table that it has assessed.

    Args:
        value: the file's, parsed.

    Raises:
        PermanentError: if it is not such a file.
    """
    try:
        found = Assessed(**value | {"stages": tuple(value["stages"])})
        sums = list(found.sums.values())
    except (TypeError, KeyError) as error:
        raise _not_understood(f"{type(error).__name__}: {error}") from error
    wrong = wrong_fields(found)
    if wrong:
        raise _not_understood(f"wrong values of {', '.join(wrong)}")
    if not all(type(number) is int and 0 <= number < MOST_RU for number in sums):
        raise _not_understood("its sums are impossible")
    return found


def parse_assessed(text: str) -> Assessed:
    """Read what a load run wrote, as `assessed_of`, in another one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_understood(str(error)) from error
    return assessed_of(value)


def _not_understood(cause: str) -> PermanentError:
    return PermanentError(
        f"The file {ASSESSED_FILE} of a load run cannot be read: {shown(cause)}",
        "Stop other writers to the migration's folder in the lake, then retry the table.",
    )


def listing_of(files: Iterable[DataFile]) -> str:
    """Return a digest of the manifest's data files: names, MD5 and numbers of items."""
    lines = sorted(f"{file.name} {file.md5} {file.item_count}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_listing(files: Iterable[DataFile], assessed: Assessed) -> None:
    """Check that the export's data files are those that were assessed.

    Raises:
        PermanentError: if not.
    """
    if listing_of(files) != assessed.listing:
        raise PermanentError(
            "The export's manifest in the lake has changed since its data files were assessed.",
            "Stop other writers to the export's folder, then retry the table, which assesses it again.",
            title="The export has changed",
        )


def is_let_go(
    table: str,
    read_log: Callable[[], str],
    within_seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until the app lets a table be loaded; return False if it does not in time, or the table has ended.

    Args:
        table: its name.
        read_log: returns the text of the log of the run's unit.
        within_seconds: how long a cluster waits.
        clock: monotonic seconds.
        sleep: waits for some seconds.
    """
    ends, seconds = clock() + within_seconds, FIRST_LOOK_SECONDS
    while True:
        log = read_log()
        if table in ended_tables(log):
            return False
        if table in tables_let_go(log):
            return True
        left = ends - clock()
        if left <= 0:
            return False
        sleep(min(seconds, left))
        seconds = min(seconds * LOOK_FACTOR, LONGEST_LOOK_SECONDS)
