"""What the HTTP API answers about migrations that tests make up, in its shapes (docs/reference/http-api.md)."""

from datetime import UTC, datetime, timedelta

STATES = ("pending", "running", "succeeded", "failed", "cancelled")
STAGES = ("export", "copy", "prepare", "assess", "load", "verify", "report")
FLAGS = {"transient": False, "busy": False, "another_run": False, "cancelled": False}
MARKUP = "<img src=x onerror=alert(1)><b>&amp;"
ERROR = {
    "title": "Too many rejected items",
    "detail": "25 items cannot become faithful documents (inexact_number: 25); the plan allows 0.",
    "next_step": "Read the rejected items, then change the rules or raise limits.max_rejected_items.",
    "stage": "assess",
    **FLAGS,
}


def ago(**interval):
    return (datetime.now(UTC) - timedelta(**interval)).isoformat(timespec="seconds")


def table(name, state="succeeded", **changes):
    """Return how a table stands; what its state does not say is left to the changes."""
    known = {
        "succeeded": {
            "stage": "report",
            "items_exported": 5000,
            "items_written": 4970,
            "items_rejected": 25,
            "items_expired": 5,
            "mismatches": 0,
            "percent": 100,
        },
        "failed": {
            "stage": "assess",
            "items_exported": 5000,
            "items_rejected": 25,
            "percent": 55,
            "error": ERROR,
        },
        "cancelled": {"stage": "copy", "items_exported": 5000, "percent": 35},
        "running": {
            "stage": "load",
            "items_exported": 81_400,
            "items_written": 20_350,
            "items_rejected": 0,
            "items_expired": 0,
            "percent": 66,
            "eta": ago(minutes=-42),
        },
        "pending": {"percent": 0},
    }[state]
    nothing = dict.fromkeys(
        (
            "progress",
            "stage",
            "items_exported",
            "items_written",
            "items_rejected",
            "items_expired",
            "mismatches",
            "eta",
        )
    )
    rest = {"waiting": None, "stalled": None, "finding": None, "error": None, "links": {}}
    return {"table": name, "state": state, **nothing, **rest, **known, **changes}


def migration(name, tables, state="running", **changes):
    """Return a migration; its tables are all of them, of which the API answers a page."""
    ended = state not in ("running", "pending")
    items = {
        one: sum(entry[f"items_{one}"] or 0 for entry in tables)
        for one in ("exported", "written", "rejected", "expired")
    }
    return {
        "id": name,
        "state": state,
        "started_at": ago(hours=3, minutes=12),
        "finished_at": ago(minutes=5) if ended else None,
        "paused": False,
        "waiting_until": None,
        "counts": {one: sum(entry["state"] == one for entry in tables) for one in STATES},
        "items": items,
        "percent": 100 if ended else 47,
        "eta": None if ended else ago(hours=-2),
        "error": None,
        "stages": None,
        "held_back_by": None,
        "tables": tables,
        "operations": [],
        "links": {},
        **changes,
    }


def report(of, **changes_of_tables):
    """Return the report of a migration; the named tables' parts have changes."""
    parts = [{**part(entry), **changes_of_tables.get(entry["table"], {})} for entry in of["tables"]]
    return {
        "id": of["id"],
        "state": of["state"],
        "started_at": of["started_at"],
        "plan": {},
        "tables": parts,
    }


def part(entry):
    """Return a table's part of a report, with each stage a minute longer than the one before."""
    failed = entry["state"] != "succeeded"
    names = STAGES[: STAGES.index(entry["stage"] or "export") + 1]
    begin, stages = datetime(2026, 6, 1, 12, tzinfo=UTC), []
    for place, stage in enumerate(names):
        state = entry["state"] if failed and stage == names[-1] else "succeeded"
        stages.append(
            {"stage": stage, "state": state, "started_at": begin.isoformat(), "seconds": 60.5 * (place + 1)}
        )
        begin += timedelta(seconds=60.5 * (place + 1))
    verified = {"method": "full", "expected": 4970, "actual": 4971, "missing": 1, "unexpected": 2}
    return {
        "table": entry["table"],
        "container": entry["table"].lower(),
        "database": "shop",
        "state": entry["state"],
        "error": entry["error"],
        "export": {"arn": "arn", "time": begin.isoformat(), "items": 5000, "bytes": 7_340_032},
        "rejected_by_reason": {"inexact_number": 20, "missing_key": 5},
        "verification": {**verified, "different": 60} if not failed else dict.fromkeys(verified),
        "mismatches": [] if failed else MISMATCHES,
        "operations": [],
        "stages": stages,
        "throughput": {
            "before_ru_per_second": 400,
            "peak_ru_per_second": 20_000,
            "after_ru_per_second": 1000,
        },
        "census": None,
    }


MISMATCHES = [
    {"kind": "missing", "document": '["CUST#7"] ORD#0000001', "properties": []},
    *(
        {
            "kind": "different",
            "document": f'["CUST#{number}"] ORD#{number:07}',
            "properties": ["Total", "Lines[0].Count"],
        }
        for number in range(60)
    ),
]
REJECTED = [
    {
        "table": "Orders",
        "file": "k4jx3q7gye.json.gz",
        "line": number,
        "reason": "missing_key" if number % 5 == 0 else "inexact_number",
        "detail": "Total is 0.10000000000000000001, which binary64 does not keep.",
        "keys": {"CustomerId": {"S": f"CUST#{number}"}, "OrderId": {"S": f"ORD#{number:07}"}},
        "item": {"CustomerId": {"S": f"CUST#{number}"}, "Total": {"N": "0.10000000000000000001"}},
    }
    for number in range(25)
]
