"""What arrives in the lake."""

import logging
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from triggers.migrations import wake

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.blob_trigger(
    arg_name="manifest",
    path="%D2C_LAKE_FILE_SYSTEM%/exports/{migration}/{table}/{export}/manifest-summary.json",
    connection="D2C_LAKE",
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.durable_client_input(client_name="client")
async def export_arrived(manifest: func.InputStream, client: Any) -> None:
    """Tell the copy that waits for an export that its manifest, which lands last, is there.

    Events repeat and come late; what they wake looks for itself.
    """
    _, _, migration, table, _, _ = str(manifest.name).split("/", 5)
    logger.info("The export of %s for migration %s has arrived", table, migration)
    await wake(client, migration, table, ("copy",))
