"""Functions that run on a schedule: the watchdog, and repeated delivery of notifications."""

import logging
from collections.abc import Awaitable
from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.failed_events import connect_failed_events
from d2c.clients.clients import app_clients
from d2c.clients.webhook import connect_webhook
from d2c.control import notifications, watchdog
from d2c.control.app import App
from d2c.control.lake_events import missed_events
from d2c.errors import D2CError
from triggers.app import sends_telemetry, with_app

logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%D2C_WATCH_SCHEDULE%")
@blueprint.durable_client_input(client_name="client")
@with_app
@sends_telemetry
async def watch(timer: func.TimerRequest, app: App) -> None:
    """Reconcile every open migration, and handle what no event has handled."""
    now = datetime.now(UTC)
    await _in_spite_of_errors(watchdog.reconcile_all(app, now))
    await _in_spite_of_errors(missed_events.find_missed(app, connect_failed_events(app.settings), now))


async def _in_spite_of_errors(work: Awaitable[None]) -> None:
    try:
        await work
    except D2CError as error:
        logger.warning("The watchdog failed, and tries again at its next time: %s", error)
    except Exception:
        # What comes after it is looked at all the same.
        logger.exception("The watchdog failed, and tries again at its next time")


@blueprint.timer_trigger(arg_name="timer", schedule="%D2C_WATCH_SCHEDULE%")
@sends_telemetry
async def deliver_notifications_again(timer: func.TimerRequest) -> None:
    """Send notifications again whose next attempt is due."""
    clients = app_clients()
    await notifications.deliver_due(clients.settings, AsyncLake(clients.lake), connect_webhook)
