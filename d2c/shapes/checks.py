"""The check of a plan before its migration."""

from typing import Any, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict


class Reference(TypedDict, total=False):
    """A stored value: the path of its file in the lake, or the value itself where the lake cannot be written."""

    path: str
    value: Any


class CheckInput(TypedDict):
    """The input of the orchestration `check_plan`, and with one of the last four of its activities."""

    check: str
    plan: Reference
    system: NotRequired[str]
    tables: NotRequired[Reference]
    part: NotRequired[int]
    results: NotRequired[list[Reference]]


class CheckParts(TypedDict):
    """What `list_checked_tables` returns: the parts to check, and the findings of the listing itself."""

    parts: list[Reference]
    result: Reference


class CheckResult(TypedDict):
    """The result of a check."""

    state: str
    counts: NotRequired[dict[str, int]]
    error: NotRequired[ErrorDict]
    result: Reference | None
