"""Answers of the app's HTTP API, in the shapes that interfaces and triggers give them."""

from d2c.state.table_states import STATES

ITEMS = ("exported", "written", "rejected", "expired")
EXPORT_FAILED = {
    "title": "The stage failed",
    "detail": "Point-in-time recovery is off for Orders [eu-west-1].",
    "next_step": "Turn it on and start again.",
    "stage": "export",
    "transient": False,
    "busy": False,
    "another_run": False,
    "cancelled": False,
}

OPERATION_FAILED = {
    "title": "The stage failed",
    "detail": "The load run of Music was stopped.",
    "next_step": "Verify again.",
    "transient": False,
    "busy": False,
    "another_run": False,
    "cancelled": False,
}

PACE = {
    "items": 412_000,
    "items_total": 1_234_567,
    "bytes": 40_000_000,
    "bytes_total": 120_000_000,
    "items_per_second": 3120.4,
    "bytes_per_second": 300_000,
}
IDLE_STAGE = {"lanes": 4, "busy": 0, "waiting": 0}


def table(name="Music", state="running", **changes):
    """Return one table of a status."""
    return {
        "table": name,
        "state": state,
        "stage": "load",
        "items_exported": 1234567,
        "items_written": None,
        "items_rejected": None,
        "items_expired": None,
        "mismatches": None,
        "percent": 60,
        "progress": None,
        "eta": None,
        "waiting": None,
        "stalled": None,
        "finding": None,
        "error": None,
        "links": {},
        **changes,
    }


def going(name="Music", **changes):
    """Return a table in the midst of its load."""
    return table(name, progress=PACE, **changes)


def arrived(name="Music", **changes):
    """Return a table whose items all arrived."""
    counts = {"items_written": 1234567, "items_rejected": 0, "items_expired": 0, "mismatches": 0}
    return table(name, **{"state": "succeeded", "stage": "report", "percent": 100, **counts, **changes})


def migration(state="running", *tables, name="music-2026", operations=(), **changes):
    """Return a migration's status."""
    tables = list(tables) or [table()]
    ended = state not in ("pending", "running")
    return {
        "id": name,
        "state": state,
        "started_at": "2026-01-31T12:00:05+00:00",
        "finished_at": "2026-01-31T12:30:00+00:00" if ended else None,
        "error": None,
        "paused": False,
        "waiting_until": None,
        "counts": {one: sum(table["state"] == one for table in tables) for one in STATES},
        "items": {one: sum(table[f"items_{one}"] or 0 for table in tables) for one in ITEMS},
        "percent": 47,
        "eta": None,
        "stages": None if ended else dict.fromkeys(("export", "copy", "load"), IDLE_STAGE),
        "held_back_by": None,
        "tables": tables,
        "next": None,
        "operations": list(operations),
        "links": {},
        **changes,
    }


def operation(name="verify", state="succeeded", number=1, error=None):
    """Return an operation of a migration's status."""
    ended = state not in ("pending", "running")
    return {
        "operation": name,
        "number": number,
        "state": state,
        "started_at": f"2026-02-01T{8 + number:02}:00:00+00:00",
        "finished_at": f"2026-02-01T{8 + number:02}:05:00+00:00" if ended else None,
        "error": error,
    }


def rejected_item(line=7, **changes):
    """Return a rejected item as the API lists it."""
    return {
        "table": "Music",
        "file": "AWSDynamoDB/01/data/a.json.gz",
        "line": line,
        "reason": "inexact_number",
        "detail": "Year: 0.1234567890123456789 is not kept by binary64",
        "keys": {"Artist": {"S": "Nina"}},
        "item": {"Artist": {"S": "Nina"}, "Year": {"N": "0.1234567890123456789"}},
        **changes,
    }


def table_report(name="Music", **changes):
    """Return one table of a report."""
    seconds = {
        "export": 300.5,
        "copy": 20,
        "prepare": 2,
        "assess": 30,
        "load": 100,
        "verify": 40,
        "report": 0.3,
    }
    return {
        "table": name,
        "container": name.lower(),
        "database": "shop",
        "state": "succeeded",
        "error": None,
        "export": {
            "arn": "arn:x",
            "time": "2026-01-31T12:00:05Z",
            "items": 1000,
            "bytes": 5,
            "billed_bytes": 5,
        },
        "files": {"listed": 4, "verified": 4},
        "items": {"exported": 1000, "written": 1000, "rejected": 0, "expired": 0},
        "rejected_by_reason": {},
        "verification": {
            "method": "full",
            "expected": 1000,
            "actual": 1000,
            "missing": 0,
            "unexpected": 0,
            "different": 0,
        },
        "mismatches": [],
        "stages": [
            {
                "stage": stage,
                "state": "succeeded",
                "started_at": "2026-01-31T12:00:05+00:00",
                "seconds": value,
            }
            for stage, value in seconds.items()
        ],
        "throughput": {"peak_ru_per_second": 4000, "after_ru_per_second": 1000},
        "request_units": {"counted_ru": 39_300, "used_part": 0.971},
        **changes,
    }


def failed_table_report(name="Orders"):
    """Return the report of a table whose export was refused, as the app writes it: most is not known."""
    return table_report(
        name,
        state="failed",
        error=EXPORT_FAILED,
        export=dict.fromkeys(("arn", "time", "items", "bytes", "billed_bytes")),
        files={"listed": None, "verified": None},
        items=dict.fromkeys(("exported", "written", "rejected", "expired")),
        verification=dict.fromkeys(("method", "expected", "actual", "missing", "unexpected", "different")),
        stages=[
            {
                "stage": "export",
                "state": "failed",
                "started_at": "2026-01-31T12:00:05+00:00",
                "seconds": 1.2,
            }
        ],
        throughput={"peak_ru_per_second": None, "after_ru_per_second": None},
        request_units={"counted_ru": None, "used_part": None},
    )


def report(state="succeeded", *tables):
    """Return a report."""
    return {
        "id": "music-2026",
        "state": state,
        "started_at": "2026-01-31T12:00:05.123+00:00",
        "plan": {"name": "music-2026"},
        "tables": list(tables) or [table_report()],
    }
