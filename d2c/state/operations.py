"""Operations on a migration: their kinds and numbers, and the tables that are retried."""

import re
from collections.abc import Mapping
from typing import Any

from d2c.clients.azure.lake import Lake, needed_json
from d2c.shapes import AcceptedPlan, OperationFile, OperationKind
from d2c.shapes.operations import ALL_STAGES, MIGRATING, RETRY, START
from d2c.state.paths import MigrationFiles
from d2c.state.table_files import awaits_indexes

OPERATION_FILE = re.compile(r"(?P<number>[0-9]{6})\.json")
# The findings that a retry reuses; whatever else is in a table's record belongs to the attempt that is over.
KEPT_FINDINGS = ("source", "export", "copy", "described")
# Those of a table that is loaded and verified, and whose container is to get its indexes.
LOADED_FINDINGS = ("load", "rejected_folder")
SETTINGS = (
    "table",
    "container",
    "database",
    "account",
    "region",
    "rules",
    "indexing",
    "apply_indexing",
    "throughput",
    "limits",
    "verify",
    "allow_existing_documents",
    "size_bytes",
    "item_count",
    "tables_per_run",
    "arrived",
)
IN_PARTS = ("rules", "throughput", "limits")


def accepted_plan(lake: Lake, migration: str) -> AcceptedPlan:
    """Return a migration's plan as it was accepted.

    Raises:
        PermanentError: if it is gone.
    """
    lack = f"The plan of migration {migration} is no longer in the lake"
    accepted: AcceptedPlan = needed_json(
        lake, MigrationFiles(migration).plan, lack, "Look for what deletes files there."
    )
    return accepted


def last_number(lake: Lake, migration: str) -> int:
    """Return the number of the last operation of any kind; 0 is the migration's start."""
    found = (
        OPERATION_FILE.fullmatch(name) for name in lake.sizes(MigrationFiles(migration).operations_prefix)
    )
    return max((int(name["number"]) for name in found if name), default=0)


def last_migrating(lake: Lake, migration: str) -> int:
    """Return the number of the last retry, or 0, the migration's start."""
    for number in range(last_number(lake, migration), 0, -1):
        request: OperationFile | None = lake.read_json(MigrationFiles(migration).operation(number))
        if request and request["kind"] in MIGRATING:
            return number
    return 0


def migrating_kind(number: int) -> OperationKind:
    """Return the kind of an operation that migrates: the start, or a retry, which is the only other one."""
    return RETRY if number else START


def why_not_changed(record: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> str | None:
    """Return why a table cannot be retried with other rules, or None if it can.

    Documents in the container were made by the former rules: with other rules they could stay there unexpected.
    """
    if changes.get("rules") and record and may_have_written(record):
        return "its load has begun by the former rules; empty the container and migrate it under another name"
    return None


def may_have_written(record: Mapping[str, Any]) -> bool:
    """Return whether a load may have begun: one that was cut off recorded no progress, but was let go."""
    load = record.get("load") or {}
    is_let_go = record.get("may_have_written") or record.get("is_let_go")
    return bool(is_let_go) or load.get("load_started_at") is not None


def retried_input(record: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a retry knows of a table: its settings, and the findings that are reused.

    Args:
        record: the table's last record, or what its first operation knew of it if there is none.
        entry: the table as the retry names it, with its changes.
    """
    settings = {name: record[name] for name in SETTINGS if name in record}
    for name, value in entry.items():
        settings[name] = {**settings.get(name, {}), **value} if name in IN_PARTS else value
    found = {name: record[name] for name in KEPT_FINDINGS if record.get(name)}
    if "export" not in found:
        found = {}
    if "described" not in found:
        return {**settings, **found}
    if not entry.keys() - {"table"} and awaits_indexes(record):
        stages = [stage for stage in record["stages"] if stage["stage"] in ALL_STAGES]
        loaded = {name: record[name] for name in LOADED_FINDINGS if name in record}
        return {**settings, **found, **loaded, "stages": stages, "may_have_written": True}
    if may_have_written(record):
        # Looked at anew, the container would be refused for documents of this table itself.
        return {**settings, **found, "may_have_written": True}
    del found["described"]
    return {**settings, **found}
