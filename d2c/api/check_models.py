"""The check of a plan as the HTTP API answers it: the models of that part of its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from d2c.api.models import Accepted, Answer, Count, Moment

Money = Annotated[float, Field(ge=0)]
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


class Price(Answer):
    """What one unit costs, by whom and when it was told."""

    amount: Money | None
    unit: str
    region: str
    as_of: str
    source: str
    is_confirmed: bool = Field(description="Whether the source itself was read.")


class Assumption(Answer):
    """A figure that nobody can know before."""

    value: float
    unit: str
    why: str


class Cluster(Answer):
    """What a load run's cluster is made of, the driver counted."""

    nodes: Count | None
    node_type: str
    is_existing: bool


class Basis(Answer):
    """What an estimate rests on."""

    currency: str
    prices: dict[str, Price]
    assumptions: dict[str, Assumption]
    cluster: Cluster


class CostLine(Answer):
    """What one thing costs for all tables: quantity times amount."""

    service: str
    what: str
    when: Literal["once", "per month"]
    formula: str
    quantity: float | None
    unit: str
    price: str = Field(description="Its name among the prices.")
    amount: Money | None
    is_confirmed: bool
    money: Money | None


class Costs(Answer):
    """What known money comes to, and what has no known price or quantity."""

    once: Money
    per_month: Money
    unknown: list[str]


class TableEstimate(Costs):
    """What a table is expected to take."""

    table: str
    items: Count
    bytes: Count
    billed_bytes: Count
    copied_bytes: Count
    files: Count
    ru: Count
    load_ru_per_second: Count
    after_ru_per_second: Count
    cluster_share: float = Field(description="Its part of a load run that tables share.")
    seconds: dict[str, Count]


class TotalEstimate(Costs):
    """What all tables are expected to take."""

    items: Count
    bytes: Count
    ru: Count
    seconds: dict[str, Count]
    seconds_in_all: Count = Field(
        description="By the clock, with as many tables at once as the plan lets run."
    )


class Estimate(Answer):
    """What a plan is expected to take."""

    basis: Basis
    tables: list[TableEstimate]
    tables_of_unknown_size: list[str]
    total: TotalEstimate
    lines: list[CostLine]


class Check(Answer):
    """A check before a migration: it has failed if one of its findings has; warnings stop nothing."""

    id: str
    state: Literal["running", "succeeded", "failed", "cancelled"]
    progress: CheckProgress
    checked_at: Moment | None
    counts: CheckCounts | None
    checks: list[Finding]
    estimate: Estimate | None
    error: CheckError | None


class AcceptedOrCheck(RootModel[Accepted | Check]):
    """What was started: a migration, or with ``dry_run`` a check that takes longer than it is waited for."""
