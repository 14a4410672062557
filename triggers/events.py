"""What arrives in the lake: exports, plans, and notifications to deliver.

Events repeat, come late and out of order, so what they call looks for itself.
"""

import logging
from pathlib import PurePosixPath
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.app.settings import app_settings
from d2c.clients.azure.lake import connect_lake
from d2c.clients.webhook import connect_webhook
from d2c.control import export_arrivals, plan_files
from d2c.state.outbox import Delivery

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.blob_trigger(
    arg_name="manifest",
    path="%D2C_LAKE_FILE_SYSTEM%/exports/{path}/manifest-summary.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.durable_client_input(client_name="client")
async def export_arrived(manifest: func.InputStream, client: Any) -> None:
    """Tell the copy that waits for an export that its manifest is there, or load what others have copied."""
    path = path_in_lake(str(manifest.name))
    if path is not None:
        await export_arrivals.export_arrived(
            client, connect_lake(app_settings()), str(PurePosixPath(path).parent)
        )


@blueprint.blob_trigger(
    arg_name="plan",
    path="%D2C_LAKE_FILE_SYSTEM%/plans/{name}.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.durable_client_input(client_name="client")
async def plan_arrived(plan: func.InputStream, client: Any) -> None:
    """Start the migration that a plan asks for that was dropped into the lake, or say beside it what is wrong."""
    path = path_in_lake(str(plan.name))
    if path is not None:
        await plan_files.plan_arrived(client, connect_lake(app_settings()), path)


def path_in_lake(name: str) -> str | None:
    """Return a blob's path in its file system, or None if what is written beside it would land elsewhere.

    Args:
        name: the file system's name, a slash and the path.
    """
    _, _, path = name.partition("/")
    # HTTP clients resolve such parts of an address before they send it.
    if {"", ".", ".."}.isdisjoint(path.split("/")) and "\\" not in path:
        return path
    logger.error("%r is left alone, because its name leads elsewhere; give it a plain name", name)
    return None


@blueprint.blob_trigger(
    arg_name="event",
    path="%D2C_LAKE_FILE_SYSTEM%/outbox/{name}.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
async def deliver_notification(event: func.InputStream) -> None:
    """Send an event that has just been written to the outbox."""
    settings = app_settings()
    if not settings.webhook_url:
        logger.warning("%s is not sent, because D2C_WEBHOOK_URL is not set", event.name)
        return
    async with connect_webhook(settings) as webhook:
        await Delivery(connect_lake(settings), webhook).deliver_new(PurePosixPath(str(event.name)).stem)
