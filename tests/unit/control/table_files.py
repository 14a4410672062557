"""Files of queues and ended tables in the lake, for tests of a migration's status."""

import zlib

from d2c.state import paths
from d2c.state.queue import STAGES
from tests.builders import default_caps

COUNTS = ("items_exported", "items_written", "items_rejected", "items_expired", "mismatches")
NOON = "2026-01-31T12:00:05+00:00"


def entry(table, **changes):
    """Return a table as the migration lists it."""
    return {
        "table": table,
        "container": table.lower(),
        "database": "shop",
        "account": None,
        "region": "eu-west-1",
        "size_bytes": None,
        "item_count": None,
        **changes,
    }


def list_tables(app, names, migration="music-2026", caps=None, **changes):
    """List and queue the tables of a migration; changes are those of a table by its name."""
    tables = [entry(name, **changes.get(name, {})) for name in names]
    app.lake.write_json(paths.MigrationFiles(migration).tables, {"operation": 0, "tables": tables})
    queue_tables(app, names, 0, migration, caps, **changes)


def queue_tables(app, names, number, migration="music-2026", caps=None, **changes):
    """Queue the tables of the start (0) or a retry; those of a retry get its request too."""
    if number:
        write_operation(app, number, tables=[{"table": name} for name in names], migration=migration)
    tables = []
    for name in names:
        table = entry(name, **changes.get(name, {}))
        queued = {
            "table": name,
            "location": table["region"],
            "container": f"{table['database']}/{table['container']}",
            "size_bytes": table["size_bytes"],
            "items": table.get("items"),
            "enters": table.get("enters", "export"),
        }
        tables.append(queued)
    file = {"caps": default_caps(**(caps or {})), "times": {}, "tables": tables}
    app.lake.write_json(paths.MigrationFiles(migration).work(number).queue, file)


def write_operation(app, number, kind="retry", migration="music-2026", **changes):
    """Write the request of an operation."""
    request = {
        "kind": kind,
        "number": number,
        "migration": migration,
        "migration_state": "failed",
        "accepted_at": NOON,
        "tables": [],
        "caps": {},
        "waits": {"first_seconds": 1, "factor": 2, "longest_seconds": 8},
        **changes,
    }
    app.lake.write_json(paths.MigrationFiles(migration).operation(number), request)


def log(app, *lines, number=0, migration="music-2026"):
    """Add lines to the log of a queue."""
    for line in lines:
        app.lake.append(paths.MigrationFiles(migration).work(number).queue_log, {"at": NOON, **line})


def take(app, *tables, stage="export", lane=0, turn=0, number=0, migration="music-2026", at=NOON):
    """Let a lane take tables, which have come as far as its stage by other lanes."""
    file = app.lake.read_json(paths.MigrationFiles(migration).work(number).queue)
    enters = {table["table"]: table["enters"] for table in file["tables"]}
    for name in tables:
        for before in STAGES[STAGES.index(enters[name]) : STAGES.index(stage)]:
            other = zlib.crc32(name.encode())
            claim = {"did": "claimed", "stage": before, "lane": other, "turn": 0, "tables": [name], "at": at}
            log(app, claim, number=number, migration=migration)
            pass_on(app, name, before, number, migration)
    claim = {"did": "claimed", "stage": stage, "lane": lane, "turn": turn, "tables": [*tables], "at": at}
    log(app, claim, number=number, migration=migration)


def pass_on(app, table, stage, number=0, migration="music-2026", items=None):
    """Let a table pass on to the next stage."""
    line = {"did": "passed", "table": table, "stage": stage, "items": items}
    log(app, line, number=number, migration=migration)


def end_table(app, table, state="succeeded", number=0, error=None, migration="music-2026", **counts):
    """Let a table end."""
    line = {
        "table": table,
        "operation": number,
        "state": state,
        "stage": error["stage"] if error else "report",
        "error": error,
        **dict.fromkeys(COUNTS),
        "started_at": NOON,
        "finished_at": "2026-01-31T12:30:00+00:00",
        **counts,
    }
    app.lake.append(paths.MigrationFiles(migration).ended_tables, line)
    end_in_queue(app, table, state, number, error, migration)


def end_in_queue(app, table, state="succeeded", number=0, error=None, migration="music-2026"):
    """Let a table end in the queue of an operation, and write no line of its own."""
    line = {"did": "ended", "table": table, "state": state, "error": error}
    log(app, line, number=number, migration=migration)
