"""The check of a plan as the HTTP API answers it: the models of that part of its OpenAPI document."""

from typing import Literal

from pydantic import Field, RootModel

from d2c.api_models import Accepted, Answer, Count, Moment

FindingState = Literal["ok", "skipped", "warning", "failed"]


class Finding(Answer):
    """What one check found."""

    system: str
    thing: str
    check: str
    state: FindingState
    finding: str
    next_step: str = Field(description="Empty where there is nothing to do.")


class CheckProgress(Answer):
    """How many parts of a check are done: a part is a system, or some of the plan's tables."""

    done: Count
    total: Count


class CheckCounts(Answer):
    """How many findings are in each state."""

    ok: Count
    skipped: Count
    warning: Count
    failed: Count


class CheckError(Answer):
    """Why a check as a whole came to no end."""

    detail: str
    next_step: str


class Check(Answer):
    """A check before a migration: it has failed if one of its findings has; warnings stop nothing."""

    id: str
    state: Literal["running", "succeeded", "failed", "cancelled"]
    progress: CheckProgress
    checked_at: Moment | None
    counts: CheckCounts | None
    checks: list[Finding]
    error: CheckError | None


class AcceptedOrCheck(RootModel[Accepted | Check]):
    """What was started: a migration, or with ``dry_run`` a check that takes longer than it is waited for."""
