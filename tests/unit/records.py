"""A table's record as its migration leaves it."""

from collections.abc import Mapping
from typing import Any

from d2c.shapes import TableRecord
from tests.builders import a_copy, a_load, a_record, a_stage, a_verification, an_export, some_sums

FOLDER = "migrations/music-2026/tables/Music"
STAGES = ("prepare", "assess", "load", "verify")


def record(**changes: Any) -> TableRecord:
    """Return the record of a table of which three items were rejected."""
    sums = some_sums(
        lines=10,
        documents=6,
        expired=1,
        document_bytes=600,
        rejected=3,
        rejected_by_reason={"inexact_number": 3},
    )
    fields = {
        "migration": "music-2026",
        "rules": {"numbers": "reject"},
        "limits": {"max_rejected_items": 5},
        "started_at": "2026-06-01T12:00:01+00:00",
        "stages": [a_stage(name) for name in STAGES],
        "export": an_export(items=10),
        "copy": a_copy(folder="exports/music-2026/Music/1"),
        "load": a_load(
            assessed=sums,
            loaded=sums,
            verification=a_verification(expected=6, actual=6),
            result_path=f"{FOLDER}/start-0-1/result.json",
        ),
    }
    return a_record(**{**fields, **changes})


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a record of a table that did not come as far."""
    return {name: value for name, value in record.items() if name not in names}
