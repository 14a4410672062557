"""What an estimate is made by: the cluster, the prices, the bounds of a load's RU/s, and the account's regions."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from d2c.app.prices import Prices, prices_from
from d2c.report.costs import Cluster
from d2c.shapes import LoadBounds


class Terms(NamedTuple):
    """What an estimate is made by.

    Args:
        cluster: the largest that load runs may have.
        prices: prices and assumptions.
        bounds: of RU/s that are chosen by the app.
        regions: of the Cosmos DB account, each of which is billed.
        writes_in_all: whether all of them can be written to.
    """

    cluster: Cluster
    prices: Prices
    bounds: LoadBounds
    regions: int = 1
    writes_in_all: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON, which is the basis of an estimate."""
        return {
            **self.prices.to_dict(),
            "cluster": self.cluster._asdict(),
            "bounds": self.bounds._asdict(),
            "regions": self.regions,
            "writes_in_all": self.writes_in_all,
        }


def terms_from(basis: Mapping[str, Any]) -> Terms:
    """Return the terms of an estimate from its basis."""
    return Terms(
        Cluster(**basis["cluster"]),
        prices_from(basis),
        LoadBounds(**basis["bounds"]),
        basis["regions"],
        basis["writes_in_all"],
    )
