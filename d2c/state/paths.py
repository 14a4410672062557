"""Where everything lies in the lake's file system. All paths are relative to it and use ``/``.

```
plans/<name>.json                             a plan; .json.accepted, .json.refused: what became of it
exports/<migration>/<table>/<export id>/      the copied export: data/, then its manifests
exports/<any folder>/                         an export that others copied; d2c-arrival.json: why it is not loaded
arrivals-waiting/<digest>.json                such an export, for the next plan that arrives
outbox/<event id>.json                        an event to be sent; outbox-sent/, outbox-failed/, outbox-attempts/
migrations/<migration>/plan.json              the plan as it was accepted
migrations/<migration>/tables.json            the tables that the plan came to, in the order in which they run
migrations/<migration>/estimate.json          what the migration was expected to take, and what that rests on
migrations/<migration>/tables.jsonl           a line for each table that ended; the last one of a table counts
migrations/<migration>/cancel.json            there once a user asked to cancel; cancel-<revisit>.json: a revisit
migrations/<migration>/pause.json             there while no new stage is to begin
migrations/<migration>/report.json .html      the report
migrations/<migration>/retries/<number>.json  what the retry was asked; the first to write it has the number
migrations/<migration>/revisits/<number>.json what the revisit was asked, likewise
migrations/<migration>/rounds/<round>/        a round of work: `0` is the migration's start, `1` its first retry,
                                              `verify-1` a revisit. members.json: the tables' names in units,
                                              units/<number>.json, turns.jsonl
migrations/<migration>/slots/<kind>.jsonl     who asked for a slot and who left it: exports-<place>, copies, loads
migrations/<migration>/groups/<group>.jsonl   how far the tables are that share a load run
migrations/<migration>/groups/<group>-<attempt>/         that run: requests.json (what it was asked), run.json (its id)
migrations/<migration>/tables/<table>/        report.json: this table's part of the report, made of record.json
migrations/<migration>/tables/<table>/copy-<attempt>.begun   there before that copy run is started
migrations/<migration>/tables/<table>/<run>-<attempt>/   what a load run was asked and what it found: run is `load`,
                                              or a revisit such as `verify-1`, `replay-2`
migrations-by-time/<reversed time>-<migration>           an index: names sort newest first
migrations-open/<migration>                   there until the migration has ended: what the watch looks at
checks/<check>/                               a check before a migration: plan.json, tables-<number>.json (the plan's
                                              tables in parts), <part>.json (its findings), result.json
containers/<account>/<database>/<container>.json         who loads a container, and its throughput before
watch/<migration>.json                        since when each table that runs has not changed, and which is stalled
left-behind/<migration>.json                  what the last clean-up of the migration had to finish
```

Logs (``.jsonl``) are appended to, a line at a time, so that many can write and a write that is repeated does no harm:
readers count each thing once.
"""

MIGRATIONS_BY_TIME = "migrations-by-time/"
MIGRATIONS_OPEN = "migrations-open/"
WATCH = "watch/"
# Epoch milliseconds have 13 digits until the year 2286; counted down from here, younger names sort first.
_END_OF_TIME_MS = 9_999_999_999_999


def export_folder(migration: str, table: str, export_id: str) -> str:
    """Return the folder that one export of a table is copied to."""
    return f"exports/{migration}/{table}/{export_id}"


def plan_path(migration: str) -> str:
    """Return the path of the plan as it was accepted."""
    return f"migrations/{migration}/plan.json"


def tables_path(migration: str) -> str:
    """Return the path of the tables that a plan came to."""
    return f"migrations/{migration}/tables.json"


def estimate_path(migration: str) -> str:
    """Return the path of a migration's estimate."""
    return f"migrations/{migration}/estimate.json"


def ended_tables_path(migration: str) -> str:
    """Return the path of the log of tables that ended."""
    return f"migrations/{migration}/tables.jsonl"


def retries_prefix(migration: str) -> str:
    """Return what the paths of a migration's retries begin with."""
    return f"migrations/{migration}/retries/"


def retry_path(migration: str, number: int) -> str:
    """Return the path of what a retry was asked; names sort by number."""
    return f"{retries_prefix(migration)}{number:06d}.json"


def round_folder(migration: str, name: int | str) -> str:
    """Return the folder of one round of a migration's work.

    Args:
        migration: its id.
        name: 0 for its start, the number of a retry, or a revisit such as ``verify-1``.
    """
    return f"migrations/{migration}/rounds/{name}"


def members_path(folder: str) -> str:
    """Return the path of the names of a round's tables, unit by unit.

    Args:
        folder: the round's.
    """
    return f"{folder}/members.json"


def unit_path(folder: str, number: int) -> str:
    """Return the path of a unit of work: tables that run together, or one after another.

    Args:
        folder: the round's.
        number: counted from 0.
    """
    return f"{folder}/units/{number:06d}.json"


def turns_path(folder: str) -> str:
    """Return the path of the log in which a round's lanes take units, in their order."""
    return f"{folder}/turns.jsonl"


def slots_path(migration: str, kind: str) -> str:
    """Return the path of the log of who has, or waits for, a slot.

    Args:
        migration: its id.
        kind: ``exports-<region>`` or ``exports-<account>-<region>``, ``copies`` or ``loads``.
    """
    return f"migrations/{migration}/slots/{kind}.jsonl"


def load_group_path(migration: str, group: str) -> str:
    """Return the path of the log of how far the tables are that share a load run."""
    return f"migrations/{migration}/groups/{group}.jsonl"


def load_group_folder(migration: str, group: str, attempt: int) -> str:
    """Return the folder of an attempt's run that the tables of a group share."""
    return f"migrations/{migration}/groups/{group}-{attempt}"


def pause_path(migration: str) -> str:
    """Return the path of the mark that no new stage is to begin."""
    return f"migrations/{migration}/pause.json"


def open_path(migration: str) -> str:
    """Return the path of the mark that a migration has not ended."""
    return f"{MIGRATIONS_OPEN}{migration}"


def check_file_path(check: str, name: str) -> str:
    """Return the path of one file of a check.

    Args:
        check: its id.
        name: the file's, without its ending.
    """
    return f"checks/{check}/{name}.json"


def container_path(account: str, database: str, container: str) -> str:
    """Return the path of the record of who loads a container."""
    return f"containers/{account}/{database}/{container}.json"


def containers_folder(account: str) -> str:
    """Return the folder of the records of an account's containers that are being loaded."""
    return f"containers/{account}"


def watch_path(migration: str) -> str:
    """Return the path of what the watch keeps of a migration; a table that is stalled has ``stalled`` there."""
    return f"{WATCH}{migration}.json"


def left_behind_path(migration: str) -> str:
    """Return the path of what a clean-up of a migration is to finish."""
    return f"left-behind/{migration}.json"


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


def copy_begun_path(migration: str, table: str, attempt: int) -> str:
    """Return the path of the mark that a copy run may have been started."""
    return f"migrations/{migration}/tables/{table}/copy-{attempt}.begun"


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


def time_of_index(path: str) -> int:
    """Return when the migration of an index entry was accepted, in epoch milliseconds."""
    return _END_OF_TIME_MS - int(path.removeprefix(MIGRATIONS_BY_TIME)[:13])
