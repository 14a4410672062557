"""Cosmos DB checks of a container's throughput: what it gets for the load, how fast, and what that leaves behind."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from d2c.checks.findings import Findings
from d2c.clients.azure.cosmos.resources import Throughput
from d2c.load_run.throughput.sizing import CREATED_RU_PER_PARTITION, least_ru_per_second, partitions_of
from d2c.shapes import Scaling

THROUGHPUT, AFTERWARDS, PARTITIONS = "throughput", "throughput afterwards", "partitions"
LESS = "Accept that, or request less with throughput.load_ru_per_second."


class PlannedThroughput(NamedTuple):
    """How a container will be scaled, what the load writes in bytes and RU, and the most RU/s that verify reads with.

    ``verify_ru_per_second`` is None where verify reads as fast as it can.
    """

    scaling: Scaling
    size_bytes: int
    ru: int = 0
    verify_ru_per_second: int | None = None

    @property
    def highest_ru_per_second(self) -> int:
        """The most RU/s that the container will have; 0 if it is not scaled."""
        return max(self.scaling.get("create_ru_per_second", 0), self.scaling["peak_ru_per_second"] or 0)

    @property
    def after_ru_per_second(self) -> int | None:
        """What it will have afterwards: the plan's, or the least that the service then allows."""
        wanted = self.scaling["after_ru_per_second"]
        return None if wanted is None else max(wanted, self.least_ru_per_second)

    @property
    def least_ru_per_second(self) -> int:
        """The least RU/s that the service allows once the container had its highest."""
        autoscale = self.scaling["autoscale"]
        return least_ru_per_second(self.highest_ru_per_second, self.size_bytes, autoscale=autoscale)


PlannedOf = Callable[[Mapping[str, Any] | None, Throughput | None], PlannedThroughput]
"""Returns what is planned by a container's indexing policy, None if it is unknown, and its throughput, None if new."""


def told_throughput(planned: PlannedThroughput) -> str:
    """Return the RU/s of a new container in words: those of the load, and those that make its partitions."""
    if "shared" in planned.scaling:
        return "no throughput of its own"
    create, peak = planned.scaling.get("create_ru_per_second"), planned.scaling["peak_ru_per_second"]
    creation = f" (created with {create:,}, which make its partitions)" if create != peak else ""
    return f"{peak:,} RU/s for the load{creation}"


def check_new_throughput(findings: Findings, thing: str, planned: PlannedThroughput) -> None:
    """Check the throughput of a container that will be created."""
    if "shared" in planned.scaling:
        return
    create = planned.scaling.get("create_ru_per_second", 0)
    needed, made = partitions_of(planned.size_bytes, 0), -(-create // CREATED_RU_PER_PARTITION)
    if needed > made:
        findings.warning(
            thing,
            PARTITIONS,
            f"Its documents need {needed} physical partitions and {create:,} RU/s make {made}: it splits during the "
            "load, which takes hours and slows it down.",
            "Raise D2C_MOST_LOAD_RU_PER_SECOND, or throughput.load_ru_per_second if the plan has it, to "
            f"{needed * CREATED_RU_PER_PARTITION:,}.",
        )
    _check_afterwards(findings, thing, planned)


def check_throughput(
    findings: Findings, thing: str, throughput: Throughput | None, planned: PlannedThroughput
) -> None:
    """Check the throughput of an existing container."""
    if throughput is None:
        findings.warning(
            thing,
            THROUGHPUT,
            "It has no dedicated throughput, so it is not scaled for the load.",
            "Check that the database's throughput, or the serverless account, is enough for the load.",
        )
        return
    has = throughput.ru_per_second
    wanted = planned.scaling["peak_ru_per_second"] or has
    kind = "at most by autoscale" if throughput.autoscale else "manual"
    at_once = throughput.instant_maximum_ru_per_second
    verify = planned.verify_ru_per_second
    paced = f", of which verify reads with {verify:,} at most" if verify else ""
    summary = f"It has {has:,} RU/s ({kind}) and gets {wanted:,} for the load{paced}"
    if wanted > at_once:
        findings.warning(
            thing,
            THROUGHPUT,
            f"{summary}: its partitions provide {at_once:,}, so scaling may take 4 to 6 hours.",
            "Scale it the day before, or request less with throughput.load_ru_per_second.",
        )
    else:
        findings.ok(thing, THROUGHPUT, f"{summary}.")
    _check_afterwards(findings, thing, planned)


def _check_afterwards(findings: Findings, thing: str, planned: PlannedThroughput) -> None:
    wanted, least = planned.scaling["after_ru_per_second"], planned.least_ru_per_second
    if wanted is not None and least > wanted:
        findings.warning(
            thing,
            AFTERWARDS,
            f"It keeps at least {least:,} RU/s for ever, not {wanted:,}: the service allows no less once a container "
            f"had {planned.highest_ru_per_second:,} RU/s and holds the documents.",
            LESS,
        )
