"""Every error a user may see, each with what it is about, its cause and the next step.

D2CError
├── RefusedError         what a user asked for cannot be done as asked
│   ├── PlanError        a plan with faults, all of them at once
│   ├── BodyError        another request's body with faults, all of them at once
│   └── ConflictError    it clashes with what is there
├── NotFoundError        what was asked about is not there
├── SettingsError        the app's settings are incomplete or contradict each other
├── PermanentError       it failed, and trying again does not help
│   ├── RunFailedError   a run outside failed for its platform's reasons; another run may succeed
│   └── CancelledError   a user cancelled the migration
└── TransientError       a service did not answer as it should; trying again may heal it
    └── BusyError        a service has no room now; it is waited for, however long that takes
"""

from collections.abc import Sequence

from d2c.shapes import ErrorDict


class D2CError(Exception):
    """Something that a user can act on.

    Args:
        detail: what went wrong and why, naming the thing.
        next_step: what to do about it, in one sentence.
        title: the kind of trouble in a few words; the class's own title if None.
    """

    default_title = "The request failed"

    def __init__(self, detail: str, next_step: str, title: str | None = None) -> None:
        super().__init__(f"{detail} {next_step}".strip())
        self.title = title or self.default_title
        self.detail = detail
        self.next_step = next_step

    def to_dict(self) -> ErrorDict:
        """Return the error as it crosses the durable boundary and stands in reports."""
        return {
            "title": self.title,
            "detail": self.detail,
            "next_step": self.next_step,
            "transient": isinstance(self, TransientError),
            "busy": isinstance(self, BusyError),
            "another_run": isinstance(self, RunFailedError),
            "cancelled": isinstance(self, CancelledError),
        }


class RefusedError(D2CError):
    """What a user asked for cannot be done as asked."""

    default_title = "The request was refused"


class PlanError(RefusedError):
    """A plan that cannot run, with every fault of it.

    Args:
        faults: one text per fault, each naming the field.
    """

    default_title = "The plan was refused"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(self.faults),
            "Mend the plan and post it again; docs/start/plan.md describes every field.",
        )


class BodyError(RefusedError):
    """The body of a request with every fault of it.

    Args:
        faults: one text per fault, each naming the field.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(self.faults),
            "Mend the body and post it again; docs/reference/http-api.md describes it.",
        )


class ConflictError(RefusedError):
    """What a user asked for clashes with what is there."""

    default_title = "The request conflicts with what is there"


class NotFoundError(D2CError):
    """What a user asked about is not there."""

    default_title = "Not found"


class SettingsError(D2CError):
    """The app's settings are incomplete or contradict each other."""

    default_title = "The settings are incomplete"


class PermanentError(D2CError):
    """It failed, and trying again does not help."""

    default_title = "The stage failed"


class RunFailedError(PermanentError):
    """A run outside failed for its platform's reasons, such as a lost cluster; another run may succeed."""


class CancelledError(PermanentError):
    """A user cancelled the migration, one table of it, or a revisit of it.

    Args:
        migration: its id.
        revisit: such as ``verify-1``, or None.
        table: the table that was cancelled alone, or None.
    """

    default_title = "Cancelled"

    def __init__(self, migration: str, revisit: str | None = None, table: str | None = None) -> None:
        if revisit:
            super().__init__(
                f"{revisit} of migration {migration} was cancelled.", "Ask for it again when you want it."
            )
        else:
            what = f"Table {table} of migration {migration}" if table else f"Migration {migration}"
            super().__init__(f"{what} was cancelled.", "Retry it to go on from where it stopped.")


class TransientError(D2CError):
    """A service did not answer as it should; trying again may heal it."""

    default_title = "A service did not answer as it should"


class BusyError(TransientError):
    """A service does as much as it may at once; it is asked again until it has room."""

    default_title = "A service has no room now"
