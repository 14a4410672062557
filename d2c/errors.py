"""The errors that users see: each names its subject, its cause and the next step.

D2CError
├── RefusedError         the request cannot be carried out
│   ├── PlanError        an invalid plan, with all its faults
│   ├── BodyError        any other invalid request body, with all its faults
│   └── ConflictError    the request conflicts with existing state
├── NotFoundError        the requested thing does not exist
├── SettingsError        the app's settings are incomplete or contradict each other
├── PermanentError       a failure that a retry does not fix
│   ├── RunFailedError   an external run failed because of its platform; another run may succeed
│   └── CancelledError   a user cancelled the migration
└── TransientError       a service failed to respond correctly; a retry may succeed
    └── BusyError        a service is at its limit; retried until it has capacity, without a deadline
"""

from collections.abc import Sequence
from typing import Any

from d2c.redaction import without_secrets
from d2c.shapes import ErrorDict, ErrorTexts

MOST_FAULTS = 100


class D2CError(Exception):
    """An error that a user can act on.

    Args:
        detail: the failure and its cause, naming the affected resource.
        next_step: the action that resolves it, in one sentence.
        title: the kind of error in a few words; the class's default title if None.
    """

    default_title = "The request failed"

    def __init__(self, detail: str, next_step: str, title: str | None = None) -> None:
        super().__init__(f"{detail} {next_step}".strip())
        self.title = title or self.default_title
        self.detail = detail
        self.next_step = next_step

    def texts(self) -> ErrorTexts:
        """Return what the error says without secrets: the one way into history, answers, records and reports."""
        return {
            "title": without_secrets(self.title),
            "detail": without_secrets(self.detail),
            "next_step": without_secrets(self.next_step),
        }

    def to_dict(self) -> ErrorDict:
        """Return the error as it crosses the durable boundary and appears in reports."""
        texts = self.texts()
        return {
            "title": texts["title"],
            "detail": texts["detail"],
            "next_step": texts["next_step"],
            "transient": isinstance(self, TransientError),
            "busy": isinstance(self, BusyError),
            "another_run": isinstance(self, RunFailedError),
            "cancelled": isinstance(self, CancelledError),
        }


class RefusedError(D2CError):
    """A request that cannot be carried out."""

    default_title = "The request was refused"


def listed(values: Sequence[Any], at_most: int = 10, rest: str = "others") -> str:
    """Return values as the text of an error has them: the first ones, and how many others there are."""
    others = len(values) - at_most
    return ", ".join(map(str, values[:at_most])) + (f" and {others:,} {rest}" if others > 0 else "")


def _first(faults: Sequence[str], more: int) -> tuple[str, ...]:
    """Return as many faults as somebody reads, and how many more there are."""
    more = max(more, 0) + max(len(faults) - MOST_FAULTS, 0)
    return (*faults[:MOST_FAULTS], *([f"and {more:,} more faults"] if more > 0 else ()))


class PlanError(RefusedError):
    """An invalid plan, with all its faults.

    Args:
        faults: one text per fault, each naming the field; the error has the first of them and the number of the rest.
        more: the number of faults that are not among them.
    """

    default_title = "The plan was refused"

    def __init__(self, faults: Sequence[str], more: int = 0) -> None:
        self.faults = _first(faults, more)
        super().__init__(
            "; ".join(self.faults),
            "Fix the plan and submit it again; docs/start/plan.md describes every field.",
        )


class BodyError(RefusedError):
    """An invalid request body, with all its faults.

    Args:
        faults: like a `PlanError`'s.
        more: likewise.
    """

    def __init__(self, faults: Sequence[str], more: int = 0) -> None:
        self.faults = _first(faults, more)
        super().__init__(
            "; ".join(self.faults),
            "Fix the body and submit it again; docs/reference/http-api.md describes it.",
        )


class ConflictError(RefusedError):
    """A request that conflicts with existing state."""

    default_title = "The request conflicts with existing state"


class NotFoundError(D2CError):
    """The requested thing does not exist."""

    default_title = "Not found"


class SettingsError(D2CError):
    """The app's settings are incomplete or contradict each other."""

    default_title = "The settings are incomplete"


class PermanentError(D2CError):
    """A failure that a retry does not fix."""

    default_title = "The stage failed"


class RunFailedError(PermanentError):
    """An external run failed because of its platform, such as a lost cluster; another run may succeed.

    Args:
        detail: as in `D2CError`.
        next_step: likewise.
        progressed: whether it has done something that another run need not do again.
    """

    def __init__(self, detail: str, next_step: str, *, progressed: bool = False) -> None:
        super().__init__(detail, next_step)
        self.progressed = progressed

    def to_dict(self) -> ErrorDict:
        """Return the error as it crosses the durable boundary."""
        error = super().to_dict()
        return {**error, "progressed": True} if self.progressed else error


class CancelledError(PermanentError):
    """A user cancelled the migration, one of its tables, or an operation on it.

    Args:
        migration: its id.
        operation: such as ``verify-1``, or None.
        table: the cancelled table, or None if the whole migration was cancelled.
    """

    default_title = "Cancelled"

    def __init__(self, migration: str, operation: str | None = None, table: str | None = None) -> None:
        if operation:
            super().__init__(
                f"{operation} of migration {migration} was cancelled.", "Start it again when you need it."
            )
        else:
            subject = f"Table {table} of migration {migration}" if table else f"Migration {migration}"
            super().__init__(f"{subject} was cancelled.", "Retry it to continue from where it stopped.")


class TransientError(D2CError):
    """A service failed to respond correctly; a retry may succeed."""

    default_title = "A service did not respond correctly"


class BusyError(TransientError):
    """A service is at its limit; the call is retried until it has capacity."""

    default_title = "A service is at its limit"
