"""Functions that events of the lake start: for exports, plans, and notifications to deliver.

Events repeat, come late and out of order, so the functions that they call read the current state themselves.
"""

import logging
from pathlib import PurePosixPath

import azure.durable_functions as df
import azure.functions as func

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.clients import app_clients
from d2c.clients.webhook import connect_webhook
from d2c.control import notifications
from d2c.control.app import App
from d2c.control.lake_events import existing_exports, plan_files
from d2c.foreign_json import quoted
from d2c.state.paths import is_plain
from triggers.app import with_app

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.blob_trigger(
    arg_name="manifest",
    path="%D2C_LAKE_FILE_SYSTEM%/exports/{path}/manifest-summary.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.durable_client_input(client_name="client")
@with_app
async def export_arrived(manifest: func.InputStream, app: App) -> None:
    """Wake the copy that waits for an export, or load an existing export."""
    path = path_in_lake(str(manifest.name))
    if path is not None:
        await existing_exports.export_arrived(app, str(PurePosixPath(path).parent))


@blueprint.blob_trigger(
    arg_name="plan",
    path="%D2C_LAKE_FILE_SYSTEM%/plans/{name}.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.durable_client_input(client_name="client")
@with_app
async def plan_arrived(plan: func.InputStream, app: App) -> None:
    """Start the migration of a plan that was put into the lake, or write its faults next to it."""
    path = path_in_lake(str(plan.name))
    if path is not None:
        await plan_files.plan_arrived(app, path)


def path_in_lake(name: str) -> str | None:
    """Return a blob's path in its file system, or None if files next to it would have another folder.

    Args:
        name: the file system's name, a slash and the path.
    """
    _, _, path = name.partition("/")
    if is_plain(path):
        return path
    logger.error("%s is ignored, because its name leads elsewhere; give it a plain name", quoted(name))
    return None


@blueprint.blob_trigger(
    arg_name="event",
    path="%D2C_LAKE_FILE_SYSTEM%/outbox/{name}.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
async def deliver_notification(event: func.InputStream) -> None:
    """Send an event that has just been written to the outbox."""
    clients, event_id = app_clients(), PurePosixPath(str(event.name)).stem
    await notifications.deliver_new(clients.settings, AsyncLake(clients.lake), connect_webhook, event_id)
