"""Settings that travel with the work: intervals, times, and the settings of a table."""

from typing import Literal, NamedTuple, NotRequired, TypedDict


class Waits(TypedDict):
    """The intervals between two looks, in seconds: the first, by how much each grows, and the longest."""

    first_seconds: float
    factor: float
    longest_seconds: float


class Times(TypedDict, total=False):
    """When a plan's stages may begin."""

    start_at: str
    between: list[str]  # two times of the day, HH:MM
    time_zone: str  # IANA


class Rules(TypedDict, total=False):
    """How items become documents, as `d2c.mapping.rules` reads it."""

    partition_key: list[str]
    document_id: list[str]
    rename: dict[str, str]
    drop: list[str]
    set: dict[str, str | int | float | bool | None]
    numbers: Literal["exact", "reject", "string"]
    ttl: Literal["convert", "off"]


class DatabaseThroughput(TypedDict):
    """The RU/s that containers of a database share; with autoscale the maximum."""

    ru_per_second: int
    autoscale: bool


class ThroughputSettings(TypedDict):
    """The RU/s of a container while it is loaded, and afterwards (absent: a default, or what it was before)."""

    kind: NotRequired[Literal["manual", "autoscale", "shared"]]  # of a new container; absent: manual
    database: NotRequired[DatabaseThroughput]  # of a database that is created, if tables of the plan share it
    sharers: NotRequired[int]  # tables of the plan that share the database's, this one among them
    load_ru_per_second: int | Literal["auto"]
    after_load_ru_per_second: NotRequired[int]


class LoadBounds(NamedTuple):
    """The most RU/s that the app gives a container by itself: the setting's, and what a cluster can write with."""

    most_ru_per_second: int
    cluster_ru_per_second: int


class Limits(TypedDict):
    """What ends a table's load."""

    max_rejected_items: int
    max_logical_partition_bytes: int
