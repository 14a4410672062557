"""The throughput of a database, which its containers without throughput of their own share.

Their documents are on the same physical partitions, so that each partition's share of the RU/s is one for all of them.
https://learn.microsoft.com/azure/cosmos-db/set-throughput#set-throughput-on-a-database
"""

from dataclasses import dataclass, field
from typing import Any

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import throughput
from localcloud.cosmos.storage.charges import Budget

# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#provisioned-throughput-1
MOST_CONTAINERS = 25

Json = dict[str, Any]


@dataclass
class SharedThroughput:
    """A database's offer, and what each physical partition may spend."""

    database: str
    offer: Json
    budgets: list[Budget] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provide()

    def provide(self) -> None:
        """Bring its partitions to what its offer says."""
        content = self.offer["content"]
        count = throughput.partitions(content)
        share = throughput.ru_per_second(content) / count
        if len(self.budgets) != count:
            self.budgets = [Budget(share) for _ in range(count)]
        for budget in self.budgets:
            budget.change(share)


def check_room(sharers: int) -> None:
    """Refuse another container that shares a database's throughput.

    Args:
        sharers: how many there are.

    Raises:
        CosmosError: 400, as the service words it:
            https://microsoft.github.io/simplechat/explanation/fixes/COSMOS_CONTAINER_THROUGHPUT_DEPLOYER_FIX/
    """
    if sharers >= MOST_CONTAINERS:
        raise CosmosError(
            400,
            f"Collection create forbidden as collection count in database offer has exceeded {MOST_CONTAINERS}.",
        )


def check_scaled(sharers: int) -> None:
    """Refuse to change a database's throughput as long as no container shares it.

    Args:
        sharers: how many there are.

    Raises:
        CosmosError: 400. https://github.com/Azure/azure-cosmos-dotnet-v3/issues/181
    """
    if not sharers:
        raise CosmosError(
            400,
            "There are no collections using the shared database offer. Please retry the scale operation after creating"
            " a collection that uses database offer",
        )
