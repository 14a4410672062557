"""Index transformations: what a new policy adds is built in the background, by RU/s that nobody else uses.

https://learn.microsoft.com/azure/cosmos-db/index-policy#modifying-the-indexing-policy
"""

from dataclasses import dataclass

DONE = 100


@dataclass
class Transformation:
    """The transformation of a container's index to a new policy.

    How many RU it takes is not documented: here as many as the new policy adds to writing all documents.

    Args:
        charge: the RU that it takes.
        spent: those that it has had.
    """

    charge: float = 0.0
    spent: float = 0.0

    @property
    def left(self) -> float:
        """The RU that it still takes."""
        return max(self.charge - self.spent, 0.0)

    @property
    def percent(self) -> int:
        """How far it is, in whole percent."""
        return int(DONE * self.spent / self.charge) if self.left else DONE
