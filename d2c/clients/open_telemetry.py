"""OpenTelemetry's SDK: traces, metrics and logs to a collector by OTLP over HTTP, to Azure Monitor, or to both."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from d2c.app.logs import FIELDS
from d2c.app.observing import NAME
from d2c.clients.azure.identity import azure_credential

# The rooms whose records are sent; the exporters' own would come back to them.
LOGGERS = ("activities", "d2c", "orchestrators", "triggers")
SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


# Application Insights accepts no keys then, only roles (Monitoring Metrics Publisher).
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
SIGNS_IN = "Authorization=AAD"


class Telemetry:
    """The SDK's providers of one process.

    Args:
        span_processors: each gets every span.
        metric_readers: each reads the metrics at its own times.
        log_exporters: each gets every record of the app's log.
        resource: describes the process.
    """

    def __init__(
        self,
        span_processors: Sequence[SpanProcessor],
        metric_readers: Sequence[MetricReader],
        log_exporters: Sequence[Any],
        resource: Resource,
    ) -> None:
        self.traces = TracerProvider(resource=resource)
        for processor in span_processors:
            self.traces.add_span_processor(processor)
        self.meters = MeterProvider(metric_readers=metric_readers, resource=resource)
        self._logs = LoggerProvider(resource=resource)
        for exporter in log_exporters:
            self._logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
        self.log_handler = _LogHandler(self._logs)

    def flush(self) -> None:
        """Send the pending data, in ten seconds at the most."""
        for provider in (self.traces, self.meters, self._logs):
            provider.force_flush(10_000)

    def close(self) -> None:
        """Send the pending data, and end the threads that send; a process that ends does it by itself."""
        for provider in (self.traces, self.meters, self._logs):
            provider.shutdown()


class _LogHandler(logging.Handler):
    """Sends records of the app's log with their fields as attributes; they are redacted before."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        attributes = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        text = record.getMessage()
        self._provider.get_logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_text=record.levelname,
                severity_number=SEVERITIES.get(record.levelno, SeverityNumber.INFO),
                body=f"{text}\n{record.exc_text}" if record.exc_text else text,
                attributes=attributes,
            )
        )


def start_telemetry(environment: Mapping[str, str]) -> Telemetry:
    """Return telemetry for the destinations in the settings, with the app's log attached to it.

    A record that Application Insights gets from here does not go on to the Functions host, which would send it there
    a second time; so the host's log stream has no lines of the app.

    Args:
        environment: names to texts, such as ``os.environ``; at least one of `d2c.clients.telemetry.SWITCHES` is set.
    """
    exporters = exporters_of(environment)
    telemetry = Telemetry(
        [BatchSpanProcessor(exporter) for exporter in exporters.spans],
        [PeriodicExportingMetricReader(exporter) for exporter in exporters.metrics],
        exporters.logs,
        Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME") or NAME}),
    )
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(telemetry.log_handler)
        logger.propagate = not environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING")
    return telemetry


@dataclass(frozen=True)
class Exporters:
    """The exporters of spans, metrics and logs, one of each for each destination."""

    spans: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    logs: list[Any] = field(default_factory=list)


def exporters_of(environment: Mapping[str, str]) -> Exporters:
    """Return the exporters of the destinations in the settings.

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
