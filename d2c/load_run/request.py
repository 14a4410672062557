"""What the app asks of a load run: one JSON file in the lake, named by the notebook's only parameter."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from d2c.errors import StageError
from d2c.load_run.census import LOGICAL_PARTITION_BYTES

STAGES = ("assess", "load", "verify")
KNOWN_STAGES = (*STAGES, "replay")


@dataclass(frozen=True)
class LoadRequest:
    """All that a load run needs to know. It holds no secret: those are read from the secret scope on the cluster.

    Paths are such as Spark takes them (``abfss://...``). The last four fields tell a run that revisits a table what
    earlier runs left: when the load began (epoch seconds), how many documents there are since, and the rejected items.
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
    load_started_at: int | None = None
    documents_written: int = 0
    rejected_folder: str | None = None
    items_rejected: int = 0

    def to_json(self) -> bytes:
        """Return the request as the app writes it to the lake."""
        return json.dumps(asdict(self), indent=1).encode()


def parse_request(text: str) -> LoadRequest:
    """Read a request as `LoadRequest.to_json` wrote it.

    Raises:
        StageError: if it is not one, which means that the app and the wheel are of different versions.
    """
    try:
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("stages", "rules_history")}
        request = LoadRequest(**{**fields, **lists})
    except (ValueError, TypeError, KeyError) as error:
        raise StageError(
            f"The load request is not one that this wheel understands: {error}",
            "Install the d2c wheel of the app's own version in the workspace.",
        ) from error
    unknown = [stage for stage in request.stages if stage not in KNOWN_STAGES]
    if unknown:
        raise StageError(
            f"The load request names unknown stages: {', '.join(unknown)}.",
            f"Use {', '.join(KNOWN_STAGES)}.",
        )
    return request


def sample_fraction(verify: str) -> float:
    """Return which part of the documents is compared: 1.0 for ``full``, 0.01 for ``sample:0.01``."""
    return float(verify.removeprefix("sample:")) if verify.startswith("sample:") else 1.0
