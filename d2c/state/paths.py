"""The paths of everything in the lake's file system. They are relative to it and use ``/``.

```
plans/<name>.json                             a plan; .json.accepted, .json.refused: its outcome
exports/<migration>/<table>/<export id>/      the copied export: data/, then its manifests
exports/<any folder>/                         an existing export; d2c-not-loaded.json: why it is not loaded
exports-waiting/<digest>.json                 an existing export without a plan, for the next plan
outbox/<event id>.json                        an event to be sent; outbox-sent/, outbox-failed/, outbox-attempts/
migrations/<migration>/plan.json              the plan as it was accepted
migrations/<migration>/tables.json            the tables of the plan, in the order in which they run
migrations/<migration>/estimate.json          the estimated duration and costs, and their basis
migrations/<migration>/tables.jsonl           a line for each table that ended; a table's last line counts
migrations/<migration>/cancel-<number>.json   flag: a user cancelled the operation, or tables of it
migrations/<migration>/pause.json             flag: no new stage starts
migrations/<migration>/report.json .html      the report
migrations/<migration>/operations/<number>.json   the request of a retry, verify or replay; the first to write it has
                                              the number. 0 is the start, whose request is the plan
migrations/<migration>/work/<number>/         the work of an operation: queue.json (caps and tables), queue.jsonl (what
                                              lanes took and passed on), tables/<table>.json (what its stages found)
migrations/<migration>/work/<number>/units/   of each load run <unit>-<attempt>.json (its requests; of a second one
                                              <unit>-second-<attempt>.json), and <unit>.jsonl (tables that it need not
                                              load any more, and those that it may)
migrations/<migration>/tables/<table>/        record.json, and report.json (its part of the report)
migrations/<migration>/tables/<table>/copy-<operation>-<part>-<attempt>.json   flag: that copy run may be started
migrations/<migration>/tables/<table>/<run>-<attempt>/   request and results of a load run: run is an operation such as
                                              `start-0`, `retry-1`, `verify-2`, and of a second run `start-0-second`
migrations/<migration>/tables/<table>/<operation>-done/   what the load runs of an operation have done: groups/ (data
                                              files), rejected/ (their rejected items, group by group)
migrations-by-time/<reversed time>-<migration>           an index: names sort newest first
migrations-open/<migration>                   flag: the migration has not ended
checks/<check>/                               a check before a migration: plan.json, tables-<number>.json (the plan's
                                              tables in parts), <part>.json (its findings), result.json
containers/<account>/<database>/<container>.json         a container's lock, with its former throughput
watch/<migration>.json                        the last change of each running table, and its stall
deployment.json                               the deployment's id, which its run keys have in them
sweep.json                                    how far the search for lost events of plans and exports has come
exports-loaded/<digest>.json                  the last export of a table that a standing plan has loaded
left-behind/<migration>.json                  the orphans that the last clean-up of the migration had
```

Logs (``.jsonl``) are appended to, a line at a time, so that many can write, and a repeated write does no harm: readers
ignore duplicates.
"""

import re

SWEEP = "sweep.json"
DEPLOYMENT = "deployment.json"
MIGRATIONS_BY_TIME = "migrations-by-time/"
MIGRATIONS_OPEN = "migrations-open/"
WATCHDOG = "watch/"
# Epoch milliseconds have 13 digits until the year 2286; counted down from here, younger names sort first.
_END_OF_TIME_MS = 9_999_999_999_999
# What an entry of the index is called: its time, and the migration.
INDEX_NAME = r"^[0-9]{13}-[A-Za-z0-9][A-Za-z0-9_-]{0,47}$"


def is_plain(path: str) -> bool:
    """Return whether files next to a file would be in the same folder.

    HTTP clients resolve parts such as ``..`` of an address before they send it. Half a surrogate pair has no UTF-8.
    """
    return {"", ".", ".."}.isdisjoint(path.split("/")) and not re.search(r"[\\\ud800-\udfff]", path)


def folder_name(name: str) -> str:
    """Return the name of the folder of a table or a database.

    Azure Storage drops the dots at the end of a folder's name, so that ``orders.`` would be ``orders``, too; no table
    has ``~`` in its name.
    https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
    """
    return f"{name}~" if name.endswith((".", "~")) else name


def name_of_folder(folder: str) -> str:
    """Return the name of the table or database that a folder is of, as `folder_name` has made it."""
    return folder[:-1] if folder.endswith((".~", "~~")) else folder


def export_folder(migration: str, table: str, export_id: str) -> str:
    """Return the folder that one export of a table is copied to."""
    return f"exports/{migration}/{folder_name(table)}/{export_id}"


def plan_path(migration: str) -> str:
    """Return the path of the plan as it was accepted."""
    return f"migrations/{migration}/plan.json"


def tables_path(migration: str) -> str:
    """Return the path of the list of a migration's tables."""
    return f"migrations/{migration}/tables.json"


def estimate_path(migration: str) -> str:
    """Return the path of a migration's estimate."""
    return f"migrations/{migration}/estimate.json"


def ended_tables_path(migration: str) -> str:
    """Return the path of the log of tables that ended."""
    return f"migrations/{migration}/tables.jsonl"


def operations_prefix(migration: str) -> str:
    """Return the start of the paths of the requests of operations."""
    return f"migrations/{migration}/operations/"


def operation_path(migration: str, number: int) -> str:
    """Return the path of the request of an operation; names sort by number."""
    return f"{operations_prefix(migration)}{number:06d}.json"


def work_folder(migration: str, operation: int) -> str:
    """Return the folder of the work of an operation; 0 is the migration's start."""
    return f"migrations/{migration}/work/{operation:06d}"


def queue_path(migration: str, operation: int) -> str:
    """Return the path of the caps and the tables of an operation's queue."""
    return f"{work_folder(migration, operation)}/queue.json"


def queue_log_path(migration: str, operation: int) -> str:
    """Return the path of the log of an operation's queue."""
    return f"{work_folder(migration, operation)}/queue.jsonl"


def table_file_path(migration: str, operation: int, table: str) -> str:
    """Return the path of what an operation knows of a table: its settings, and what its stages found."""
    return f"{work_folder(migration, operation)}/tables/{table}.json"


def unit_requests_path(migration: str, operation: int, unit: str, attempt: int) -> str:
    """Return the path of the list of requests of a unit's load run."""
    return f"{work_folder(migration, operation)}/units/{unit}-{attempt}.json"


def unit_requests_prefix(migration: str, operation: int, unit: str) -> str:
    """Return the start of the paths of the lists of requests of a unit's load runs."""
    return f"{work_folder(migration, operation)}/units/{unit}-"


def unit_log_path(migration: str, operation: int, unit: str) -> str:
    """Return the path of the log of a unit's tables that have ended."""
    return f"{work_folder(migration, operation)}/units/{unit}.jsonl"


def pause_path(migration: str) -> str:
    """Return the path of the flag that no new stage may start."""
    return f"migrations/{migration}/pause.json"


def open_path(migration: str) -> str:
    """Return the path of the flag that a migration has not ended."""
    return f"{MIGRATIONS_OPEN}{migration}"


def check_file_path(check: str, name: str) -> str:
    """Return the path of one file of a check.

    Args:
        check: its id.
        name: the file's, without its ending.
    """
    return f"checks/{check}/{name}.json"


def container_path(account: str, database: str, container: str) -> str:
    """Return the path of a container's lock."""
    return f"containers/{account}/{folder_name(database)}/{container}.json"


def containers_folder(account: str) -> str:
    """Return the folder of the locks of an account's containers that are being loaded."""
    return f"containers/{account}"


def watchdog_path(migration: str) -> str:
    """Return the path of the watchdog's file of a migration, as `d2c.state.stall_rules` has it."""
    return f"{WATCHDOG}{migration}.json"


def orphans_path(migration: str) -> str:
    """Return the path of the orphans that a clean-up of a migration cleans up."""
    return f"left-behind/{migration}.json"


def cancel_path(migration: str, operation: int) -> str:
    """Return the path of the flag that an operation, or tables of it, are cancelled."""
    return f"migrations/{migration}/cancel-{operation}.json"


def _table_folder(migration: str, table: str) -> str:
    return f"migrations/{migration}/tables/{folder_name(table)}"


def report_path(migration: str) -> str:
    """Return the path of the migration's report as JSON."""
    return f"migrations/{migration}/report.json"


def report_page_path(migration: str) -> str:
    """Return the path of the migration's report as an HTML page."""
    return f"migrations/{migration}/report.html"


def table_report_path(migration: str, table: str) -> str:
    """Return the path of one table's part of the report."""
    return f"{_table_folder(migration, table)}/report.json"


def copy_begun_path(migration: str, operation: int, table: str, part: int, attempt: int) -> str:
    """Return the path of the flag that a copy run may have been started, with what had arrived before."""
    return f"{_table_folder(migration, table)}/copy-{operation}-{part}-{attempt}.json"


def table_record_path(migration: str, table: str) -> str:
    """Return the path of a table's record, from which its part of the report is made."""
    return f"{_table_folder(migration, table)}/record.json"


def load_folder(migration: str, table: str, run: str, attempt: int) -> str:
    """Return the folder for the request and the results of one load run.

    Args:
        migration: its id.
        table: its name.
        run: the operation that the run is part of, such as ``start-0`` or ``verify-1``.
        attempt: counted from 1.
    """
    return f"{_table_folder(migration, table)}/{run}-{attempt}"


def done_folder(migration: str, table: str, operation: str) -> str:
    """Return the folder of what the load runs of an operation have done of a table, data file by data file.

    Args:
        migration: its id.
        table: its name.
        operation: such as ``start-0``.
    """
    return f"{_table_folder(migration, table)}/{operation}-done"


def done_groups_prefix(migration: str, table: str, operation: str, run: str, attempt: int) -> str:
    """Return the start of the paths of what one load run has done of a table; see `d2c.load_run.resuming`.

    Args:
        migration: its id.
        table: its name.
        operation: as in `done_folder`.
        run: the operation, or its second run.
        attempt: counted from 1.
    """
    return f"{done_folder(migration, table, operation)}/groups/{run}-{attempt}."


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
    """Return the time of acceptance of an index entry's migration, in epoch milliseconds."""
    return _END_OF_TIME_MS - int(path.removeprefix(MIGRATIONS_BY_TIME)[:13])
