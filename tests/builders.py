"""Builders of the data that travels (`d2c.shapes`): whole and valid, with the fields changed that a test is about."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from d2c.errors import PermanentError
from d2c.shapes import (
    Caps,
    Copy,
    Described,
    ErrorDict,
    Export,
    LaneInput,
    LaneStage,
    LoadResult,
    LoadRunResult,
    OperationInput,
    QueuedTable,
    QueueEntry,
    QueueFile,
    Source,
    StageEnd,
    StageEntry,
    Sums,
    TableCensus,
    TableInput,
    TableOutcome,
    TableRecord,
    Verification,
    Waits,
)

MIGRATION = "m"
TABLE = "Music"
REGION = "eu-west-1"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/Music"
EXPORT_TIME = "2026-06-01T12:00:00+00:00"
EXPORT_ID = "01780000000123-a1b2c3d4"
Shape = TypeVar("Shape", bound=Mapping[str, object])
STAGES = ("export", "copy", "prepare", "assess", "load", "verify", "report")


def the_waits(**changes: Any) -> Waits:
    """Return intervals that a test may wait for in its own time."""
    waits: Waits = {"first_seconds": 1, "factor": 2, "longest_seconds": 8}
    return _changed(waits, changes)


def an_error(**changes: Any) -> ErrorDict:
    """Return an error that trying again does not help, with other flags or a stage if a test needs them."""
    return _changed(PermanentError("it broke", "mend it").to_dict(), changes)


def a_table(**changes: Any) -> TableInput:
    """Return what the file of a table has before its first stage, or with what its stages found."""
    table: TableInput = {
        "migration": MIGRATION,
        "operation": 0,
        "table": TABLE,
        "database": "shop",
        "container": "music",
        "region": REGION,
        "rules": {},
        "throughput": {"load_ru_per_second": 4000},
        "limits": {"max_rejected_items": 0, "max_logical_partition_bytes": 20 * 2**30},
        "verify": "full",
        "allow_existing_documents": False,
        "waits": the_waits(),
        "stages": [],
    }
    return _changed(table, changes)


def an_operation(**changes: Any) -> OperationInput:
    """Return the input of `run_operation`: a migration's start."""
    operation: OperationInput = {
        "migration": MIGRATION,
        "operation": 0,
        "kind": "start",
        "waits": the_waits(),
    }
    return _changed(operation, changes)


def a_lane(stage: LaneStage, **changes: Any) -> LaneInput:
    """Return the input of the first lane of a stage, before it has taken anything."""
    lane: LaneInput = {
        **an_operation(),
        "stage": stage,
        "location": REGION if stage == "export" else "",
        "lane": 0,
        "turn": 0,
    }
    return _changed(lane, changes)


def some_caps(**changes: Any) -> Caps:
    """Return the caps of an operation, by which two small tables share a load run."""
    caps: Caps = {
        "export": 2,
        "copy": 2,
        "load": 2,
        "tables_per_load_run": 2,
        "share_load_run_below_bytes": 1_000,
        "tables": None,
        "cluster_seconds": 300,
    }
    return _changed(caps, changes)


def default_caps(**changes: Any) -> Caps:
    """Return the caps of an operation whose plan changes none."""
    caps: Caps = {
        "export": 50,
        "copy": 20,
        "load": 4,
        "tables_per_load_run": 20,
        "share_load_run_below_bytes": 100 * 2**20,
        "tables": None,
        "cluster_seconds": 300,
    }
    return _changed(caps, changes)


def a_queued(table: str = TABLE, **changes: Any) -> QueuedTable:
    """Return a small table as the queue knows it."""
    queued: QueuedTable = {
        "table": table,
        "location": REGION,
        "container": f"shop/{table.lower()}",
        "size_bytes": 700,
        "items": None,
        "enters": "export",
    }
    return _changed(queued, changes)


def a_queue(*tables: QueuedTable, **changes: Any) -> QueueFile:
    """Return what an operation's queue begins with."""
    queue: QueueFile = {"caps": some_caps(), "times": {}, "tables": list(tables)}
    return _changed(queue, changes)


def a_claim(stage: LaneStage, *tables: str, **changes: Any) -> QueueEntry:
    """Return the line of a queue's log by which the first lane of a stage takes tables."""
    entry: QueueEntry = {
        "did": "claimed",
        "stage": stage,
        "lane": 0,
        "turn": 0,
        "tables": list(tables),
        "cancelled": False,
        "at": EXPORT_TIME,
    }
    return _changed(entry, changes)


def a_pass(stage: LaneStage, table: str = TABLE, **changes: Any) -> QueueEntry:
    """Return the line of a queue's log by which a table has done a stage."""
    entry: QueueEntry = {"did": "passed", "stage": stage, "table": table, "items": None, "at": EXPORT_TIME}
    return _changed(entry, changes)


def an_end(table: str = TABLE, **changes: Any) -> QueueEntry:
    """Return the line of a queue's log by which a table has ended well."""
    entry: QueueEntry = {
        "did": "ended",
        "table": table,
        "state": "succeeded",
        "error": None,
        "at": EXPORT_TIME,
    }
    return _changed(entry, changes)


def a_stage_end(stage: LaneStage, **changes: Any) -> StageEnd:
    """Return the input of `pass_on` and `end_table`: a stage that took a minute."""
    end: StageEnd = {
        "migration": MIGRATION,
        "operation": 0,
        "kind": "start",
        "table": TABLE,
        "stage": stage,
        "started_at": EXPORT_TIME,
        "ended_at": "2026-06-01T12:01:00+00:00",
        "found": {},
        "error": None,
    }
    return _changed(end, changes)


def a_source(**changes: Any) -> Source:
    """Return what `describe_source` found."""
    source: Source = {
        "arn": TABLE_ARN,
        "hash_key": "Artist",
        "range_key": "Song",
        "item_count": 7,
        "size_bytes": 700,
        "ttl_attribute": None,
        "export_time": EXPORT_TIME,
    }
    return _changed(source, changes)


def an_export(**changes: Any) -> Export:
    """Return what `look_at_export` found."""
    export: Export = {
        "arn": f"{TABLE_ARN}/export/{EXPORT_ID}",
        "time": EXPORT_TIME,
        "id": EXPORT_ID,
        "folder": f"d2c/{MIGRATION}/{TABLE}/AWSDynamoDB/{EXPORT_ID}",
        "items": 7,
        "billed_bytes": 700,
        "bytes": 70,
        "files": 2,
    }
    return _changed(export, changes)


def a_copy(**changes: Any) -> Copy:
    """Return what `look_at_copy` found."""
    copy: Copy = {"folder": f"exports/{MIGRATION}/{TABLE}/{EXPORT_ID}", "files": 6, "bytes": 100}
    return _changed(copy, changes)


def a_described(**changes: Any) -> Described:
    """Return what `describe_container` found of a container that is not there yet."""
    described: Described = {
        "created": True,
        "partition_key_paths": ["/Artist"],
        "default_ttl": None,
        "before_ru_per_second": None,
        "peak_ru_per_second": 4000,
        "after_ru_per_second": 1000,
        "autoscale": False,
    }
    return _changed(described, changes)


def some_sums(**changes: Any) -> Sums:
    """Return what the items of a table became: all were written."""
    sums: Sums = {
        "lines": 7,
        "documents": 7,
        "expired": 0,
        "rejected": 0,
        "rejected_by_reason": {},
        "document_bytes": 700,
    }
    return _changed(sums, changes)


def a_verification(**changes: Any) -> Verification:
    """Return a verification without mismatches."""
    counts: Verification = {
        "method": "full",
        "expected": 7,
        "actual": 7,
        "missing": 0,
        "unexpected": 0,
        "different": 0,
    }
    return _changed(counts, changes)


def a_stage(stage: str, **changes: Any) -> StageEntry:
    """Return a stage that took a second."""
    entry: StageEntry = {"stage": stage, "state": "succeeded", "started_at": EXPORT_TIME, "seconds": 1}
    return _changed(entry, changes)


def a_census(**changes: Any) -> TableCensus:
    """Return what assess counted of a table."""
    census: TableCensus = {
        "document_bytes": {"total": 700, "p50": 100, "p99": 100, "max": 100, "percentile_error": 0.0078125},
        "documents_near_2_mb": 0,
        "longest_document_id_bytes": 3,
        "attributes": [{"name": "Artist", "types": {"S": 7}, "inexact_numbers": 0}],
        "values_of_other_attributes": 0,
        "never_expiring": {},
        "logical_partitions": {
            "limit_bytes": 20 * 2**30,
            "largest": [
                {
                    "partition_key": ["a", 1.5, True, None],
                    "at_least_bytes": 300,
                    "at_most_bytes": 300,
                    "part_of_limit": 0.0,
                }
            ],
            "others_at_most_bytes": 0,
        },
        "write_ru": 70,
    }
    return _changed(census, changes)


def a_load_run_result(**changes: Any) -> LoadRunResult:
    """Return what a load run leaves in the lake: that of `a_load`, whole."""
    load = a_load()
    result = {name: load[name] for name in load if name not in ("result_path", "replayed")}
    return cast("LoadRunResult", {**result, "mismatches": [], "census": a_census(), **changes})


def a_load(**changes: Any) -> LoadResult:
    """Return what `look_at_load` found: a load without faults."""
    load: LoadResult = {
        "state": "succeeded",
        "error": None,
        "stages": [a_stage(stage) for stage in ("assess", "load", "verify")],
        "files": {"listed": 2, "verified": 2},
        "assessed": some_sums(),
        "loaded": some_sums(),
        "replayed": None,
        "load_started_at": 1_780_000_000,
        "verification": a_verification(),
        "result_path": f"migrations/{MIGRATION}/tables/{TABLE}/start-0-1/result.json",
    }
    return _changed(load, changes)


def a_record(**changes: Any) -> TableRecord:
    """Return the record of a table that was migrated without faults."""
    outcome: TableOutcome = {
        **a_table(),
        "started_at": EXPORT_TIME,
        "source": a_source(),
        "export": an_export(),
        "copy": a_copy(),
        "described": a_described(),
        "load": a_load(),
        "restored": {"after_ru_per_second": 1000},
        "state": "succeeded",
        "error": None,
        "stages": [a_stage(stage) for stage in STAGES],
    }
    return cast("TableRecord", _changed(outcome, changes))


def _changed(value: Shape, changes: Mapping[str, Any]) -> Shape:
    return cast("Shape", {**value, **changes})
