"""A container as the server keeps it, and the ids that the service gives to resources."""

import base64
import struct
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from localcloud.cosmos.storage import throughput, unique_keys
from localcloud.cosmos.storage.charges import Budget, index_factor
from localcloud.cosmos.storage.meter import Meter
from localcloud.cosmos.storage.partitions import Partitions
from localcloud.cosmos.storage.ranges import KeyRange, even_ranges, split
from localcloud.cosmos.storage.shared_throughput import SharedThroughput
from localcloud.cosmos.storage.transformation import Transformation

SAVED = ("number", "database", "properties", "offer", "ranges")
# Under which operation Azure Monitor counts a transformation is not documented.
TRANSFORMING = "IndexTransformation"

Json = dict[str, Any]


@dataclass
class Container:
    """A container: its properties as the service reports them, and what else the server needs.

    Without an offer of its own it shares its database's.
    """

    number: int
    database: str
    properties: Json
    offer: Json | None
    ranges: list[KeyRange] = field(default_factory=list)
    shared: SharedThroughput | None = None
    transformation: Transformation = field(default_factory=Transformation)

    def __post_init__(self) -> None:
        self.meter = Meter()
        if isinstance(self.transformation, dict):
            self.transformation = Transformation(**self.transformation)
        self.ranges = [KeyRange(*each[:3], tuple(each[3])) for each in self.ranges]
        self.partitions = self._partitions()

    @property
    def name(self) -> str:
        """Its id."""
        return str(self.properties["id"])

    @property
    def paths(self) -> list[str]:
        """The paths of its partition key."""
        paths: list[str] = self.properties["partitionKey"]["paths"]
        return paths

    @property
    def index_factor(self) -> float:
        """By how much its indexing policy multiplies the charge of a write."""
        return index_factor(self.properties["indexingPolicy"])

    @property
    def unique_paths(self) -> list[list[str]]:
        """The paths of each of its unique keys."""
        return unique_keys.paths_of(self.properties)

    @property
    def rid_bytes(self) -> bytes:
        """Its resource id in bytes."""
        return base64.b64decode(self.properties["_rid"].replace("-", "/"))

    def saved(self) -> Json:
        """Return what of it outlives the process."""
        saved = {name: getattr(self, name) for name in SAVED}
        return {**saved, "transformation": asdict(self.transformation)}

    def transform(self) -> int:
        """Let its index transformation have the RU that nobody has used; return how far it is, in percent."""
        unused, transformation = self.partitions.take_unused(), self.transformation
        taken = min(unused, transformation.left)
        if taken:
            transformation.spent += taken
            self.meter.count(TRANSFORMING, taken)
        return transformation.percent

    @property
    def request_units(self) -> float:
        """The RU that its documents have taken."""
        return sum(self.meter.by_minute.values()) if self.shared else self.partitions.spent

    def provide(self) -> None:
        """Bring its partitions to what its offer, or its database's, says."""
        self.ranges = split(self.ranges, throughput.partitions(self._content))
        self.partitions.provide(self.ranges, throughput.ru_per_second(self._content), self._budgets)

    def _partitions(self) -> Partitions:
        self.ranges = self.ranges or even_ranges(throughput.partitions(self._content))
        return Partitions(
            self.properties["partitionKey"],
            self.ranges,
            throughput.ru_per_second(self._content),
            self._budgets,
        )

    @property
    def _content(self) -> Json:
        offer = self.offer or (self.shared.offer if self.shared else {})
        content: Json = offer["content"]
        return content

    @property
    def _budgets(self) -> list[Budget]:
        return self.shared.budgets if self.shared else []


def document_rid(container: Container, number: int) -> str:
    """Return the resource id of a container's document."""
    return rid_of(container.rid_bytes + struct.pack("<Q", number))


def rid_of(content: bytes) -> str:
    """Return a resource id from its bytes."""
    return base64.b64encode(content).decode().replace("/", "-")


def new_etag() -> str:
    """Return an etag that nothing else has."""
    return f'"{uuid.uuid4()}"'
