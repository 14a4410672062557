"""What the clock wakes: the watch, and the delivery of notifications that failed."""

import logging
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.app.settings import app_settings
from d2c.clients.azure.lake import connect_lake
from d2c.clients.webhook import connect_webhook
from d2c.control import watchdog
from d2c.errors import D2CError
from d2c.state.outbox import Delivery

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%D2C_WATCH_SCHEDULE%")
@blueprint.durable_client_input(client_name="client")
async def watch(timer: func.TimerRequest, client: Any) -> None:
    """Look at all that is under way, or was."""
    try:
        await watchdog.look_at_everything(client, datetime.now(UTC))
    except D2CError as error:
        logger.warning("The watch could not look, and tries again at its next time: %s", error)


@blueprint.timer_trigger(arg_name="timer", schedule="%D2C_WATCH_SCHEDULE%")
async def deliver_notifications_again(timer: func.TimerRequest) -> None:
    """Send again what could not be delivered and whose time has come."""
    settings = app_settings()
    if settings.webhook_url:
        async with connect_webhook(settings) as webhook:
            await Delivery(connect_lake(settings), webhook).deliver_what_is_due()
