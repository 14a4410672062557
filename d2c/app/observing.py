"""Where an activity or a trigger begins: its fields for the log, and its span and its numbers where telemetry is on.

Nothing here knows OpenTelemetry; `d2c.clients.open_telemetry` does, and is loaded only where an exporter is set.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from d2c.app.logs import current_fields, log_fields

logger = logging.getLogger(__name__)

# What is measured: its kind and its unit, as OpenTelemetry writes units (UCUM).
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

TABLE_STATES = ("pending", "running", "succeeded", "failed", "cancelled")


class Span(Protocol):
    """What an activity or a trigger does, while it does it."""

    def fail(self, text: str) -> None:
        """Mark what is done as failed, with why; the text must hold no secret."""


class Observer(Protocol):
    """What sends spans and measures somewhere."""

    def span(self, name: str, fields: Mapping[str, Any]) -> AbstractContextManager[Span]:
        """Return what spans the time inside."""

    def measure(self, name: str, value: float, fields: Mapping[str, Any]) -> None:
        """Send one number."""


class _NoSpan:
    def fail(self, text: str) -> None:
        pass


@contextmanager
def _no_span() -> Iterator[Span]:
    yield _NoSpan()


_observers: list[Observer] = []


def observe_by(observer: Observer) -> None:
    """Let an observer see all that this process does from now on."""
    _observers[:] = [observer]


@contextmanager
def observed(name: str, **fields: Any) -> Iterator[Span]:
    """Do something with these fields on every line of the log, and in a span of this name.

    Args:
        name: the activity's or the trigger's.
        fields: such as ``migration`` and ``table``; None sets nothing.
    """
    with (
        log_fields(**fields),
        _observers[0].span(name, current_fields()) if _observers else _no_span() as span,
    ):
        yield span


def measure(name: str, value: float | None, **fields: Any) -> None:
    """Tell a number, with the migration and the table of the place and these fields.

    Args:
        name: one of `MEASURES`.
        value: nothing is told for None.
        fields: few values each, for every combination is a series of its own.
    """
    if _observers and value is not None:
        place = {field: text for field, text in current_fields().items() if field in ("migration", "table")}
        _observers[0].measure(name, value, {**place, **fields})


def measure_tables(states: Iterable[str]) -> None:
    """Tell how many tables of a migration are in each state; a state that none is in any more is told too."""
    counted = Counter(states)
    for state in TABLE_STATES:
        measure("d2c.tables", counted[state], state=state)
