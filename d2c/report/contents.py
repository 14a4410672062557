"""The report of a migration, assembled from the results of its stages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.load_run.throughput.request_units import with_indexes
from d2c.load_run.throughput.sizing import load_estimate
from d2c.report.estimate import added_factor_of, write_factor_of
from d2c.report.outcome import census_ru, compare_with_estimate, sum_of_rows
from d2c.shapes import StageEntry, State

EXPORT_FIELDS = ("arn", "time", "items", "bytes", "billed_bytes")
CONSUMED_FIELDS = ("counted_ru", "used_part", "highest_use_percent")
VERIFICATION_FIELDS = ("method", "expected", "actual", "missing", "unexpected", "different")


def table_report(
    record: Mapping[str, Any],
    mismatches: Sequence[Mapping[str, Any]],
    census: Mapping[str, Any] | None = None,
    basis: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one table's part of the report.

    Args:
        record: the table's entry in the plan with the results of the stages that it reached.
        mismatches: examples from verification.
        census: the counts of assess.
        basis: the prices and assumptions of the estimate, if there was one.
    """
    export, load = record.get("export") or {}, record.get("load") or {}
    described = record.get("described") or {}
    shared = (described.get("shared") or {}).get("ru_per_second")
    loaded = load.get("loaded") or {}
    counted = loaded or load.get("assessed") or {}
    verification = load.get("verification") or {}
    return {
        "table": record["table"],
        "container": record["container"],
        "database": record["database"],
        "state": record["state"],
        "error": record["error"],
        "export": {field: export.get(field) for field in EXPORT_FIELDS},
        "files": load.get("files") or {"listed": export.get("files"), "verified": None},
        "items": {
            "exported": export.get("items"),
            "written": loaded.get("documents"),
            "rejected": counted.get("rejected"),
            "expired": counted.get("expired"),
        },
        "rejected_by_reason": counted.get("rejected_by_reason") or {},
        "verification": {field: verification.get(field) for field in VERIFICATION_FIELDS},
        "operations": list(record.get("operations", ())),
        "mismatches": list(mismatches),
        "stages": ended_stages(record["stages"]),
        "census": census and _with_estimate(census, record, described.get("peak_ru_per_second") or shared),
        "throughput": {
            "before_ru_per_second": described.get("before_ru_per_second"),
            "peak_ru_per_second": described.get("peak_ru_per_second"),
            "shared_ru_per_second": shared,
            "after_ru_per_second": (record.get("restored") or {}).get("after_ru_per_second"),
            "verify_ru_per_second": record.get("verify_ru_per_second"),
        },
        "request_units": _request_units(record, census),
        "indexing": _indexing(record, census),
        "estimate": compare_with_estimate(record, census, basis),
    }


def _request_units(record: Mapping[str, Any], census: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a load was estimated to take, and what it took as far as Azure Monitor has counted it."""
    found = record.get("consumed") or {}
    return {
        "estimated": census_ru(census, record) if census else None,
        **{field: found.get(field) for field in CONSUMED_FIELDS},
    }


def _indexing(record: Mapping[str, Any], census: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what became of indexes that were applied after the load; None where they were there from the beginning."""
    if "final_policy" not in (record.get("described") or {}):
        return None
    return {
        "percent": record.get("indexed_percent", 0),
        "seconds": sum(stage.get("seconds") or 0 for stage in record["stages"] if stage["stage"] == "index"),
        "estimated_ru": with_indexes(census["write_ru"], added_factor_of(record)) if census else None,
        "counted_ru": (record.get("consumed") or {}).get("indexing_ru"),
    }


def _with_estimate(
    census: Mapping[str, Any], record: Mapping[str, Any], peak_ru_per_second: int | None
) -> dict[str, Any]:
    """Return the census with what writing the documents costs with the container's indexes."""
    ru = census_ru(census, record)
    return {
        **census,
        "write_ru": ru,
        "write_factor": write_factor_of(record),
        "load_estimate": load_estimate(ru, peak_ru_per_second),
    }


def ended_stages(stages: Sequence[StageEntry]) -> list[StageEntry]:
    """Return the records of stages; the report stage is still running and ends with the report."""
    return [_ended(stage) for stage in stages]


def _ended(stage: StageEntry) -> StageEntry:
    if stage["state"] != "running":
        return stage
    # The start is a time of the host's clock, which may be ahead of this one.
    seconds = (datetime.now(UTC) - datetime.fromisoformat(stage["started_at"])).total_seconds()
    return {**stage, "state": "succeeded", "seconds": round(max(seconds, 0), 3)}


def worst_state(states: Iterable[str]) -> State:
    """Return the state of a migration from those of its tables."""
    distinct = set(states)
    if "failed" in distinct:
        return "failed"
    return "cancelled" if "cancelled" in distinct else "succeeded"


def assemble_report(
    migration: str,
    state: str,
    accepted: Mapping[str, Any],
    tables: Sequence[Mapping[str, Any]],
    error: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the whole report.

    Args:
        migration: its id.
        state: its final state.
        accepted: the accepted plan: ``plan`` and ``accepted_at``.
        tables: each table's part.
        error: the error that ended the migration as a whole, if there was one.
    """
    return {
        "id": migration,
        "state": state,
        "error": error,
        "started_at": accepted["accepted_at"],
        "plan": accepted["plan"],
        "tables": list(tables),
        "estimate": sum_of_rows([table.get("estimate") for table in tables]),
    }
