"""Spans, metrics and log fields of activities and triggers, by OpenTelemetry's API.

Without providers the API does nothing; `d2c.clients.open_telemetry` configures the SDK's where an exporter is set.

All spans of a migration belong to one trace, whichever process and hour they are from: its id follows from the
migration's. https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context

from d2c.app.logs import current_fields, log_fields

NAME = "d2c"
# The metrics: kind of instrument and unit, as OpenTelemetry writes units (UCUM).
MEASURES = {
    "d2c.items.exported": ("counter", "{item}"),
    "d2c.items.written": ("counter", "{item}"),
    "d2c.items.rejected": ("counter", "{item}"),
    "d2c.items.expired": ("counter", "{item}"),
    "d2c.mismatches": ("counter", "{document}"),
    "d2c.stage.duration": ("histogram", "s"),
    "d2c.throughput.peak": ("gauge", "{RU}/s"),
    "d2c.tables": ("gauge", "{table}"),
    "d2c.tables.stalled": ("gauge", "{table}"),
    "d2c.outbox.events": ("gauge", "{event}"),
}
RECORD_BY_KIND = {"counter": "add", "histogram": "record", "gauge": "set"}
TABLE_STATES = ("pending", "running", "succeeded", "failed", "cancelled")


class _Instruments:
    """The tracer, and a function per metric that records a value with attributes."""

    def __init__(
        self, traces: trace.TracerProvider | None = None, meters: metrics.MeterProvider | None = None
    ) -> None:
        self.tracer = trace.get_tracer(NAME, tracer_provider=traces)
        meter = metrics.get_meter(NAME, meter_provider=meters)
        self.record = {
            name: getattr(getattr(meter, f"create_{kind}")(name, unit=unit), RECORD_BY_KIND[kind])
            for name, (kind, unit) in MEASURES.items()
        }


_current = [_Instruments()]


def observe_by(
    traces: trace.TracerProvider | None = None, meters: metrics.MeterProvider | None = None
) -> None:
    """Send spans and metrics to these providers from now on.

    Args:
        traces: OpenTelemetry's global one if None, which does nothing unless somebody has set it.
        meters: likewise.
    """
    _current[:] = [_Instruments(traces, meters)]


@contextmanager
def observed(name: str, **fields: Any) -> Iterator[Span]:
    """Do something with these fields on every log line, in a span of this name.

    The span belongs to the migration's trace if the fields name one. An exception does not mark it as failed, since
    its text may contain a secret; the caller does, with `Span.set_status`.

    Args:
        name: the activity's or the trigger's.
        fields: such as ``migration`` and ``table``; None sets nothing.
    """
    with log_fields(**fields):
        attributes = dict(current_fields())
        migration = attributes.get("migration")
        parent = set_span_in_context(NonRecordingSpan(root_of(str(migration)))) if migration else None
        with _current[0].tracer.start_as_current_span(
            name, parent, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span


def measure(name: str, value: float | None, **fields: Any) -> None:
    """Record a number, with the migration and table of the current log fields and these attributes.

    Args:
        name: one of `MEASURES`.
        value: None records nothing.
        fields: few values each, since every combination is a series of its own.
    """
    if value is not None:
        context = {field: text for field, text in current_fields().items() if field in ("migration", "table")}
        _current[0].record[name](value, {field: str(text) for field, text in {**context, **fields}.items()})


def measure_tables(states: Iterable[str]) -> None:
    """Record how many tables of a migration are in each state, zero included."""
    counts = Counter(states)
    for state in TABLE_STATES:
        measure("d2c.tables", counts[state], state=state)


def root_of(migration: str) -> SpanContext:
    """Return the parent of all spans of a migration: the same in every process, since it follows from the id."""
    digest = hashlib.sha256(f"d2c migration {migration}".encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
