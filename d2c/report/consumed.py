"""The request units that a load really took, as Azure Monitor counted them minute by minute."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from d2c.shapes import Consumed

MINUTE = timedelta(minutes=1)
# The beginning and the end of a load do not show how well it used its RU/s.
LEFT_OUT = 0.1


class Window(NamedTuple):
    """When a table was loaded."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> tuple[datetime, datetime]:
        """The whole minutes that it touches: the first, and the one after the last."""
        return _minute(self.start), _minute(self.end) + MINUTE


def load_window(record: Mapping[str, Any]) -> Window | None:
    """Return when a table was loaded last, or None if it never was.

    Args:
        record: the table's.
    """
    return _window(record, "load")


def indexing_minutes(record: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """Return the whole minutes in which a table's container got its indexes and nothing was loaded, or None.

    Args:
        record: the table's.
    """
    load, index = load_window(record), _window(record, "index")
    if load is None or index is None:
        return None
    start, end = max(index.minutes[0], load.minutes[1]), index.minutes[1]
    return (start, end) if start < end else None


def _window(record: Mapping[str, Any], name: str) -> Window | None:
    for stage in reversed(record["stages"]):
        if stage["stage"] == name and stage.get("seconds") is not None:
            start = datetime.fromisoformat(stage["started_at"]).astimezone(UTC)
            return Window(start, start + timedelta(seconds=stage["seconds"]))
    return None


def consumed(
    counts: Mapping[datetime, float],
    window: Window,
    ru_per_second: int | None,
    highest_use_percent: float | None,
) -> Consumed:
    """Return what a load took; None where it is not counted yet, or cannot be told.

    Args:
        counts: request units of writes by minute.
        window: when the table was loaded.
        ru_per_second: what the container had; None if it has no throughput of its own.
        highest_use_percent: the largest part of a partition's RU/s that was used in a second.
    """
    return {
        "counted_ru": round(sum(counts.values())) if counts else None,
        "used_part": _used_part(counts, window, ru_per_second) if ru_per_second else None,
        "highest_use_percent": highest_use_percent,
    }


def _used_part(counts: Mapping[datetime, float], window: Window, ru_per_second: int) -> float | None:
    """Return the part of the RU/s that was used between the first and the last tenth of a load, by whole minutes."""
    margin = (window.end - window.start) * LEFT_OUT
    first, end = _minute(window.start + margin - timedelta(microseconds=1)) + MINUTE, window.end - margin
    minutes = max(int((end - first) / MINUTE), 0)
    used = [counts.get(first + number * MINUTE, 0.0) for number in range(minutes)]
    return round(sum(used) / (ru_per_second * 60 * minutes), 4) if any(used) else None


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
