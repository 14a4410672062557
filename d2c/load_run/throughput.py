"""The RU/s of a container: those for its load, the duration of the load, and restoring them afterwards."""

import math
from typing import Protocol

from d2c.mapping.container import ContainerLike, find_misfit
from d2c.shapes import Described, Scaling, ThroughputSettings

# A write of 1 KB costs about 5 RU, and indexing adds to it for every property; Microsoft's examples assume 10.
# https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
RU_PER_WRITTEN_KB = 10
LOAD_HOURS = 1
LEAST_LOAD_RU = 4_000
MOST_LOAD_RU = 100_000
AFTER_LOAD_RU = 1_000
# A table that loads within this time, that of a cluster's start, at the RU/s that its container keeps is not worth an
# update of its throughput: an account accepts 25 in 5 minutes.
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#control-plane
KEPT_LOAD_SECONDS = 300
# Other throughputs of a load, for comparison.
SAMPLE_RU_PER_SECOND = (4_000, 10_000, 40_000, 100_000)


class OwnThroughput(Protocol):
    """A container's own throughput (`d2c.clients.azure.cosmos_management.Throughput`)."""

    @property
    def ru_per_second(self) -> int: ...

    @property
    def autoscale(self) -> bool: ...

    @property
    def minimum_ru_per_second(self) -> int: ...


class Management(Protocol):
    """The calls of the management plane that scale a container."""

    def find_container(self, database: str, container: str) -> ContainerLike | None: ...

    def find_throughput(self, database: str, container: str) -> OwnThroughput | None: ...

    def change_throughput(
        self, database: str, container: str, ru_per_second: int, *, autoscale: bool
    ) -> None: ...


def write_ru(kilobytes: int) -> int:
    """Estimate the request units for writing documents with Cosmos DB's default indexing.

    Args:
        kilobytes: the sum of their sizes, each rounded up to whole KB.
    """
    return kilobytes * RU_PER_WRITTEN_KB


def load_ru_per_second(item_count: int, size_bytes: int, kept_ru_per_second: int = 0) -> int:
    """Return the RU/s with which a table loads in about an hour, in hundreds, within sensible bounds.

    A small table loads with the RU/s that its container keeps, and a large one never with less.

    Args:
        item_count: the export's items.
        size_bytes: their size in DynamoDB.
        kept_ru_per_second: the RU/s of its container after the load.
    """
    ru = write_ru(max(item_count, math.ceil(size_bytes / 1024)))
    if ru <= kept_ru_per_second * KEPT_LOAD_SECONDS:
        return kept_ru_per_second
    wanted = math.ceil(ru / (LOAD_HOURS * 3600) / 100) * 100
    return max(kept_ru_per_second, min(max(LEAST_LOAD_RU, wanted), MOST_LOAD_RU))


def wanted_ru_per_second(
    settings: ThroughputSettings, item_count: int, size_bytes: int, before: int | None = None
) -> int:
    """Return the RU/s for a table's load: the plan's, or those that suit its size.

    Args:
        settings: the plan's.
        item_count: the table's items.
        size_bytes: their size in DynamoDB.
        before: the RU/s of an existing container before anything scaled it; None of a new one.
    """
    wanted = settings["load_ru_per_second"]
    if wanted != "auto":
        return wanted
    kept = settings.get("after_load_ru_per_second", before or AFTER_LOAD_RU)
    return load_ru_per_second(item_count, size_bytes, kept)


def scaling_of_new(settings: ThroughputSettings, wanted: int) -> Scaling:
    """Return the scaling of a container that is created for the load.

    Args:
        settings: the plan's.
        wanted: the RU/s of the load.
    """
    return {
        "before_ru_per_second": None,
        "peak_ru_per_second": wanted,
        "after_ru_per_second": settings.get("after_load_ru_per_second", AFTER_LOAD_RU),
        "autoscale": False,
    }


def scaling_of_existing(
    settings: ThroughputSettings, wanted: int, throughput: OwnThroughput | None, before: int | None
) -> Scaling:
    """Return the scaling of an existing container; one without throughput of its own is not scaled.

    Args:
        settings: the plan's.
        wanted: the RU/s of the load.
        throughput: the container's now.
        before: its RU/s before anything scaled it.
    """
    if throughput is None or before is None:
        return {
            "before_ru_per_second": None,
            "peak_ru_per_second": None,
            "after_ru_per_second": None,
            "autoscale": False,
        }
    return {
        "before_ru_per_second": before,
        "peak_ru_per_second": in_steps(max(before, wanted), throughput.autoscale),
        "after_ru_per_second": settings.get("after_load_ru_per_second", before),
        "autoscale": throughput.autoscale,
    }


def change_throughput(
    management: Management, database: str, container: str, throughput: OwnThroughput, wanted: int
) -> int:
    """Set the RU/s of a container unless it has them already; the result is the RU/s rounded to the service's steps.

    The service does not allow less than a hundredth of the highest throughput that the container ever had.

    Args:
        management: the account's.
        database: the container's.
        container: its name.
        throughput: the container's now.
        wanted: the RU/s to set.
    """
    ru_per_second = in_steps(max(wanted, throughput.minimum_ru_per_second), throughput.autoscale)
    if throughput.ru_per_second != ru_per_second:
        management.change_throughput(database, container, ru_per_second, autoscale=throughput.autoscale)
    return ru_per_second


def put_back(management: Management, database: str, container: str, described: Described) -> int | None:
    """Restore a container's throughput; the result is the restored value, or None if there is none to restore.

    Args:
        management: the account's.
        database: the container's.
        container: its name.
        described: as returned by `describe_container`; a container that does not fit it is not the scaled one.
    """
    found = management.find_container(database, container)
    wanted = described["after_ru_per_second"]
    if wanted is None or found is None or find_misfit(described, found):
        return None
    throughput = management.find_throughput(database, container)
    return change_throughput(management, database, container, throughput, wanted) if throughput else None


def in_steps(ru_per_second: int, autoscale: bool) -> int:
    """Return RU/s rounded up to the service's steps."""
    step = 1000 if autoscale else 100
    return -(-ru_per_second // step) * step


def load_estimate(ru: int, load_ru_per_second: int | None) -> list[dict[str, int | bool]]:
    """Return the seconds of a load at its planned throughput, and at others for comparison.

    Args:
        ru: the request units of the load.
        load_ru_per_second: the planned throughput, or None if the container has no throughput of its own.
    """
    choices = sorted({*SAMPLE_RU_PER_SECOND, *([load_ru_per_second] if load_ru_per_second else [])})
    return [
        {"ru_per_second": choice, "seconds": math.ceil(ru / choice), "planned": choice == load_ru_per_second}
        for choice in choices
    ]
