"""The files of a table's export, in S3 and in the lake, and how far its copy is."""

from collections.abc import Mapping
from datetime import datetime

from d2c.clients.azure.data_factory import CopyProgress
from d2c.clients.clients import Clients
from d2c.export_format import copy_parts
from d2c.plan.tables import location_of
from d2c.shapes import PartDone, Progress, TableInput
from d2c.state.paths import MigrationFiles, export_folder

# Operation, part and attempt of a migration's first copy run of a table; nothing is in the lake before it.
FIRST_RUN = (0, 1, 1)


def files_of(clients: Clients, payload: TableInput) -> tuple[dict[str, int], dict[str, int]]:
    """Return the export's files and those in the lake, each by its path in its folder, with its size."""
    folder = payload["export"]["folder"]
    objects = clients.bucket(*location_of(payload)).sizes(f"{folder}/")
    return copy_parts.copied_files(objects, folder), clients.lake.sizes(lake_folder(payload))


def arrived_of(expected: Mapping[str, int], missing: Mapping[str, int]) -> Progress:
    """Return how many files of the export are in the lake, and their bytes."""
    return {
        "files": len(expected) - len(missing),
        "done": sum(expected.values()) - sum(missing.values()),
    }


def progress_of(clients: Clients, payload: TableInput) -> Progress:
    """Return how far the copy is: what was there before this run, and what the run has copied."""
    before = {} if run_of(payload) == FIRST_RUN else clients.lake.read_json(begun_path(payload)) or {}
    copied = copied_by_run(clients, payload)
    return {
        "files": before.get("files", 0) + copied.files,
        "done": before.get("done", 0) + copied.size_bytes,
        "total": payload["export"]["bytes"],
    }


def copied_by_run(clients: Clients, payload: TableInput) -> CopyProgress:
    """Return what Data Factory says of the run's copies."""
    since = datetime.fromisoformat(payload["started_at"])
    return clients.data_factory.get_copy_progress(payload["run"], since=since)


def files_of_part(clients: Clients, payload: TableInput) -> tuple[str, ...]:
    """Return the files of the run's part; none if an earlier version of this app started it."""
    bucket = clients.bucket(*location_of(payload))
    return copy_parts.read_list(bucket.read(list_key(payload), copy_parts.MOST_LIST_BYTES) or b"")


def part_done(
    clients: Clients, payload: TableInput, expected: Mapping[str, int], arrived: Mapping[str, int]
) -> PartDone | None:
    """Return that the run has done a part, or None if none of its data files has arrived."""
    missing = copy_parts.missing_files(expected, arrived)
    if not (missing and copy_parts.has_progress(files_of_part(clients, payload), missing)):
        return None
    progress: Progress = {**arrived_of(expected, missing), "total": payload["export"]["bytes"]}
    return {"state": "part_done", "progress": progress}


def run_of(payload: TableInput) -> tuple[int, int, int]:
    """Return what distinguishes a copy run from others of its table: operation, part and attempt."""
    return payload["operation"], part_of(payload), payload["attempt"]


def part_of(payload: TableInput) -> int:
    """Return the number of the part that a run copies."""
    return payload.get("part", 1)


def lake_folder(payload: TableInput) -> str:
    """Return the folder of the export in the lake."""
    return export_folder(payload["migration"], payload["table"], payload["export"]["id"])


def begun_path(payload: TableInput) -> str:
    """Return the path of the flag that a try to start the run leaves, with what had arrived before."""
    files = MigrationFiles(payload["migration"]).table(payload["table"])
    return files.copy_begun(*run_of(payload))


def list_key(payload: TableInput) -> str:
    """Return the key of the list of the part's files, beside the export."""
    return copy_parts.list_key(payload["export"]["folder"], *run_of(payload))
