"""Queues and the lines of their logs, for tests of what is folded from them."""

import zlib
from datetime import UTC, datetime, timedelta

from d2c.state.queue import Queue

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
MB = 2**20
TB = 10**12
LOCATION = "eu-west-1"


def at(minutes=0):
    """Return the time so many minutes after the beginning."""
    return BEGAN + timedelta(minutes=minutes)


def caps(**changes):
    return {
        "export": 50,
        "copy": 20,
        "load": 4,
        "tables_per_load_run": 4,
        "share_load_run_below_bytes": 100 * MB,
        "tables": None,
        "cluster_seconds": 300.0,
        **changes,
    }


def queued(name, size_bytes=500 * MB, **changes):
    """Return a table as a queue begins with it: a large one, unless its size is given."""
    return {
        "table": name,
        "location": LOCATION,
        "container": f"shop/{name}",
        "size_bytes": size_bytes,
        "items": None,
        "enters": "export",
        **changes,
    }


def small(name, **changes):
    return queued(name, MB, **changes)


def queue_file(*tables, **changed_caps):
    """Return what a queue begins with; a table may be named by its name alone."""
    entries = [queued(one) if isinstance(one, str) else one for one in tables]
    return {"caps": caps(**changed_caps), "times": {}, "tables": entries}


def claimed(stage, *tables, lane=0, turn=0, minutes=0, cancelled=False):
    return {
        "did": "claimed",
        "stage": stage,
        "lane": lane,
        "turn": turn,
        "tables": [*tables],
        "cancelled": cancelled,
        "at": at(minutes).isoformat(),
    }


def passed(table, stage, minutes=0, items=None):
    return {"did": "passed", "table": table, "stage": stage, "items": items, "at": at(minutes).isoformat()}


def ended(table, state="succeeded", minutes=0, error=None):
    return {"did": "ended", "table": table, "state": state, "error": error, "at": at(minutes).isoformat()}


def abandoned():
    return {"did": "abandoned", "at": at().isoformat()}


def exported(*tables, minutes=0):
    """Return the lines of tables that have been exported and copied, each by a lane of its own."""
    return [
        line
        for table in tables
        for stage in ("export", "copy")
        for line in (claimed(stage, table, lane=zlib.crc32(table.encode())), passed(table, stage, minutes))
    ]


def queue(file, *entries):
    return Queue(file, entries)
