"""What a retry may be asked: which tables go on from where they stopped, and what of their settings changes."""

from collections.abc import Mapping
from typing import Any

from d2c.clients.azure.lake import Lake
from d2c.state.paths import retries_prefix

Json = dict[str, Any]

# What a table keeps of its stages; whatever else is in its record is of the round that is over.
KEPT_FINDINGS = ("source", "export", "copy", "described")
SETTINGS = (
    "table",
    "container",
    "database",
    "account",
    "region",
    "rules",
    "throughput",
    "limits",
    "verify",
    "allow_existing_documents",
    "size_bytes",
    "item_count",
    "arrived",
)
IN_PARTS = ("rules", "throughput", "limits")


def last_round(lake: Lake, migration: str) -> int:
    """Return the number of the round of a migration's work that was begun last: that of the last retry, or 0."""
    retries = lake.sizes(retries_prefix(migration))
    return max((int(name.removesuffix(".json")) for name in retries), default=0)


def why_not_changed(record: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> str | None:
    """Return why a table cannot be retried with other rules, or None if it can.

    Documents that lie in the container were made by the rules of before: others could leave them there as strangers.
    """
    if changes.get("rules") and record and _may_have_written(record):
        return (
            "its load has begun by the rules of before; empty the container and migrate it under another name"
        )
    return None


def _may_have_written(record: Mapping[str, Any]) -> bool:
    """Tell whether a load may have begun: one that was cut off left no word of how far it came."""
    load = record.get("load")
    if load:
        return load.get("load_started_at") is not None
    return any(stage["stage"] in ("assess", "load", "verify") for stage in record.get("stages", ()))


def retried_input(record: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """Return the input of a table's orchestration for another round.

    Args:
        record: what the table's last round left, or its first input if it left nothing.
        entry: the table as the retry names it, with what changes.

    Returns:
        Its settings, and as ``found`` what need not be done again.
    """
    settings = {name: record[name] for name in SETTINGS if name in record}
    for name, value in entry.items():
        settings[name] = {**settings.get(name, {}), **value} if name in IN_PARTS else value
    found = {name: record[name] for name in KEPT_FINDINGS if record.get(name)}
    if "export" not in found:
        found = {}
    if "described" in found and not _may_have_written(record):
        # The container is looked at anew; one that holds documents of this table's own would be refused.
        del found["described"]
    return {**settings, "found": found}
