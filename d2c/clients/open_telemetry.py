"""Traces, metrics and logs by OpenTelemetry: to a collector by OTLP over HTTP, to Azure Monitor, or to both.

All spans of a migration are of one trace, whichever process and whichever hour they are of: its id follows from the
migration's. https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from d2c.app.logs import FIELDS
from d2c.app.observing import MEASURES
from d2c.clients.azure.identity import azure_credential

NAME = "d2c"
# The rooms whose records are sent; the exporters' own would come back to them.
LOGGERS = ("activities", "d2c", "orchestrators", "triggers")
SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class TelemetrySpan:
    """A span of OpenTelemetry as `d2c.app.observing` knows it."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def fail(self, text: str) -> None:
        """Mark what is done as failed, with why."""
        self._span.set_status(Status(StatusCode.ERROR, text))


class Telemetry:
    """Sends what this process does.

    Args:
        span_processors: each gets every span.
        metric_readers: each reads the metrics at its own times.
        log_exporters: each gets every record of the app's log.
        resource: what the process is.
    """

    def __init__(
        self,
        span_processors: Sequence[SpanProcessor],
        metric_readers: Sequence[MetricReader],
        log_exporters: Sequence[Any],
        resource: Resource,
    ) -> None:
        self._traces = TracerProvider(resource=resource)
        for processor in span_processors:
            self._traces.add_span_processor(processor)
        self._metrics = MeterProvider(metric_readers=metric_readers, resource=resource)
        self._logs = LoggerProvider(resource=resource)
        for exporter in log_exporters:
            self._logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
        self._tracer = self._traces.get_tracer(NAME)
        meter = self._metrics.get_meter(NAME)
        self._instruments: dict[str, Any] = {
            name: getattr(meter, f"create_{kind}")(name, unit=unit) for name, (kind, unit) in MEASURES.items()
        }
        self.log_handler = _LogHandler(self._logs)

    @contextmanager
    def span(self, name: str, fields: Mapping[str, Any]) -> Iterator[TelemetrySpan]:
        """Span the time inside, in the trace of the fields' migration if they name one."""
        migration = fields.get("migration")
        context = set_span_in_context(NonRecordingSpan(root_of(str(migration)))) if migration else None
        with self._tracer.start_as_current_span(
            name, context, attributes=dict(fields), record_exception=False, set_status_on_exception=False
        ) as span:
            yield TelemetrySpan(span)

    def measure(self, name: str, value: float, fields: Mapping[str, Any]) -> None:
        """Send one number: added up, spread or as the last one, by what it is."""
        kind, _ = MEASURES[name]
        told = {field: str(text) for field, text in fields.items()}
        getattr(self._instruments[name], {"counter": "add", "histogram": "record", "gauge": "set"}[kind])(
            value, told
        )

    def flush(self) -> None:
        """Send what has not been sent yet, in ten seconds at the most."""
        for provider in (self._traces, self._metrics, self._logs):
            provider.force_flush(10_000)

    def close(self) -> None:
        """Send what is left, and end the threads that send; a process that ends does it by itself."""
        for provider in (self._traces, self._metrics, self._logs):
            provider.shutdown()


class _LogHandler(logging.Handler):
    """Sends records of the app's log with their fields as attributes; secrets are out of them already."""

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


def root_of(migration: str) -> SpanContext:
    """Return what all spans of a migration are below: the same in every process, since it follows from the id."""
    digest = hashlib.sha256(f"d2c migration {migration}".encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def start_telemetry(environment: Mapping[str, str]) -> Telemetry:
    """Return telemetry that goes where the settings say, with the app's log attached to it.

    Args:
        environment: names to texts, such as ``os.environ``; at least one of `d2c.clients.telemetry.SWITCHES` is set.
    """
    exporters: Exporters = exporters_of(environment)
    telemetry = Telemetry(
        [BatchSpanProcessor(exporter) for exporter in exporters.spans],
        [PeriodicExportingMetricReader(exporter) for exporter in exporters.metrics],
        exporters.logs,
        Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME") or NAME}),
    )
    for name in LOGGERS:
        logging.getLogger(name).addHandler(telemetry.log_handler)
    return telemetry


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
