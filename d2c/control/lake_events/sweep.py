"""The order of a sweep: folder after folder, page after page, over as many ticks as it takes."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from d2c.clients.azure.lake import Listed
from d2c.export_format.manifest import SUMMARY_FILE
from d2c.shapes import SweepFile
from d2c.state.export_matching import EXPORTS, MESSAGE_FILE
from d2c.state.standing_plans import ACCEPTED, PLANS, REFUSED, is_plan_file

PLACES = (PLANS, EXPORTS)
OUTCOMES = (ACCEPTED, REFUSED)
# An event needs a moment, and its function another one.
GRACE = timedelta(minutes=1)


def first_sweep(now: datetime) -> SweepFile:
    """Return a sweep that leaves alone what was there before; an upgrade must not load exports of years ago."""
    return _sweep(since=now, began=now)


def parse_sweep(content: bytes) -> SweepFile:
    """Return the sweep in a file.

    Raises:
        ValueError: if it is none.
    """
    try:
        return _parsed(json.loads(content))
    except (LookupError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _parsed(value: Any) -> SweepFile:
    token, failures = value["token"], value["failures"]
    if not (isinstance(token, str | None) and type(failures) is int and value["place"] in PLACES):
        raise ValueError("no sweep has such values")
    return {
        "since": _time(value["since"]),
        "began": _time(value["began"]),
        "place": value["place"],
        "token": token,
        "failures": failures,
    }


def _time(text: str) -> str:
    """Return a time that has an offset and a moment before it."""
    return (datetime.fromisoformat(text).astimezone(UTC) - GRACE + GRACE).isoformat()


def next_page(sweep: SweepFile, token: str | None, now: datetime) -> SweepFile:
    """Return the sweep after a page.

    Args:
        sweep: before it.
        token: of the folder's next page; None after its last one.
        now: the time.
    """
    if token is not None:
        return {**sweep, "token": token, "failures": 0}
    following = PLACES.index(sweep["place"]) + 1
    if following < len(PLACES):
        return {**sweep, "place": PLACES[following], "token": None, "failures": 0}
    return _sweep(since=datetime.fromisoformat(sweep["began"]), began=now)


def is_at_its_start(sweep: SweepFile) -> bool:
    """Return whether no page of a sweep has been looked at."""
    return sweep["place"] == PLACES[0] and sweep["token"] is None


def unanswered(files: Iterable[Listed], since: datetime, now: datetime) -> list[Listed]:
    """Return the plans and manifests without an answer next to them that is as young.

    Args:
        files: of a listing. Where a page ends between a file and its answer, the file counts as unanswered.
        since: older ones are left out.
        now: the time; what has just been written still has its event on the way.
    """
    written = {file.path: file.modified for file in files}
    return [
        Listed(path, modified)
        for path, modified in written.items()
        if since - GRACE <= modified <= now - GRACE
        and (answers := _answers(path))
        and not any(answer in written and written[answer] >= modified for answer in answers)
    ]


def _answers(path: str) -> list[str]:
    """Return the paths of the possible answers to a file; none if it asks for none."""
    if path.startswith(PLANS) and is_plan_file(path):
        return [path + outcome for outcome in OUTCOMES]
    if path.startswith(EXPORTS) and PurePosixPath(path).name == SUMMARY_FILE:
        return [str(PurePosixPath(path).with_name(MESSAGE_FILE))]
    return []


def _sweep(*, since: datetime, began: datetime) -> SweepFile:
    return {
        "since": since.isoformat(),
        "began": began.isoformat(),
        "place": PLACES[0],
        "token": None,
        "failures": 0,
    }
