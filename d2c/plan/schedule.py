"""When a plan may go on: the hours of the day that it names, by the clock on the wall of its time zone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


def seconds_until_open(now: datetime, between: Sequence[str] | None, time_zone: str | None) -> float:
    """Return how long it is until a plan's window opens; 0 inside it, and where there is none.

    The window is open while the wall clock shows a time in it. So where summer time begins or ends, it may be an hour
    shorter or longer, and one that lies in an hour that is left out opens the day after.

    Args:
        now: with an offset.
        between: when it opens and closes, such as ``["22:00", "06:00"]``; over midnight if it closes earlier than it
            opens.
        time_zone: the IANA name; UTC if None.
    """
    if between is None:
        return 0.0
    zone = ZoneInfo(time_zone or "UTC")
    moment = now.astimezone(UTC)
    if _is_open(moment, between, zone):
        return 0.0
    # Clocks are set at whole minutes, and windows open at them: to look at each one needs no rule for any transition.
    moment = moment.replace(second=0, microsecond=0) + _MINUTE
    while not _is_open(moment, between, zone):
        moment += _MINUTE
    return (moment - now).total_seconds()


def _is_open(moment: datetime, between: Sequence[str], zone: ZoneInfo) -> bool:
    opens, closes = between
    shown = moment.astimezone(zone).strftime("%H:%M")
    if opens < closes:
        return opens <= shown < closes
    return shown >= opens or shown < closes


# Further ahead an estimate says nothing.
LONGEST_DAYS = 366
_DAY = timedelta(days=1)


class Window(NamedTuple):
    """The hours of the day in which anything happens.

    Args:
        opens: such as ``22:00``.
        closes: such as ``06:00``; the day after if that is not later.
        time_zone: whose wall clock tells the time, by its IANA name.
    """

    opens: str
    closes: str
    time_zone: str


def open_seconds(begin: datetime, end: datetime, window: Window) -> float:
    """Return how long a window was open between two times; 0 if the second is not the later one."""
    total = 0.0
    for opened, closed in _openings(begin, window):
        if opened >= end:
            break
        total += max((min(closed, end) - max(opened, begin)).total_seconds(), 0)
    return total


def time_after(begin: datetime, seconds: float, window: Window) -> datetime | None:
    """Return when a window will have been open for so long, or None if that is too far ahead."""
    for _, (opened, closed) in zip(range(LONGEST_DAYS), _openings(begin, window), strict=False):
        opened = max(opened, begin)
        room = (closed - opened).total_seconds()
        if room > 0 and seconds <= room:
            return opened + timedelta(seconds=seconds)
        seconds -= max(room, 0)
    return None


def _openings(begin: datetime, window: Window) -> Iterator[tuple[datetime, datetime]]:
    """Yield when a window opens and closes day by day, from the first that may not be over at a time."""
    zone = ZoneInfo(window.time_zone)
    opens, closes = time.fromisoformat(window.opens), time.fromisoformat(window.closes)
    day = begin.astimezone(zone).date() - _DAY
    while True:
        last = day if opens < closes else day + _DAY
        yield (
            datetime.combine(day, opens, zone).astimezone(UTC),
            datetime.combine(last, closes, zone).astimezone(UTC),
        )
        day += _DAY
