"""The check of a plan in the HTTP API: the models of this part of its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from d2c.api.models import Accepted, Answer, Count, Moment

Money = Annotated[float, Field(ge=0)]
FindingState = Literal["ok", "skipped", "warning", "failed"]


class Finding(Answer):
    """The finding of one check."""

    system: str
    thing: str
    check: str
    state: FindingState
    finding: str
    next_step: str = Field(description="Empty if nothing has to be done.")


class CheckProgress(Answer):
    """The number of finished parts of a check; a part is a system, or some of the plan's tables."""

    done: Count
    total: Count


class CheckCounts(Answer):
    """The number of findings in each state."""

    ok: Count
    skipped: Count
    warning: Count
    failed: Count


class CheckError(Answer):
    """The reason why a check did not finish."""

    detail: str
    next_step: str


class Price(Answer):
    """The price of one unit, with its source and date."""

    amount: Money | None
    unit: str
    region: str
    as_of: str
    source: str
    is_confirmed: bool = Field(description="Whether the price was read from its source.")


class Assumption(Answer):
    """An assumed figure that cannot be known in advance."""

    value: float
    unit: str
    why: str


class Cluster(Answer):
    """The largest cluster of a load run, including the driver."""

    nodes: Count | None
    node_type: str
    is_existing: bool
    least_nodes: Count | None = Field(
        default=None,
        description="Of a cluster that gets the workers that its load needs; null of a fixed size.",
    )


class Bounds(Answer):
    """The most RU/s that a load gets unless the plan says how many: the setting's, and what the cluster can write."""

    most_ru_per_second: Count
    cluster_ru_per_second: Count


class Basis(Answer):
    """The basis of an estimate."""

    currency: str
    prices: dict[str, Price]
    assumptions: dict[str, Assumption]
    cluster: Cluster
    bounds: Bounds
    regions: Count = Field(description="Of the Cosmos DB account; each is billed.")
    writes_in_all: bool = Field(
        description="Whether all regions can be written to, which doubles throughput's price."
    )


class CostLine(Answer):
    """One cost for all tables: quantity times amount."""

    service: str
    what: str
    when: Literal["once", "per month"]
    formula: str
    quantity: float | None
    unit: str
    price: str = Field(description="The name of its price in ``prices``.")
    amount: Money | None
    is_confirmed: bool
    money: Money | None


class Costs(Answer):
    """The known costs, and the lines with an unknown price or quantity."""

    once: Money
    per_month: Money
    unknown: list[str]


class Month(Answer):
    """What throughput after the load costs a month: of a container that nobody uses, and of one that is always busy."""

    kind: Literal["manual", "autoscale", "shared"]
    ru_per_second: Count = Field(description="With autoscale the maximum; of shared ones the table's part.")
    idle: Money | None
    busy: Money | None


class TableEstimate(Costs):
    """The estimate for a table."""

    table: str
    items: Count
    bytes: Count
    billed_bytes: Count
    copied_bytes: Count
    files: Count
    ru: Count = Field(description="Of writing the documents, by the service's table and the indexing policy.")
    create_ru_per_second: Count = Field(
        description="With which a new container is created, which makes its partitions; 0 for an existing one."
    )
    load_ru_per_second: Count
    after_ru_per_second: Count = Field(description="The plan's, or the least that the service then allows.")
    autoscale: bool
    sharers: Count | None = Field(
        default=None, description="The tables that share these RU/s, which are their database's."
    )
    nodes: Count | None = Field(description="Of the load run's cluster, for these RU/s.")
    months: list[Month] = Field(
        description="With manual throughput, with autoscale, and shared by small tables, whatever the plan has."
    )
    seconds: dict[str, Count] = Field(
        description="By stage; ``cluster`` is the table's share of the start of its load run's cluster."
    )


class NarrowCap(Answer):
    """The cap that holds back the plan the most, and the effect of doubling it."""

    name: str = Field(description="The plan's field.")
    value: Count
    wider: Count = Field(description="Twice the value, or the most that a plan can have.")
    seconds_saved: Count
    load_runs_added: int = Field(description="Each load run starts a cluster; below 0 if fewer are needed.")
    money_added: float | None = Field(
        description="The cost of starting those clusters; null if a price or the cluster's size is unknown."
    )


class TotalEstimate(Costs):
    """The estimate for all tables."""

    items: Count
    bytes: Count
    ru: Count
    seconds: dict[str, Count]
    seconds_in_all: Count = Field(description="Elapsed time, with the plan's caps.")
    load_runs: Count
    narrow_cap: NarrowCap | None = Field(
        description="Null if doubling a cap does not shorten the elapsed time by more than 5 %."
    )
    months: list[Month] = Field(description="The sums over all tables; empty without any.")


class Estimate(Answer):
    """The estimate for a plan."""

    basis: Basis
    tables: list[TableEstimate]
    tables_of_unknown_size: list[str]
    total: TotalEstimate
    lines: list[CostLine]


class Check(Answer):
    """A check before a migration: failed if a finding is failed; warnings do not count."""

    id: str
    state: Literal["running", "succeeded", "failed", "cancelled"]
    progress: CheckProgress
    checked_at: Moment | None
    counts: CheckCounts | None
    checks: list[Finding]
    estimate: Estimate | None
    error: CheckError | None


class AcceptedOrCheck(RootModel[Accepted | Check]):
    """The started migration, or with ``dry_run`` the check that is still running after the wait."""
