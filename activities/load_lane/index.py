"""Stage index: the indexing policy of a container that was loaded without indexes is applied, and waited for.

The container keeps the RU/s of the load for as long: the service builds an index with those that nobody else uses.
Verify has read the container before, without an index: the two would slow each other down.
"""

import json
from datetime import datetime

import azure.durable_functions as df

from activities.outcome import outcome
from activities.table_end import end_table
from activities.unit import look_at_each
from d2c.app import clock
from d2c.clients.azure.cosmos.data_plane import DONE_PERCENT, index_percent
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RefusedError
from d2c.load_run.progress import PROGRESS_FILE
from d2c.mapping.indexing import is_late
from d2c.shapes import LaneInput, Look, StageEntry, TableInput
from d2c.state import paths
from d2c.state.ids import operation_name
from d2c.state.table_files import keep, with_stages

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_index(clients: Clients, payload: LaneInput) -> Look[int]:
    """Do the next step for each table of a unit whose container gets its indexes; the result is how many are left."""
    return look_at_each(clients, payload, "index", lambda table: index_next(clients, payload, table))


def index_next(clients: Clients, payload: LaneInput, table: TableInput) -> bool:
    """Apply the final indexing policy, or look how far the service is; a table whose container has it ends.

    A worker that died may have applied it: the container says so.

    Args:
        clients: the app's.
        payload: the lane's.
        table: what its file holds.
    """
    lake = clients.lake
    if "indexing_began" not in table:
        table = keep(lake, table, indexing_began=clock.text("milliseconds"))
    if not table.get("is_indexing"):
        if not _is_applied(clients, table):
            _tell(lake, payload, table, 0)
            return False
        table = keep(lake, table, is_indexing=True)
    percent = index_percent(clients.cosmos, table["database"], table["container"])
    _tell(lake, payload, table, percent)
    seconds = (clock.now() - datetime.fromisoformat(table["indexing_began"])).total_seconds()
    if percent < DONE_PERCENT and seconds < clients.settings.load_runs.indexing_waits_seconds:
        return False
    _end(clients, payload, table, percent, seconds)
    return True


def _is_applied(clients: Clients, table: TableInput) -> bool:
    """Return whether a container has its final policy; if not, apply it."""
    management, names = clients.cosmos_management, (table["database"], table["container"])
    policy = table["described"]["final_policy"]
    try:
        container = management.find_container(*names)
        if container is None:
            raise PermanentError(
                "It is no longer there.", "Look for who deleted it, then migrate the table again."
            )
        if not is_late(container.indexing_policy):
            return True
        management.change_indexing(*names, policy)
    except (PermanentError, RefusedError) as error:
        raise PermanentError(
            f"Container {'/'.join(names)} is loaded, but did not get its indexing policy: {error.detail}",
            f"{error.next_step} Then retry the table, or give the container the policy {json.dumps(policy)}",
            title="The indexing policy was not applied",
        ) from error
    return False


def _end(clients: Clients, payload: LaneInput, table: TableInput, percent: int, seconds: float) -> None:
    entry: StageEntry = {
        "stage": "index",
        "state": "succeeded",
        "started_at": table["indexing_began"],
        "seconds": round(max(seconds, 0.0), 3),
    }
    kept = keep(clients.lake, table, indexed_percent=percent, stages=with_stages(table, entry))
    end_table(clients, payload, table["table"], error=None, table=kept)


def _tell(lake: Lake, payload: LaneInput, table: TableInput, percent: int) -> None:
    """Write how far it is where the status looks: as long as other tables are loaded, that is the load run's folder."""
    files = paths.MigrationFiles(payload["migration"]).table(table["table"])
    loaded_in = table["load"]["result_path"].rpartition("/")[0]
    progress = {"stages": [{"stage": "index"}], "done": percent, "total": DONE_PERCENT}
    for folder in (loaded_in, files.index_folder(operation_name(payload["kind"], payload["operation"]))):
        lake.write_json(f"{folder}/{PROGRESS_FILE}", progress)
