"""A table's record as its migration leaves it."""

from typing import Any

FOLDER = "migrations/music-2026/tables/Music"


def record(**changes: Any) -> dict[str, Any]:
    """Return the record of a table of which three items were rejected."""
    return {
        "migration": "music-2026",
        "table": "Music",
        "database": "shop",
        "container": "music",
        "rules": {"numbers": "reject"},
        "limits": {"max_rejected_items": 5},
        "verify": "full",
        "operation": 0,
        "started_at": "2026-06-01T12:00:01+00:00",
        "state": "succeeded",
        "error": None,
        "stages": [{"stage": name, "state": "succeeded"} for name in ("prepare", "assess", "load", "verify")],
        "source": {"arn": "arn", "hash_key": "Artist", "range_key": "Song", "ttl_attribute": None},
        "export": {"arn": "arn/export/1", "time": "2026-06-01T12:00:00+00:00", "items": 10},
        "copy": {"folder": "exports/music-2026/Music/1"},
        "load": {
            "result_path": f"{FOLDER}/start-0-1/result.json",
            "load_started_at": 1_780_000_000,
            "loaded": {
                "lines": 10,
                "documents": 6,
                "expired": 1,
                "document_bytes": 600,
                "rejected": 3,
                "rejected_by_reason": {"inexact_number": 3},
            },
            "verification": {"expected": 6, "actual": 6, "missing": 0, "unexpected": 0, "different": 0},
        },
        **changes,
    }


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a record of a table that did not come as far."""
    return {name: value for name, value in record.items() if name not in names}
