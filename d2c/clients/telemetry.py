"""The switch of telemetry: OpenTelemetry's SDK is loaded only where the settings name an exporter."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from d2c.app.observing import observe_by
from d2c.clients.threads import in_thread

if TYPE_CHECKING:
    from d2c.clients.open_telemetry import Telemetry

logger = logging.getLogger(__name__)

# Each turns telemetry on.
SWITCHES = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "OTEL_EXPORTER_OTLP_ENDPOINT")

_started: list["Telemetry"] = []


def configure_telemetry(environment: Mapping[str, str]) -> "Telemetry | None":
    """Turn telemetry on where the settings name an exporter; a failure to start it must not stop the app.

    Args:
        environment: names to texts, such as ``os.environ``.
    """
    if not any(environment.get(name) for name in SWITCHES):
        return None
    try:
        from d2c.clients.open_telemetry import start_telemetry

        telemetry = start_telemetry(environment)
    except Exception:
        logger.exception("Telemetry is off: it could not be started; check %s", " and ".join(SWITCHES))
        return None
    observe_by(telemetry.traces, telemetry.meters)
    _started[:] = [telemetry]
    return telemetry


async def send_pending() -> None:
    """Send what is pending, without blocking the event loop: the platform may end an idle process before its minute.

    Metrics are sent once a minute, and the instance of a timer's function works for seconds.
    https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#per-function-scaling
    """
    for telemetry in _started:
        await in_thread(telemetry.flush)
