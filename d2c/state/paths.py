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
orphans/<migration>.json                      the orphans that the last clean-up of the migration had
```

Logs (``.jsonl``) are appended to, a line at a time, so that many can write, and a repeated write does no harm: readers
ignore duplicates.
"""

import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class TableFiles:
    """The files of one table of a migration."""

    folder: str

    @property
    def record(self) -> str:
        """The table's record, from which its part of the report is made."""
        return f"{self.folder}/record.json"

    @property
    def report(self) -> str:
        """The table's part of the report."""
        return f"{self.folder}/report.json"

    def copy_begun(self, operation: int, part: int, attempt: int) -> str:
        """Return the path of the flag that a copy run may have been started, with what had arrived before."""
        return f"{self.folder}/copy-{operation}-{part}-{attempt}.json"

    def load_folder(self, run: str, attempt: int) -> str:
        """Return the folder for the request and the results of one load run.

        Args:
            run: the operation that the run is part of, such as ``start-0`` or ``verify-1``, or its second run.
            attempt: counted from 1.
        """
        return f"{self.folder}/{run}-{attempt}"

    def index_folder(self, operation: str) -> str:
        """Return the folder of the progress of the table's indexes.

        Args:
            operation: such as ``start-0`` or ``retry-1``.
        """
        return f"{self.folder}/{operation}-index"

    def done_folder(self, operation: str) -> str:
        """Return the folder of what the load runs of an operation have done of the table, data file by data file.

        Args:
            operation: such as ``start-0``.
        """
        return f"{self.folder}/{operation}-done"

    def done_groups_prefix(self, operation: str, run: str, attempt: int) -> str:
        """Return the start of the paths of what one load run has done of the table; see `d2c.load_run.resuming`.

        Args:
            operation: as in `done_folder`.
            run: the operation, or its second run.
            attempt: counted from 1.
        """
        return f"{self.done_folder(operation)}/groups/{run}-{attempt}."


@dataclass(frozen=True)
class WorkFiles:
    """The files of the work of one operation."""

    folder: str

    @property
    def queue(self) -> str:
        """The caps and the tables of the operation's queue."""
        return f"{self.folder}/queue.json"

    @property
    def queue_log(self) -> str:
        """The log of the operation's queue."""
        return f"{self.folder}/queue.jsonl"

    def table(self, table: str) -> str:
        """Return the path of what the operation knows of a table: its settings, and what its stages found."""
        return f"{self.folder}/tables/{table}.json"

    def unit_requests(self, unit: str, attempt: int) -> str:
        """Return the path of the list of requests of a unit's load run."""
        return f"{self.folder}/units/{unit}-{attempt}.json"

    def unit_requests_prefix(self, unit: str) -> str:
        """Return the start of the paths of the lists of requests of a unit's load runs."""
        return f"{self.folder}/units/{unit}-"

    def unit_log(self, unit: str) -> str:
        """Return the path of the log of a unit's tables: those that have ended, and those that may be loaded."""
        return f"{self.folder}/units/{unit}.jsonl"


@dataclass(frozen=True)
class MigrationFiles:
    """The files of one migration."""

    migration: str

    @property
    def folder(self) -> str:
        """The folder of nearly all of them."""
        return f"migrations/{self.migration}"

    @property
    def plan(self) -> str:
        """The plan as it was accepted."""
        return f"{self.folder}/plan.json"

    @property
    def tables(self) -> str:
        """The list of the migration's tables."""
        return f"{self.folder}/tables.json"

    @property
    def estimate(self) -> str:
        """The migration's estimate."""
        return f"{self.folder}/estimate.json"

    @property
    def ended_tables(self) -> str:
        """The log of tables that ended."""
        return f"{self.folder}/tables.jsonl"

    @property
    def pause(self) -> str:
        """The flag that no new stage may start."""
        return f"{self.folder}/pause.json"

    @property
    def report(self) -> str:
        """The migration's report as JSON."""
        return f"{self.folder}/report.json"

    @property
    def report_page(self) -> str:
        """The migration's report as an HTML page."""
        return f"{self.folder}/report.html"

    @property
    def is_open(self) -> str:
        """The flag that the migration has not ended."""
        return f"{MIGRATIONS_OPEN}{self.migration}"

    @property
    def watchdog(self) -> str:
        """The watchdog's file of the migration, as `d2c.state.stall_rules` has it."""
        return f"{WATCHDOG}{self.migration}.json"

    @property
    def orphans(self) -> str:
        """The orphans that a clean-up of the migration cleans up."""
        return f"orphans/{self.migration}.json"

    @property
    def operations_prefix(self) -> str:
        """The start of the paths of the requests of operations."""
        return f"{self.folder}/operations/"

    def operation(self, number: int) -> str:
        """Return the path of the request of an operation; names sort by number."""
        return f"{self.operations_prefix}{number:06d}.json"

    def cancel(self, operation: int) -> str:
        """Return the path of the flag that an operation, or tables of it, are cancelled."""
        return f"{self.folder}/cancel-{operation}.json"

    def work(self, operation: int) -> WorkFiles:
        """Return the files of the work of an operation; 0 is the migration's start."""
        return WorkFiles(f"{self.folder}/work/{operation:06d}")

    def table(self, table: str) -> TableFiles:
        """Return the files of one of its tables."""
        return TableFiles(f"{self.folder}/tables/{folder_name(table)}")

    def index(self, started_at_ms: int) -> str:
        """Return the index entry of the migration, whose name sorts before those of older ones.

        Args:
            started_at_ms: epoch milliseconds.
        """
        return f"{MIGRATIONS_BY_TIME}{_END_OF_TIME_MS - started_at_ms:013d}-{self.migration}"


def migration_of_index(path: str) -> str:
    """Return the migration's id of an index entry."""
    return path.removeprefix(MIGRATIONS_BY_TIME)[14:]


def time_of_index(path: str) -> int:
    """Return the time of acceptance of an index entry's migration, in epoch milliseconds."""
    return _END_OF_TIME_MS - int(path.removeprefix(MIGRATIONS_BY_TIME)[:13])
