"""Delivery of the outbox to the webhook, if the settings have one."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from d2c.app.settings import Settings
from d2c.clients.azure.async_lake import AsyncLake
from d2c.state.outbox import Delivery, Receiver

logger = logging.getLogger(__name__)

Connect = Callable[[Settings], AbstractAsyncContextManager[Receiver]]


async def deliver_new(settings: Settings, lake: AsyncLake, connect: Connect, event_id: str) -> None:
    """Send an event that has just been written to the outbox.

    Args:
        settings: the app's.
        lake: the lake with the outbox.
        connect: connects to the webhook.
        event_id: the event's.
    """
    if not settings.webhook_url:
        logger.warning("Event %s is not sent, because D2C_WEBHOOK_URL is not set", event_id)
        return
    async with connect(settings) as webhook:
        await Delivery(lake, webhook).deliver_new(event_id)


async def deliver_due(settings: Settings, lake: AsyncLake, connect: Connect) -> None:
    """Send every event again whose next attempt is due; the arguments are those of `deliver_new`."""
    if settings.webhook_url:
        async with connect(settings) as webhook:
            await Delivery(lake, webhook).deliver_what_is_due()
