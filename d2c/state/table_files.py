"""The file of a table in an operation: its settings and what its stages have found, handed from lane to lane.

One lane has a table at a time, and only what it runs writes the file.
"""

from collections.abc import Mapping
from typing import Any, cast

from d2c.clients.azure.lake import Lake, needed_json
from d2c.shapes import StageEntry, TableInput, TableRecord
from d2c.state import paths


def read_table(lake: Lake, migration: str, operation: int, table: str) -> TableInput:
    """Return what an operation knows of a table.

    Raises:
        PermanentError: if the file is gone.
    """
    found: TableInput = needed_json(
        lake,
        paths.MigrationFiles(migration).work(operation).table(table),
        f"What the stages of table {table} found is no longer in the lake",
        "Look for what deletes files there, then retry the table.",
    )
    return found


def read_record(lake: Lake, migration: str, table: str) -> TableRecord:
    """Return a table's record, which its last migration, verify or replay has left.

    Raises:
        PermanentError: if it is gone.
    """
    record: TableRecord = needed_json(
        lake,
        paths.MigrationFiles(migration).table(table).record,
        f"The record of the table {table} is no longer in the lake",
        "Look for what deletes files there.",
    )
    return record


def keep(lake: Lake, table: TableInput, **found: Any) -> TableInput:
    """Add findings to the file of a table; the result is the whole.

    Args:
        lake: the lake.
        table: as `read_table` returned it.
        found: what a stage found.
    """
    whole = cast("TableInput", {**table, **found})
    lake.write_json(
        paths.MigrationFiles(table["migration"]).work(table["operation"]).table(table["table"]), whole
    )
    return whole


def with_stages(table: TableInput, *stages: StageEntry) -> list[StageEntry]:
    """Return the stages of a table with further ones; one that is there already, by an earlier try, is replaced."""
    known = {(stage["stage"], stage["started_at"]): stage for stage in (*table["stages"], *stages)}
    return list(known.values())


def awaits_indexes(table: Mapping[str, Any]) -> bool:
    """Return whether a table is loaded, and its container is to get its indexing policy.

    Args:
        table: as `read_table` returned it, or its record.
    """
    load, described = table.get("load"), table.get("described") or {}
    return bool(load and load["error"] is None and "final_policy" in described)
