"""When a plan may go on: the hours of the day that it names, by the clock on the wall of its time zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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
