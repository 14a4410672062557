"""Files of lanes and ended tables in the lake, for tests of a migration's status."""

from d2c.state import paths

COUNTS = ("items_exported", "items_written", "items_rejected", "items_expired", "mismatches")


def entry(table, unit, **changes):
    """Return a table as the migration lists it."""
    return {
        "table": table,
        "container": table.lower(),
        "database": "shop",
        "region": "eu-west-1",
        "size_bytes": None,
        "item_count": None,
        "load_group": None,
        "unit": unit,
        **changes,
    }


def list_tables(app, units, migration="music-2026", **changes):
    """List the tables of a migration, unit by unit; changes are those of a table by its name."""
    tables = [
        entry(name, number, **changes.get(name, {})) for number, unit in enumerate(units) for name in unit
    ]
    app.lake.write_json(paths.tables_path(migration), {"tables": tables})
    list_units(app, units, 0, migration)


def list_units(app, units, number, migration="music-2026"):
    """List the units of the start (0) or a retry."""
    if number:
        app.lake.write_json(paths.operation_path(migration, "retry", number), {})
    folder = paths.operation_folder(migration, number)
    app.lake.write_json(paths.members_path(folder), {"units": units})


def take_units(app, *lanes, number=0, migration="music-2026"):
    """Let lanes take units, one each, in this order."""
    path = paths.turns_path(paths.operation_folder(migration, number))
    for lane in lanes:
        app.lake.append(path, {"lane": lane, "turn": 0})


def end_table(app, table, state="succeeded", number=0, error=None, migration="music-2026", **counts):
    """Let a table end."""
    line = {
        "table": table,
        "round": number,
        "state": state,
        "stage": error["stage"] if error else "report",
        "error": error,
        **dict.fromkeys(COUNTS),
        "started_at": "2026-01-31T12:00:05+00:00",
        "finished_at": "2026-01-31T12:30:00+00:00",
        **counts,
    }
    app.lake.append(paths.ended_tables_path(migration), line)
