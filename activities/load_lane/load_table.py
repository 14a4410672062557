"""One table in the load run of its unit: its request, the word that lets it go, and its result."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeVar, cast

from activities.load_lane.index import index_next
from activities.load_lane.scale import is_ready, scaled
from activities.outcome import log_error
from activities.table_end import end_table
from d2c.app.settings import Settings
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import BusyError
from d2c.load_run.progress import RESULT_FILE
from d2c.load_run.request import STAGES, LoadRequest
from d2c.load_run.throughput.sizing import verify_ru_of
from d2c.load_run.told.result import read_result
from d2c.load_run.unit.handover import ASSESSED_BYTES, ASSESSED_FILE, assessed_of
from d2c.shapes import LaneInput, LoadResult, LoadScope, StageEntry, TableInput
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.ids import operation_name, second_run, unit_name
from d2c.state.table_files import awaits_indexes, keep, read_table

Result = TypeVar("Result")


def load_folder_of(payload: LaneInput, table: str) -> str:
    """Return the folder of a table's request and results in the load run of a unit."""
    files = paths.MigrationFiles(payload["migration"]).table(table)
    return files.load_folder(_run_of(payload), payload["attempt"])


def done_groups_prefix_of(payload: LaneInput, table: str) -> str:
    """Return the start of the paths of what a load run has done of a table."""
    operation = operation_name(payload["kind"], payload["operation"])
    files = paths.MigrationFiles(payload["migration"]).table(table)
    return files.done_groups_prefix(operation, _run_of(payload), payload["attempt"])


def _run_of(payload: LaneInput) -> str:
    operation = operation_name(payload["kind"], payload["operation"])
    return second_run(operation) if payload.get("is_second_run") else operation


def is_left_out(lake: Lake, payload: LaneInput, table: TableInput) -> bool:
    """Return whether a load run has nothing to do for a table: it is loaded, or a second run loads it.

    A second run loads at once, so its tables are let go before it begins.
    """
    if awaits_indexes(table):
        return True
    if payload.get("is_second_run"):
        keep(lake, table, is_let_go=True)
        return False
    return "assessed_in" in table


def paced(clients: Clients, payload: LaneInput, table: TableInput) -> TableInput:
    """Return a table with the RU/s with which verify reads its container, if others may use it at the same time.

    They may if it was there before its load, and after its load.
    """
    percent, described = clients.settings.load_runs.verify_ru_percent, table.get("described")
    if payload["kind"] in MIGRATING:
        is_live = described is not None and not described["created"]
        ru_per_second = described["peak_ru_per_second"] if described and is_live else None
    else:
        throughput = clients.cosmos_management.find_throughput(table["database"], table["container"])
        ru_per_second = throughput.ru_per_second if throughput else None
    wanted = verify_ru_of(ru_per_second, percent)
    return table if wanted is None else keep(clients.lake, table, verify_ru_per_second=wanted)


def load_request(table: TableInput, settings: Settings, folder: str, payload: LaneInput) -> LoadRequest:
    """Return the request of a table in a load run, whose files are in a folder."""
    source, limits = table["source"], table["limits"]
    is_second, is_migrated = payload.get("is_second_run", False), "scope" not in table
    scope: LoadScope = table.get("scope") or {
        "stages": STAGES[1:] if is_second else STAGES,
        "rules_history": [table["rules"]],
        "load_started_at": None,
        "documents_written": 0,
        "rejected_folder": None,
        "items_rejected": 0,
    }
    rejected_folder = scope["rejected_folder"]
    operation = operation_name(payload["kind"], payload["operation"])
    done_folder = paths.MigrationFiles(table["migration"]).table(table["table"]).done_folder(operation)
    return LoadRequest(
        migration=table["migration"],
        table=table["table"],
        table_arn=source["arn"],
        export_arn=table["export"]["arn"],
        stages=tuple(scope["stages"]),
        export_folder=settings.lake_path(table["copy"]["folder"]),
        result_folder=settings.lake_path(folder),
        hash_key=source["hash_key"],
        range_key=source["range_key"],
        ttl_attribute=source["ttl_attribute"],
        rules_history=tuple(scope["rules_history"]),
        max_rejected_items=limits["max_rejected_items"],
        verify=table["verify"],
        cosmos_endpoint=settings.cosmos_endpoint,
        cosmos_auth=settings.spark_cosmos_auth,
        secret_scope=settings.secret_scope,
        database=table["database"],
        container=table["container"],
        max_logical_partition_bytes=limits["max_logical_partition_bytes"],
        verify_reads_with=settings.load_runs.verify_reads_with,
        verify_ru_per_second=table.get("verify_ru_per_second"),
        load_started_at=scope["load_started_at"],
        documents_written=scope["documents_written"],
        rejected_folder=settings.lake_path(rejected_folder) if rejected_folder else None,
        items_rejected=scope["items_rejected"],
        done_folder=settings.lake_path(done_folder),
        streams_from=settings.volume_path(table["copy"]["folder"]),
        go_within_seconds=settings.load_runs.go_within_seconds if is_migrated and not is_second else None,
        assessed_by=settings.lake_path(f"{table['assessed_in']}/{ASSESSED_FILE}") if is_second else None,
    )


def leave(lake: Lake, payload: LaneInput, name: str) -> None:
    """Let the run go on without a table; what it is loading at this moment it loads to its end."""
    _tell(lake, payload, {"table": name})


def _tell(lake: Lake, payload: LaneInput, entry: Mapping[str, Any]) -> None:
    lake.append(log_of(payload), entry)


def log_of(payload: LaneInput) -> str:
    """Return the path of the log of a unit."""
    unit = unit_name(payload["lane"], payload["turn"])
    return paths.MigrationFiles(payload["migration"]).work(payload["operation"]).unit_log(unit)


def look_at_table(
    clients: Clients, payload: LaneInput, table: TableInput, let_go: Set[str], waiting: list[str]
) -> bool:
    """End a table whose result is in the lake, or bring it nearer to its load; return whether the run is done with it.

    Args:
        clients: the app's.
        payload: the lane's.
        table: the table.
        let_go: the tables that the run has been told to load.
        waiting: gets the table's name if the run waits for it.
    """
    folder = load_folder_of(payload, table["table"])
    if awaits_indexes(table):
        if _is_ready(clients, table):
            # Scaling has written to it.
            kept = read_table(clients.lake, table["migration"], table["operation"], table["table"])
            index_next(clients, payload, kept)
        return True
    if "assessed_in" in table and not payload.get("is_second_run"):
        _is_ready(clients, table)
        return True
    path = f"{folder}/{RESULT_FILE}"
    result = read_result(clients.lake.read, path)
    if result is None:
        if hands_over(payload) and table["table"] not in let_go:
            _let_go(clients, payload, table, folder, waiting)
        return False
    load = _summary(result, path)
    if load["state"] == "assessed":
        keep(clients.lake, table, assessed_in=folder, stages=_with_stages_of_run(table, load["stages"]))
        return True
    if "assessed_in" in table:
        table = {**table, "rejected_folder": f"{table['assessed_in']}/rejected"}
    table = keep(clients.lake, table, load=load, stages=_with_stages_of_run(table, load["stages"]))
    if awaits_indexes(table):
        index_next(clients, payload, table)
        return True
    end_table(clients, payload, table["table"], error=load["error"], table=table)
    return True


def hands_over(payload: LaneInput) -> bool:
    """Return whether a run waits, between assess and load, for the containers of its tables."""
    return payload["kind"] in MIGRATING and not payload.get("is_second_run")


def _let_go(clients: Clients, payload: LaneInput, table: TableInput, folder: str, waiting: list[str]) -> None:
    """Let a table that has been assessed be loaded as soon as its container is there.

    That it may have written something is kept before the run is told.
    """
    lake, name = clients.lake, table["table"]
    value = lake.read_json(f"{folder}/{ASSESSED_FILE}", ASSESSED_BYTES)
    if value is None:
        # It is written after the word that the table waits.
        waiting.append(name)
        return
    if "assessed" not in table:
        found = assessed_of(value)
        stages = _with_stages_of_run(table, cast("Sequence[StageEntry]", found.stages))
        table = keep(lake, table, assessed=found.sums, stages=stages)
    after = _unless_busy(scaled, clients, table)
    if after is None:
        waiting.append(name)
        return
    keep(lake, after, is_let_go=True)
    _tell(lake, payload, {"table": name, "let_go": True})


def _with_stages_of_run(table: TableInput, stages: Sequence[StageEntry]) -> list[StageEntry]:
    """Return a table's stages with those of a load run, in the place of what an earlier one, which was lost, had."""
    names = {stage["stage"] for stage in stages}
    return [*(stage for stage in table["stages"] if stage["stage"] not in names), *stages]


def _is_ready(clients: Clients, table: TableInput) -> bool:
    return bool(_unless_busy(is_ready, clients, table))


def _unless_busy(
    step: Callable[[Clients, TableInput], Result], clients: Clients, table: TableInput
) -> Result | None:
    """Do the next step for a table's container; an account that takes no more for now is asked at the next look."""
    try:
        return step(clients, table)
    except BusyError as busy:
        log_error("look_at_load", busy)
        return None


def _summary(result: Mapping[str, Any], path: str) -> LoadResult:
    """Return what of a load run's result belongs into a record: nothing that grows with the table."""
    return {
        "state": result["state"],
        "error": result.get("error"),
        "stages": result.get("stages") or [],
        "files": result.get("files"),
        "assessed": result.get("assessed"),
        "loaded": result.get("loaded"),
        "replayed": result.get("replayed"),
        "load_started_at": result.get("load_started_at"),
        "verification": result.get("verification"),
        "result_path": path,
    }
