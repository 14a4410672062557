"""What the stages of a table migration find."""

from typing import Any, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict
from d2c.shapes.settings import DatabaseThroughput


class Source(TypedDict):
    """A DynamoDB table, as `describe_source` returns it."""

    arn: str
    hash_key: str
    range_key: str | None
    ttl_attribute: str | None
    item_count: int  # DynamoDB's own, up to six hours old
    size_bytes: int
    table_class: NotRequired[str]
    number_keys: NotRequired[list[str]]  # the key attributes of type N
    index_keys: NotRequired[list[str]]  # the key attributes of its secondary indexes
    export_time: str


class Export(TypedDict):
    """A complete export, as `look_at_export` returns it."""

    arn: str
    time: str  # the table is exported as of it
    id: str
    folder: str  # in the bucket, or in the lake if others copied it
    items: int
    billed_bytes: int  # uncompressed, as DynamoDB billed them
    bytes: int  # of the compressed data files
    files: int


class Copy(TypedDict):
    """An export in the lake, as `look_at_copy` returns it."""

    folder: str
    files: int
    bytes: int


class ArrivedExport(TypedDict):
    """What the summary of an export says that others copied into the lake."""

    arn: str
    table_arn: str
    time: str
    id: str
    items: int


class Arrived(TypedDict):
    """An export that others copied into the lake, with the standing plan that loads it."""

    folder: str
    plan: str
    bytes: int  # uncompressed, as DynamoDB billed them
    export: ArrivedExport


class Scaling(TypedDict):
    """The RU/s of a container before, during and after the load; None if it has no throughput of its own."""

    before_ru_per_second: int | None
    create_ru_per_second: NotRequired[int]  # of a container that is created: they make its partitions
    peak_ru_per_second: int | None
    after_ru_per_second: int | None
    autoscale: bool
    shared: NotRequired[DatabaseThroughput]  # what it has instead of its own


class Described(Scaling):
    """What a container has to be, and how it is scaled, as `describe_container` returns it."""

    created: bool
    partition_key_paths: list[str]
    default_ttl: int | None  # seconds; -1: only documents with a ttl expire
    indexing_policy: NotRequired[dict[str, Any]]  # during the load, in the service's words
    final_policy: NotRequired[
        dict[str, Any]
    ]  # of a container that is loaded without indexes: applied afterwards


class Prepared(TypedDict):
    """The RU/s that a container has for its load; None if it has no throughput of its own."""

    peak_ru_per_second: int | None


class Restored(TypedDict):
    """The RU/s that a container has after its load; None where there was nothing to put back."""

    after_ru_per_second: int | None


class Consumed(TypedDict):
    """The request units of a load by Azure Monitor; None where they are not counted yet, or cannot be told."""

    counted_ru: int | None
    used_part: float | None  # of the RU/s, between the first and the last tenth of the load
    highest_use_percent: float | None  # of a partition's RU/s, in a second
    indexing_ru: NotRequired[int | None]  # of indexes that were applied after the load


class StageEntry(TypedDict):
    """One stage of a table's migration."""

    stage: str
    state: str
    started_at: str
    seconds: NotRequired[float]


class Sums(TypedDict):
    """What the items that a load run read became."""

    lines: int
    documents: int
    expired: int
    rejected: int
    rejected_by_reason: dict[str, int]
    document_bytes: NotRequired[int]


class AssessedSums(TypedDict):
    """What assess found of a table that fits: what its container needs for the load."""

    documents: int
    document_bytes: int
    write_ru: int  # by the census, without indexes


class Verification(TypedDict):
    """Documents compared with items; None where the method does not count it."""

    method: str
    expected: int | None
    actual: int | None
    missing: int | None
    unexpected: int | None
    different: int | None


class LoadResult(TypedDict):
    """What a load run found, as `look_at_load` summarizes it."""

    state: str
    error: ErrorDict | None
    stages: list[StageEntry]
    files: dict[str, int] | None  # listed, verified
    assessed: Sums | None
    loaded: Sums | None
    replayed: Sums | None
    load_started_at: int | None  # epoch seconds
    verification: Verification | None
    result_path: str


class Findings(TypedDict, total=False):
    """What a table's stages have found so far."""

    source: Source
    export: Export
    copy: Copy
    described: Described
    load: LoadResult
    restored: Restored | None
