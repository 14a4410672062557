"""Stage copy: Data Factory copies the export from S3 into the lake, a long one in parts, one after another."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime

import azure.durable_functions as df

from activities.copy_lane.files import (
    arrived_of,
    begun_path,
    copied_by_run,
    files_of,
    files_of_part,
    lake_folder,
    part_done,
    part_of,
    progress_of,
)
from activities.copy_lane.runs import PIPELINES, run_failure, start_run
from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.azure.data_factory import ACTIVE, PipelineRun
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RunFailedError
from d2c.export_format import copy_parts
from d2c.redaction import without_secrets
from d2c.shapes import Copy, Look, PartDone, TableInput
from d2c.state.ids import run_key

# Data Factory compares what it has written with the source (validateDataConsistency).
INCONSISTENT = "consisten"
logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_copy(clients: Clients, payload: TableInput) -> str:
    """Start the copy run of a part, or find the one that an earlier try started; the result is the run's id.

    A part is what has not arrived yet, as far as one run takes it.
    """
    refuse_if_cancelled(clients.lake, payload)
    expected, arrived = files_of(clients, payload)
    missing = copy_parts.missing_files(expected, arrived)
    key = run_key(payload, payload["table"], "copy", payload["attempt"], part_of(payload))
    before = arrived_of(expected, missing)
    run = None
    # To look through all runs costs calls that grow with them: only a try that finds the flag of an earlier one does.
    if not clients.lake.create(begun_path(payload), json.dumps(before).encode()):
        since = datetime.fromisoformat(payload["started_at"])
        run = clients.data_factory.find_run([*PIPELINES.values()], key, since=since)
    return run or start_run(clients, payload, key, missing)


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_copy(clients: Clients, payload: TableInput) -> Look[Copy]:
    """Look whether the copy run has ended, and then whether names and sizes in the lake are those in S3.

    A run of which something has arrived has done a part, even if it failed: the next one copies the rest.
    """
    refuse_if_cancelled(clients.lake, payload)
    run = clients.data_factory.get_run(payload["run"])
    if run.status in ACTIVE:
        return {"state": "running", "progress": progress_of(clients, payload)}
    if run.status == "Cancelled":
        raise PermanentError(
            f"Copy run {payload['run']} was cancelled in Data Factory.",
            "Retry the migration: it copies what is not in the lake yet.",
        )
    expected, arrived = files_of(clients, payload)
    if run.status != "Succeeded":
        return _after_failure(clients, payload, run, expected, arrived)
    if expected == arrived:
        copy: Copy = {
            "folder": lake_folder(payload),
            "files": len(arrived),
            "bytes": sum(arrived.values()),
        }
        return {"state": "succeeded", "result": copy}
    part = part_done(clients, payload, expected, arrived)
    if part:
        return part
    raise RunFailedError(
        f"{copy_parts.differences(expected, arrived)} between S3 and the lake's {lake_folder(payload)}.",
        "The copy is run again; if it stays so, look for other writers to this folder.",
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_copy(clients: Clients, payload: TableInput) -> None:
    """Ask the copy run to stop; there is one at a time, and none begins in a cancelled migration."""
    clients.data_factory.cancel_run(payload["run"])


def _after_failure(
    clients: Clients,
    payload: TableInput,
    run: PipelineRun,
    expected: Mapping[str, int],
    arrived: Mapping[str, int],
) -> PartDone:
    """Return that a part is done if something of it has arrived.

    Raises:
        PermanentError: with the run's failure, if nothing has, or if what has is not what it should be.
    """
    failure = f"ended as {run.status}: {copied_by_run(clients, payload).error or run.message}"
    if INCONSISTENT in failure.lower():
        for name in files_of_part(clients, payload):
            clients.lake.delete(f"{lake_folder(payload)}/{name}")
        raise run_failure(clients, payload, failure, arrived)
    part = part_done(clients, payload, expected, arrived)
    if part is None:
        raise run_failure(clients, payload, failure, arrived)
    logger.warning("Copy run %s %s (the next copies the rest)", payload["run"], without_secrets(failure))
    return part
