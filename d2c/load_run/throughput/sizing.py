"""The RU/s that a container needs: those of its creation, of its load, and the least that it keeps.

https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from d2c.load_run.throughput.request_units import LoadSize
from d2c.shapes import DatabaseThroughput, LoadBounds, Scaling, ThroughputSettings

LOAD_HOURS = 1
LEAST_LOAD_RU = 4_000
AFTER_LOAD_RU = 400
LEAST_AUTOSCALE_RU = 1_000
# What a database is created with for containers that share it, unless the plan has more.
SMALLEST_SHARED: DatabaseThroughput = {"ru_per_second": AFTER_LOAD_RU, "autoscale": False}
# A table that loads within this time, that of a cluster's start, at the RU/s that its container keeps is not worth an
# update of its throughput: an account accepts 25 in 5 minutes.
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#control-plane
KEPT_LOAD_SECONDS = 300
SMALL_LOAD_RU = AFTER_LOAD_RU * KEPT_LOAD_SECONDS
# A partition carries 10,000 RU/s; a new container has one for each 6,000 RU/s that it is created with.
RU_PER_PARTITION = 10_000
CREATED_RU_PER_PARTITION = 6_000
# A partition splits at 50 GB; indexes and growth take the rest.
GB_PER_PARTITION = 40
GB_OF_A_GB = 1.3
GB = 2**30
# Splits take hours, so they are worth it only for a load that would take longer without them.
SPLIT_HOURS = 6
# Other throughputs of a load, for comparison.
SAMPLE_RU_PER_SECOND = (4_000, 10_000, 40_000, 100_000)


class OwnThroughput(Protocol):
    """A container's own throughput (`d2c.clients.azure.cosmos.resources.Throughput`)."""

    @property
    def ru_per_second(self) -> int: ...

    @property
    def autoscale(self) -> bool: ...

    @property
    def minimum_ru_per_second(self) -> int: ...

    @property
    def instant_maximum_ru_per_second(self) -> int: ...

    @property
    def pending(self) -> bool: ...


def partitions_of(size_bytes: int, ru_per_second: int) -> int:
    """Return the physical partitions that a container needs for its documents and its RU/s.

    Args:
        size_bytes: of all documents.
        ru_per_second: of the load.
    """
    by_size = math.ceil(GB_OF_A_GB * size_bytes / GB / GB_PER_PARTITION)
    return max(math.ceil(ru_per_second / RU_PER_PARTITION), by_size, 1)


def least_ru_per_second(highest_ru_per_second: int, size_bytes: int, *, autoscale: bool) -> int:
    """Return the least RU/s that a container can be set to once it had its highest.

    https://learn.microsoft.com/azure/cosmos-db/concepts-limits#minimum-throughput-limits

    Args:
        highest_ru_per_second: the most that it ever had.
        size_bytes: of its documents; each GB takes 1 RU/s.
        autoscale: whether its RU/s are autoscale's maximum, which scales down to a tenth.
    """
    least = max(highest_ru_per_second / 100, size_bytes / GB)
    return in_steps(
        math.ceil(max(LEAST_AUTOSCALE_RU, 10 * least) if autoscale else max(400, least)), autoscale
    )


def throughput_of_new_database(settings: Mapping[str, Any]) -> DatabaseThroughput:
    """Return the throughput with which a database is created for containers that share it.

    Args:
        settings: the ``throughput`` of a table that shares it.
    """
    found: DatabaseThroughput = settings.get("database", SMALLEST_SHARED)
    return found


def scaling_of_shared(shared: DatabaseThroughput) -> Scaling:
    """Return the scaling of a container that shares its database's throughput, which nothing is scaled for.

    Args:
        shared: what its containers share.
    """
    return {
        "before_ru_per_second": None,
        "peak_ru_per_second": None,
        "after_ru_per_second": None,
        "autoscale": False,
        "shared": shared,
    }


def scaling_of_new(settings: ThroughputSettings, load: LoadSize, bounds: LoadBounds) -> Scaling:
    """Return the scaling of a container that is created for the load.

    It is created with the RU/s that make the partitions that it needs, then set to those of the load. A small table's
    container is created with the RU/s that it keeps, and never updated.

    Args:
        settings: the plan's.
        load: what is written.
        bounds: of RU/s that are chosen here; RU/s of the plan are never exceeded.
    """
    autoscale = settings.get("kind") == "autoscale"
    kept = in_steps(settings.get("after_load_ru_per_second", AFTER_LOAD_RU), autoscale)
    create, peak = _ru_of_new(settings["load_ru_per_second"], load, bounds, kept)
    return {
        "before_ru_per_second": None,
        "create_ru_per_second": in_steps(create, autoscale),
        "peak_ru_per_second": in_steps(peak, autoscale),
        "after_ru_per_second": kept,
        "autoscale": autoscale,
    }


def _ru_of_new(
    wanted: int | Literal["auto"], load: LoadSize, bounds: LoadBounds, kept: int
) -> tuple[int, int]:
    """Return the RU/s of a new container's creation, and those of its load."""
    if wanted != "auto":
        return _ru_of_creation(load, wanted, wanted), wanted
    if _is_small(load, kept):
        return kept, kept
    ru_per_second = _ru_of_an_hour(load, kept, bounds)
    create = _ru_of_creation(load, ru_per_second, bounds.most_ru_per_second)
    # What it is created with is paid for the first hour anyway, and its minimum afterwards is the same.
    return create, max(ru_per_second, min(create, bounds.cluster_ru_per_second))


def _ru_of_creation(load: LoadSize, wanted: int, most: int) -> int:
    """Return the RU/s that make as many partitions as a load of so many RU/s needs."""
    partitions = partitions_of(load.size_bytes, wanted)
    return min(partitions * CREATED_RU_PER_PARTITION, most if partitions > 1 else wanted)


def scaling_of_existing(
    settings: ThroughputSettings,
    load: LoadSize,
    bounds: LoadBounds,
    throughput: OwnThroughput | None,
    before: int | None,
) -> Scaling:
    """Return the scaling of an existing container; one without throughput of its own is not scaled.

    Args:
        settings: the plan's.
        load: what is written.
        bounds: of RU/s that are chosen here.
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
    kept = settings.get("after_load_ru_per_second", before)
    wanted = settings["load_ru_per_second"]
    if wanted == "auto":
        wanted = _ru_of_existing(load, kept, bounds, throughput.instant_maximum_ru_per_second)
    return {
        "before_ru_per_second": before,
        "peak_ru_per_second": in_steps(max(before, wanted), throughput.autoscale),
        "after_ru_per_second": kept,
        "autoscale": throughput.autoscale,
    }


def _is_small(load: LoadSize, kept_ru_per_second: int) -> bool:
    return load.ru <= kept_ru_per_second * KEPT_LOAD_SECONDS


def _ru_of_an_hour(load: LoadSize, kept_ru_per_second: int, bounds: LoadBounds) -> int:
    """Return the RU/s with which a load takes about an hour, within bounds, and not less than is kept anyway."""
    wanted = max(in_steps(math.ceil(load.ru / (LOAD_HOURS * 3600)), autoscale=False), LEAST_LOAD_RU)
    return max(min(wanted, *bounds), kept_ru_per_second)


def _ru_of_existing(load: LoadSize, kept: int, bounds: LoadBounds, instant: int) -> int:
    """Return the RU/s of a load into an existing container: what its partitions carry, unless that takes too long."""
    if _is_small(load, kept):
        return kept
    wanted = _ru_of_an_hour(load, kept, bounds)
    if wanted <= instant or load.ru <= instant * SPLIT_HOURS * 3600:
        return min(wanted, instant)
    return even_ru_per_second(instant, wanted, min(bounds))


def even_ru_per_second(instant: int, wanted: int, most: int) -> int:
    """Return the RU/s at which the partitions of a container split evenly: twice as many, or four times, and so on.

    Args:
        instant: what its partitions carry now.
        wanted: the RU/s wanted, more than that.
        most: the cap.
    """
    even = instant
    while even < wanted and 2 * even <= most:
        even *= 2
    return even


def in_steps(ru_per_second: int, autoscale: bool) -> int:
    """Return RU/s rounded up to the service's steps."""
    step = 1000 if autoscale else 100
    return -(-ru_per_second // step) * step


def verify_ru_of(ru_per_second: int | None, percent: int) -> int | None:
    """Return the RU/s with which verify reads a container that others may use; None for as fast as it can.

    Args:
        ru_per_second: what it has while it is verified; None if it has no throughput of its own.
        percent: the setting's.
    """
    return None if ru_per_second is None or percent >= 100 else max(ru_per_second * percent // 100, 1)


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
