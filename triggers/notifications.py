"""Notifications go out: at once when they are written, and again while they fail."""

import logging
from pathlib import PurePosixPath

import azure.durable_functions as df
import azure.functions as func

from d2c.clients.lake import connect_lake
from d2c.clients.webhook import connect_webhook
from d2c.delivery import Delivery
from d2c.settings import app_settings

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


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


@blueprint.timer_trigger(arg_name="timer", schedule="%D2C_WATCH_SCHEDULE%")
async def deliver_notifications_again(timer: func.TimerRequest) -> None:
    """Send again what could not be delivered and whose time has come."""
    settings = app_settings()
    if settings.webhook_url:
        async with connect_webhook(settings) as webhook:
            await Delivery(connect_lake(settings), webhook).deliver_what_is_due()
