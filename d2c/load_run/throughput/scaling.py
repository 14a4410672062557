"""The RU/s of a container as they are: set for a load, and put back afterwards."""

from typing import Protocol

from d2c.load_run.throughput.sizing import OwnThroughput, in_steps
from d2c.mapping.container import ContainerLike, find_misfit
from d2c.shapes import Described


class Management(Protocol):
    """The calls of the management plane that scale a container."""

    def find_container(self, database: str, container: str) -> ContainerLike | None: ...

    def find_throughput(self, database: str, container: str) -> OwnThroughput | None: ...

    def change_throughput(
        self, database: str, container: str, ru_per_second: int, *, autoscale: bool
    ) -> None: ...


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


def is_scaled(described: Described, throughput: OwnThroughput | None) -> bool:
    """Return whether a container has the load's RU/s: no fewer, and no more either if it was created for the load.

    Args:
        described: how the container is scaled.
        throughput: the container's now; None if it has none of its own.
    """
    wanted = described["peak_ru_per_second"]
    if throughput is None or wanted is None:
        return True
    least = in_steps(max(wanted, throughput.minimum_ru_per_second), throughput.autoscale)
    is_too_much = described["created"] and throughput.ru_per_second > least
    return not throughput.pending and throughput.ru_per_second >= wanted and not is_too_much


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
