"""The data files that a load run has done, group by group: after a lost cluster, the next run goes on with the others.

Each group is a file in the lake, written once its Spark job has returned. One that is not whole, or that was made for
another request, does not count: its files are done again, which changes nothing but costs what they cost.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from d2c.export_format import DataFile
from d2c.foreign_json import json_value
from d2c.load_run.accounting import FileTally, is_sound, tally_of
from d2c.load_run.census.counts import merged, summarise
from d2c.load_run.request import LoadRequest

GROUP_BYTES = 16 * 2**20
"""What a group's file may have: some hundred bytes for each data file, and a census."""
SUFFIX = ".json"
# What the outcome of a data file depends on; its container is held for the operation meanwhile.
MADE_FOR = (
    "table_arn",
    "export_arn",
    "export_folder",
    "hash_key",
    "range_key",
    "ttl_attribute",
    "rules_history",
    "max_rejected_items",
    "cosmos_endpoint",
    "database",
    "container",
)
Json = dict[str, Any]


@dataclass(frozen=True)
class DoneGroup:
    """Data files that a stage is done with.

    Args:
        name: the group's file, without its suffix.
        began_at: epoch seconds at which the stage began, in the first run that did something of it.
        tallies: one for each data file.
        census: that of all of them together; None unless the stage takes one.
    """

    name: str
    began_at: int
    tallies: tuple[FileTally, ...]
    census: Json | None

    @property
    def files(self) -> set[str]:
        """The names of the data files."""
        return {tally.file for tally in self.tallies}

    @property
    def has_rejected(self) -> bool:
        """Whether items of it were rejected."""
        return any(tally.rejected for tally in self.tallies)


def group_name(request: LoadRequest, stage: str, number: int) -> str:
    """Return the name of a group, which begins with that of the run's result folder.

    Args:
        request: the table's.
        stage: the stage.
        number: of the group within the run.
    """
    return f"{request.result_folder.rpartition('/')[2]}.{stage}.{number}"


def is_group_of(file_name: str, stage: str) -> bool:
    """Return whether a file is that of a group of a stage."""
    return re.fullmatch(rf".+\.{stage}\.[0-9]+{re.escape(SUFFIX)}", file_name) is not None


def made_for(request: LoadRequest) -> str:
    """Return a digest of what the outcome of a data file depends on."""
    text = json.dumps([asdict(request)[name] for name in MADE_FOR])
    return hashlib.sha256(text.encode()).hexdigest()


def group_text(request: LoadRequest, group: DoneGroup) -> str:
    """Return a group as its file has it."""
    return json.dumps(
        {
            "made_for": made_for(request),
            "began_at": group.began_at,
            "tallies": [vars(tally) for tally in group.tallies],
            "census": group.census,
        }
    )


def parse_group(
    name: str, text: str, request: LoadRequest, listed: Mapping[str, DataFile]
) -> DoneGroup | None:
    """Read a group as `group_text` wrote it; None if it is not whole, or was made for something else.

    Args:
        name: the group's.
        text: the file's.
        request: the table's.
        listed: the manifest's data files by name.
    """
    try:
        found = json_value(text.encode(errors="replace"), name, GROUP_BYTES)
        group = DoneGroup(name, found["began_at"], tuple(map(tally_of, found["tallies"])), found["census"])
        if found["made_for"] != made_for(request) or type(group.began_at) is not int:
            return None
        _check_census(group.census)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None
    is_whole = len(group.files) == len(group.tallies) and all(
        tally.file in listed and is_sound(listed[tally.file], tally) for tally in group.tallies
    )
    return group if is_whole else None


def _check_census(census: Json | None) -> None:
    """Raise an error if a census cannot be merged with others; the second time counts are added to counts."""
    if census is not None:
        summarise(merged([census, census]))


def without_repeated(groups: Iterable[DoneGroup]) -> list[DoneGroup]:
    """Return the groups without those that have a data file of another one."""
    found: list[DoneGroup] = []
    names: set[str] = set()
    for group in groups:
        if names.isdisjoint(group.files):
            found.append(group)
            names |= group.files
    return found
