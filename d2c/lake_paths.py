"""Where everything lies in the lake's file system. All paths are relative to it and use ``/``.

```
exports/<migration>/<table>/<export id>/      the copied export: data/, then its manifests
migrations/<migration>/plan.json              the plan as it was accepted
migrations/<migration>/cancel.json            there once a user asked to cancel; cancel-<revisit>.json: a revisit
migrations/<migration>/report.json .html      the report
migrations/<migration>/revisits/<number>.json what the revisit was asked; the first to write it has the number
migrations/<migration>/tables/<table>/        report.json: this table's part of the report, made of record.json
migrations/<migration>/tables/<table>/<run>-<attempt>/   what a load run was asked and what it found: run is `load`,
                                              or a revisit such as `verify-1`, `replay-2`
migrations-by-time/<reversed time>-<migration>           an index: names sort newest first
```
"""

MIGRATIONS_BY_TIME = "migrations-by-time/"
# Epoch milliseconds have 13 digits until the year 2286; counted down from here, younger names sort first.
_END_OF_TIME_MS = 9_999_999_999_999


def export_folder(migration: str, table: str, export_id: str) -> str:
    """Return the folder that one export of a table is copied to."""
    return f"exports/{migration}/{table}/{export_id}"


def plan_path(migration: str) -> str:
    """Return the path of the plan as it was accepted."""
    return f"migrations/{migration}/plan.json"


def cancel_path(migration: str, revisit: str | None = None) -> str:
    """Return the path of the mark that a migration, or a revisit of one, is to be cancelled."""
    return f"migrations/{migration}/cancel{f'-{revisit}' if revisit else ''}.json"


def report_path(migration: str) -> str:
    """Return the path of the migration's report as JSON."""
    return f"migrations/{migration}/report.json"


def report_page_path(migration: str) -> str:
    """Return the path of the migration's report as an HTML page."""
    return f"migrations/{migration}/report.html"


def table_report_path(migration: str, table: str) -> str:
    """Return the path of one table's part of the report."""
    return f"migrations/{migration}/tables/{table}/report.json"


def table_record_path(migration: str, table: str) -> str:
    """Return the path of all that a table's stages found, which its part of the report is made of."""
    return f"migrations/{migration}/tables/{table}/record.json"


def load_folder(migration: str, table: str, attempt: int, run: str = "load") -> str:
    """Return the folder for the request and the results of one load run.

    Args:
        migration: its id.
        table: its name.
        attempt: counted from 1.
        run: ``load``, or the revisit that the run is part of.
    """
    return f"migrations/{migration}/tables/{table}/{run}-{attempt}"


def revisits_prefix(migration: str) -> str:
    """Return what the paths of a migration's revisits begin with."""
    return f"migrations/{migration}/revisits/"


def revisit_path(migration: str, number: int) -> str:
    """Return the path of what a revisit was asked; names sort by number."""
    return f"{revisits_prefix(migration)}{number:06d}.json"


def index_path(migration: str, started_at_ms: int) -> str:
    """Return the index entry of a migration, whose name sorts before those of older ones.

    Args:
        migration: the migration's id.
        started_at_ms: epoch milliseconds.
    """
    return f"{MIGRATIONS_BY_TIME}{_END_OF_TIME_MS - started_at_ms:013d}-{migration}"


def migration_of_index(path: str) -> str:
    """Return the migration's id of an index entry."""
    return path.removeprefix(MIGRATIONS_BY_TIME)[14:]
