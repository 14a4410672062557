"""The request of a load run: a JSON file in the lake, whose path is the notebook's only parameter.

It lists the paths of the requests of the tables that the run loads, several at once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from d2c.errors import PermanentError
from d2c.load_run.census.counts import LOGICAL_PARTITION_BYTES

REQUEST_FILE = "request.json"
STAGES = ("assess", "load", "verify")
KNOWN_STAGES = (*STAGES, "replay")
WITH_ALL_CORES, BY_PARTITION = "all-cores", "one-task-per-partition"
"""How verify reads a container that has fewer physical partitions than Spark has cores."""


@dataclass(frozen=True)
class LoadRequest:
    """What a load run does for one table. It holds no secrets: the cluster reads them from the secret scope.

    Paths are in Spark's form (``abfss://...``). The last four fields are for the operations verify and replay, from
    earlier runs: when the load began (epoch seconds), how many documents were written, and the rejected items.
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
    load_started_at: int | None = None
    documents_written: int = 0
    rejected_folder: str | None = None
    items_rejected: int = 0

    def to_json(self) -> bytes:
        """Return the request in the form that the app writes to the lake."""
        return json.dumps(asdict(self), indent=1).encode()


@dataclass(frozen=True)
class RequestList:
    """The tables of a load run: the paths of their requests, and of the log of those that ended before their turn."""

    requests: tuple[str, ...]
    log: str

    def to_json(self) -> bytes:
        """Return the list in the form that the app writes to the lake."""
        return json.dumps(asdict(self), indent=1).encode()


def read_requests(path: str, read: Callable[[str], str]) -> tuple[list[LoadRequest], str]:
    """Return the requests of a load run, and the path of its unit's log.

    Args:
        path: the path of the list of requests.
        read: returns a file's text.

    Raises:
        PermanentError: as `parse_request`.
    """
    try:
        asked = json.loads(read(path))
        several = RequestList(tuple(asked["requests"]), asked["log"])
    except (ValueError, TypeError, KeyError) as error:
        raise _not_understood(error) from error
    return [parse_request(read(one)) for one in several.requests], several.log


def parse_request(text: str) -> LoadRequest:
    """Read a request as `LoadRequest.to_json` wrote it.

    Raises:
        PermanentError: if it is invalid, which means that the app and the wheel are of different versions.
    """
    try:
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("stages", "rules_history")}
        request = LoadRequest(**{**fields, **lists})
    except (ValueError, TypeError, KeyError) as error:
        raise _not_understood(error) from error
    unknown = [stage for stage in request.stages if stage not in KNOWN_STAGES]
    if unknown:
        raise PermanentError(
            f"The load request has unknown stages: {', '.join(unknown)}.",
            f"Use {', '.join(KNOWN_STAGES)}.",
        )
    return request


def _not_understood(error: Exception) -> PermanentError:
    return PermanentError(
        f"This wheel cannot read the load request: {error}",
        "Install the d2c wheel of the app's version in the workspace (d2c deploy).",
    )


def sample_fraction(verify: str) -> float:
    """Return the part of the documents to compare: 1.0 for ``full``, 0.01 for ``sample:0.01``."""
    return float(verify.removeprefix("sample:")) if verify.startswith("sample:") else 1.0
