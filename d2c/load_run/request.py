"""The request of a load run: a JSON file in the lake, whose path is the notebook's only parameter.

It lists the paths of the requests of the tables that the run loads, several at once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from d2c.errors import PermanentError
from d2c.field_types import wrong_fields
from d2c.load_run.census.counts import LOGICAL_PARTITION_BYTES
from d2c.mapping.rejected import shown

F = TypeVar("F", "LoadRequest", "RequestList")

REQUEST_FILE = "request.json"
# What the notebook reads of a request.
REQUEST_BYTES = 2**20
# What a table's rules may have, and those together that its plan and its replays have given it: the rest of a request
# is short, so none is too large.
MOST_RULES_BYTES = 2**16
MOST_HISTORY_BYTES = 2**19
STAGES = ("assess", "load", "verify")
KNOWN_STAGES = (*STAGES, "replay")
VERIFY_METHODS = ("full", "counts")
WITH_ALL_CORES, BY_PARTITION = "all-cores", "one-task-per-partition"
"""How verify reads a container that has fewer physical partitions than Spark has cores."""


@dataclass(frozen=True)
class LoadRequest:
    """What a load run does for one table. It holds no secrets: the cluster reads them from the secret scope.

    Paths are in Spark's form (``abfss://...``). Verify reads the container with ``verify_ru_per_second`` at most, or as
    fast as it can. The four fields from ``load_started_at`` are for the operations verify
    and replay, from earlier runs: when the load began (epoch seconds), how many documents were written, and the
    rejected items. In ``done_folder`` are the data files that the operation's earlier runs have done; those of this run
    are added. The two after it are for the hand-over from assess to load: how long to wait for the container (None: it
    is there), and the file of what an earlier run has assessed. ``streams_from`` is ``export_folder`` as Python workers
    see it, in a volume; without it they cannot open the lake's files, and Spark reads each as a whole.
    """

    migration: str
    table: str
    table_arn: str
    export_arn: str
    stages: tuple[str, ...]
    export_folder: str
    result_folder: str
    hash_key: str
    range_key: str | None
    ttl_attribute: str | None
    rules_history: tuple[Mapping[str, Any], ...]
    max_rejected_items: int
    verify: str
    cosmos_endpoint: str
    cosmos_auth: str
    secret_scope: str
    database: str
    container: str
    max_logical_partition_bytes: int = LOGICAL_PARTITION_BYTES
    verify_reads_with: str = WITH_ALL_CORES
    verify_ru_per_second: int | None = None
    load_started_at: int | None = None
    documents_written: int = 0
    rejected_folder: str | None = None
    items_rejected: int = 0
    done_folder: str | None = None
    go_within_seconds: int | None = None
    assessed_by: str | None = None
    streams_from: str | None = None

    def to_json(self) -> bytes:
        """Return the request in the form that the app writes to the lake."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True)
class RequestList:
    """The tables of a load run: the paths of their requests, and of the log of those that ended before their turn."""

    requests: tuple[str, ...]
    log: str

    def to_json(self) -> bytes:
        """Return the list in the form that the app writes to the lake."""
        return json.dumps(asdict(self)).encode()


def rules_size(*rules: Mapping[str, Any] | None) -> int:
    """Return the bytes that rules have in a request."""
    return sum(len(json.dumps(each or {})) for each in rules)


def fault_of_size(size_bytes: int, most_bytes: int = MOST_RULES_BYTES) -> str | None:
    """Return why rules are too large, or None if they are not.

    Args:
        size_bytes: theirs, as `rules_size` returns it.
        most_bytes: what they may have.
    """
    if size_bytes <= most_bytes:
        return None
    return f"{size_bytes:,} bytes as JSON, but a load run takes at most {most_bytes:,}; shorten them"


def read_requests(path: str, read: Callable[[str], str]) -> tuple[list[LoadRequest], str]:
    """Return the requests of a load run, and the path of its unit's log.

    Args:
        path: the path of the list of requests.
        read: returns a file's text, or what `REQUEST_BYTES` hold of it.

    Raises:
        PermanentError: as `parse_request`.
    """
    several = _parsed(RequestList, read(path), lists=("requests",))
    return [parse_request(read(one)) for one in several.requests], several.log


def parse_request(text: str) -> LoadRequest:
    """Read a request as `LoadRequest.to_json` wrote it.

    Raises:
        PermanentError: if it is invalid, which means that the app and the wheel are of different versions.
    """
    request = _parsed(LoadRequest, text, lists=("stages", "rules_history"))
    unknown = [stage for stage in request.stages if stage not in KNOWN_STAGES]
    if unknown:
        raise PermanentError(
            f"The load request has unknown stages: {shown(', '.join(unknown))}.",
            f"Use {', '.join(KNOWN_STAGES)}.",
        )
    if not request.rules_history or not 0 < sample_fraction(request.verify) <= 1:
        raise _not_understood("rules_history or verify has an impossible value")
    return request


def _parsed(form: type[F], text: str, lists: Sequence[str]) -> F:
    """Read a file as its ``to_json`` wrote it, with values of the right types.

    Args:
        form: the data class of the file.
        text: the file's.
        lists: the names of the fields that are lists.

    Raises:
        PermanentError: if it is invalid.
    """
    if len(text.encode(errors="replace")) >= REQUEST_BYTES:
        raise PermanentError(
            f"The load request has {REQUEST_BYTES:,} bytes or more.",
            "Make the plan's rules for the table shorter.",
        )
    try:
        values = json.loads(text)
        found = form(**values | {name: tuple(values[name]) for name in lists if type(values[name]) is list})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _not_understood(str(error)) from error
    wrong = wrong_fields(found)
    if wrong:
        raise _not_understood(f"wrong values of {', '.join(wrong)}")
    return found


def _not_understood(cause: str) -> PermanentError:
    return PermanentError(
        f"This wheel cannot read the load request: {shown(cause)}",
        "Install the d2c wheel of the app's version in the workspace (d2c deploy).",
    )


def sample_fraction(verify: str) -> float:
    """Return the part of the documents to compare: 1.0 for ``full``, 0.01 for ``sample:0.01``, 0 for what is none."""
    if not verify.startswith("sample:"):
        return 1.0 if verify in VERIFY_METHODS else 0.0
    try:
        return float(verify.removeprefix("sample:"))
    except ValueError:
        return 0.0
