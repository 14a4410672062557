"""The switch of telemetry: OpenTelemetry's SDK is loaded only where the settings name an exporter."""

import logging
from collections.abc import Mapping

from d2c.app.observing import observe_by

logger = logging.getLogger(__name__)

# Each turns telemetry on.
SWITCHES = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "OTEL_EXPORTER_OTLP_ENDPOINT")


def observe_if_asked(environment: Mapping[str, str]) -> None:
    """Turn telemetry on where the settings name an exporter; a failure to start it must not stop the app.

    Args:
        environment: names to texts, such as ``os.environ``.
    """
    if not any(environment.get(name) for name in SWITCHES):
        return
    try:
        from d2c.clients.open_telemetry import start_telemetry

        observe_by(start_telemetry(environment))
    except Exception:
        logger.exception("Telemetry is off: it could not be started; check %s", " and ".join(SWITCHES))
