"""A plan's daily window: the time until it opens, its open time in a period, and the end of work inside it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECONDS_OF_A_DAY = range(1, 24 * 3600 + 1)
# An estimate further ahead is meaningless.
LONGEST_ESTIMATE = 366 * _DAY


class Window(NamedTuple):
    """The hours of the day in which stages may start, on the wall clock of a time zone.

    Where summer time begins or ends, the window may be an hour shorter or longer; a window inside a skipped hour opens
    the day after.

    Args:
        opens: such as ``22:00``.
        closes: such as ``06:00``; on the next day if it is not later.
        time_zone: its IANA name.
    """

    opens: str
    closes: str
    time_zone: str


def seconds_until_open(now: datetime, between: Sequence[str] | None, time_zone: str | None) -> float:
    """Return the time until a plan's window opens; 0 inside the window, and without one.

    Args:
        now: with an offset.
        between: the opening and closing time, such as ``["22:00", "06:00"]``.
        time_zone: the IANA name; UTC if None.
    """
    if between is None:
        return 0.0
    opens, closes = between
    opened, _ = next(_openings(now, Window(opens, closes, time_zone or "UTC")))
    return (opened - now.astimezone(UTC)).total_seconds()


def open_seconds(begin: datetime, end: datetime, window: Window) -> float:
    """Return the time that a window is open between two times; 0 if the second is not the later one."""
    openings = takewhile(lambda opening: opening[0] < end, _openings(begin, window))
    return sum((min(closed, end) - opened).total_seconds() for opened, closed in openings)


def time_after(begin: datetime, seconds: float, window: Window) -> datetime | None:
    """Return the time at which a window has been open for some seconds, or None if it is too far ahead."""
    horizon = begin.astimezone(UTC) + LONGEST_ESTIMATE
    for opened, closed in takewhile(lambda opening: opening[0] < horizon, _openings(begin, window)):
        available = (closed - opened).total_seconds()
        if seconds <= available:
            return opened + timedelta(seconds=seconds)
        seconds -= available
    return None


def _openings(begin: datetime, window: Window) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times in UTC between which a window is open, in order, the first not before a time."""
    opens, closes = time.fromisoformat(window.opens), time.fromisoformat(window.closes)
    for start, end, offset in _periods(begin, ZoneInfo(window.time_zone)):
        first = (start + offset).date() - _DAY
        for day in (first, first + _DAY, first + 2 * _DAY):
            last = day if opens < closes else day + _DAY
            opened = max(datetime.combine(day, opens, UTC) - offset, start)
            closed = min(datetime.combine(last, closes, UTC) - offset, end)
            if opened < closed:
                yield opened, closed


def _periods(begin: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Yield consecutive periods of at most a day with a constant offset from UTC: start, end and offset."""
    start = begin.astimezone(UTC)
    while True:
        offset, end = _offset(start, zone), start + _DAY
        if _offset(end, zone) != offset:
            end = _transition(start.replace(microsecond=0), offset, zone)
        yield start, end, offset
        start = end


def _transition(start: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    """Return the first time within a day after another at which a zone no longer has an offset."""

    def has_changed(seconds: int) -> bool:
        return _offset(start + timedelta(seconds=seconds), zone) != offset

    position = bisect_left(_SECONDS_OF_A_DAY, True, key=has_changed)
    return start + timedelta(seconds=_SECONDS_OF_A_DAY[position])


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
