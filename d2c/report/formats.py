"""Numbers, sizes, durations and times as text, for the report's page and the command line."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

UNKNOWN = "–"  # noqa: RUF001 - an en dash for an unknown value
LONGEST_KEY = 120
_SIZES = ("bytes", "KB", "MB", "GB", "TB", "PB")


def number(value: float | None) -> str:
    """Return a number with separated thousands."""
    return UNKNOWN if value is None else f"{value:,}"


def size(size_bytes: float | None) -> str:
    """Return a size in the largest unit that leaves at least one; a KB has 1,024 bytes."""
    if size_bytes is None:
        return UNKNOWN
    value, unit = float(size_bytes), _SIZES[0]
    for unit in _SIZES:
        if value < 1024 or unit == _SIZES[-1]:
            break
        value /= 1024
    return f"{round(size_bytes):,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"


def size_range(least_bytes: int, most_bytes: int) -> str:
    """Return the bounds of a size; one size if both read alike."""
    least, most = size(least_bytes), size(most_bytes)
    if least == most:
        return most
    return f"{least} to {most}" if least_bytes else f"up to {most}"


def duration(seconds: float | None) -> str:
    """Return a duration in at most two units."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def moment(iso: str | None) -> str:
    """Return a time without fractions, in UTC like all times of a report."""
    return UNKNOWN if iso is None else iso[:19].replace("T", " ")


def percent(part: float) -> str:
    """Return a part of a limit as a percentage."""
    return "below 0.1 %" if part < 0.001 else f"{part * 100:.1f} %"


def key_text(partition_key: Sequence[Any]) -> str:
    """Return the values of a partition key as JSON, cut off where they are long."""
    values = ", ".join(orjson.dumps(value).decode() for value in partition_key)
    return values if len(values) <= LONGEST_KEY else f"{values[:LONGEST_KEY]}…"


_BY_UNIT: Mapping[str, Callable[[Any], str]] = {
    "seconds": duration,
    "bytes": size,
    "items": number,
    "RU": number,
}


def quantity(value: float | None, unit: str) -> str:
    """Return a value of an estimate in its unit; any other unit is a currency."""
    if unit in _BY_UNIT:
        return _BY_UNIT[unit](value)
    return UNKNOWN if value is None else f"{value:,.4f}"


def ratio(actual: float | None, estimated: float | None) -> str:
    """Return the actual value as a multiple of the estimated one."""
    return UNKNOWN if not estimated or actual is None else f"{actual / estimated:,.2f}"


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        format_.__name__: format_
        for format_ in (number, size, size_range, duration, moment, percent, key_text, quantity, ratio)
    }
)
"""The formats by the names that the templates call them by."""
