"""Errors, the answers of activities, and what a look at something outside returns."""

from typing import Generic, Literal, NotRequired, TypedDict, TypeVar, final

State = Literal["succeeded", "failed", "cancelled"]
Result = TypeVar("Result")


class ErrorTexts(TypedDict):
    """What `D2CError.texts` returns: the texts for a user, without secrets."""

    title: str
    detail: str
    next_step: str


class ErrorDict(ErrorTexts):
    """What `D2CError.to_dict` returns: the texts, and the flags that orchestrators decide on."""

    transient: bool  # the same call may succeed later
    busy: bool  # the service has no capacity now; waited for without limit
    another_run: bool  # a new run outside may succeed
    progressed: NotRequired[bool]  # the run has done something that another one need not do again
    cancelled: bool
    stage: NotRequired[str]  # the stage that failed


@final
class Value(TypedDict, Generic[Result]):
    """An activity's answer when it succeeded."""

    value: Result


@final
class Failure(TypedDict):
    """An activity's answer when it failed."""

    error: ErrorDict


Answer = Value[Result] | Failure


# Why a stage has not begun, in the words of the HTTP API, which explains them.
WaitingFor = Literal[
    "start",
    "pause",
    "window",
    "tables",
    "ahead",
    "aws_limit",
    "container",
    "export_lane",
    "copy_lane",
    "load_lane",
    "throughput",
]
# What a table waits for; until and place are None where they mean nothing.
Waiting = TypedDict("Waiting", {"for": str, "until": str | None, "place": NotRequired[int | None]})


class Progress(TypedDict, total=False):
    """What a look shows of something that is still running; each stage fills what it knows."""

    status: str
    finding: str  # what is wrong with what is waited for
    stage: str
    done: int  # bytes or items, out of `total`
    total: int
    bytes: int  # of data files, out of `bytes_total`
    bytes_total: int
    items_per_second: float  # of the last minutes
    bytes_per_second: float
    seconds_left: float  # of the stage, at that rate
    seconds_after: float  # of the stages that follow it
    files: int
    ru_per_second: int
    wanted_ru_per_second: int
    waiting: Waiting
    is_waiting: bool  # for the container, between assess and load
    attempt: int  # of a unit's load run
    tables: int  # of a unit, that have not ended


@final
class Running(TypedDict):
    """A look at something that has not ended."""

    state: Literal["running"]
    progress: Progress
    look_again_in_seconds: NotRequired[float | None]
    look_again_within_seconds: NotRequired[float]  # where something waits for the next look


@final
class PartDone(TypedDict):
    """A look at a part of something that has ended; the next part begins with a start of its own."""

    state: Literal["part_done"]
    progress: Progress


@final
class Succeeded(TypedDict, Generic[Result]):
    """A look at something that has ended well."""

    state: Literal["succeeded"]
    result: Result


Look = Succeeded[Result] | Running | PartDone
