"""Whether a container can hold a table's documents faithfully: its partition key and its time to live."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from d2c.mapping import Mapper

Json = dict[str, Any]


class Misfit(NamedTuple):
    """In what a container is not as it has to be; ``cause`` goes on after the container's name and "has"."""

    title: str
    cause: str
    next_step: str


class ContainerLike(Protocol):
    """What of a container is compared."""

    @property
    def partition_key_paths(self) -> Sequence[str]: ...

    @property
    def default_ttl(self) -> int | None: ...


def wanted_container(mapper: Mapper) -> Json:
    """Return what the container of a mapper's documents has to be like."""
    return {
        "partition_key_paths": list(mapper.partition_key_paths),
        "default_ttl": -1 if mapper.rules.container_has_ttl else None,
    }


def find_misfit(wanted: Mapping[str, Any], container: ContainerLike) -> Misfit | None:
    """Return in what a container is not as wanted; None if it fits.

    Args:
        wanted: has what `wanted_container` returns.
        container: as it is.
    """
    paths, default_ttl = wanted["partition_key_paths"], container.default_ttl
    if list(container.partition_key_paths) != paths:
        return Misfit(
            "The container has another partition key",
            f"the partition key {', '.join(container.partition_key_paths)} and the plan needs {', '.join(paths)}; "
            "a partition key cannot be changed.",
            "Name another container in the plan, or set rules.partition_key to the container's.",
        )
    if default_ttl == wanted["default_ttl"]:
        return None
    if default_ttl is None:
        cause = "time to live off, and the table's items expire."
        next_step = "Turn time to live on (no default) in the container, or set rules.ttl to off in the plan."
    elif default_ttl == -1:
        cause = (
            "time to live on, and the table's items do not expire: an attribute `ttl` would delete documents."
        )
        next_step = "Turn time to live off in the container, or name another container in the plan."
    else:
        cause = f"a default time to live of {default_ttl} seconds, after which documents without their own vanish."
        next_step = "Take the default away in the container, or name another container in the plan."
    return Misfit("The container has another time to live", cause, next_step)


def marks_of(mapper: Mapper) -> Json:
    """Return the constants that tell a table's documents from others' in a container that tables share."""
    constants = mapper.rules.constants
    return {name: constants[name] for name in mapper.partition_key_properties if name in constants}
