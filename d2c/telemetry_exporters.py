"""Where telemetry goes, by the settings; each destination's own package is loaded only if it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from d2c.clients.azure_identity import azure_credential

# What an app on Azure has where Application Insights takes no keys, only roles (Monitoring Metrics Publisher).
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
SIGNS_IN = "Authorization=AAD"


@dataclass(frozen=True)
class Exporters:
    """What sends spans, metrics and logs, one of each for each destination."""

    spans: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)


def exporters_of(environment: Mapping[str, str]) -> Exporters:
    """Return the exporters that the settings ask for.

    Args:
        environment: names to texts, such as ``os.environ``.

    Raises:
        ValueError: if a connection string is not one.
    """
    exporters = Exporters()
    if environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _add_otlp(exporters, environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/"))
    if environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        _add_azure_monitor(exporters, environment)
    return exporters


def _add_otlp(exporters: Exporters, endpoint: str) -> None:
    """Add a collector; its other settings, such as headers, the exporters read from their own variables.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    """
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporters.spans.append(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"))
    exporters.metrics.append(OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"))
    exporters.logs.append(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs"))


def _add_azure_monitor(exporters: Exporters, environment: Mapping[str, str]) -> None:
    """Add Application Insights; nothing is kept on the disk of an instance that may be gone in a minute."""
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    arguments: dict[str, Any] = {
        "connection_string": environment["APPLICATIONINSIGHTS_CONNECTION_STRING"],
        "disable_offline_storage": True,
    }
    if SIGNS_IN in environment.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", ""):
        arguments["credential"] = azure_credential()
    exporters.spans.append(AzureMonitorTraceExporter(**arguments))
    exporters.metrics.append(AzureMonitorMetricExporter(**arguments))
    exporters.logs.append(AzureMonitorLogExporter(**arguments))
