"""What the search for lost events keeps in the lake."""

from typing import TypedDict


class SweepFile(TypedDict):
    """How far the sweep through plans and exports has come."""

    since: str  # files written before have been looked at
    began: str  # when this sweep began: the next one's `since`
    place: str  # the folder under way
    token: str | None  # of its next page
    failures: int  # in a row, at this page
