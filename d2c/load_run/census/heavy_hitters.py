"""Which few of millions of keys weigh most, in bounded memory, with bounds that hold.

The summary of Misra and Gries, weighted, as it may be merged: Agarwal et al., "Mergeable Summaries", 2012.
https://doi.org/10.1145/2213556.2213562
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT_KEYS = 1_000
# So many times the keys that are kept gather between two trims, so that a trim costs a new key next to nothing.
GATHERED = 8


@dataclass
class HeavyHitters:
    """Weights of the heaviest keys.

    For every key, its weight is at least what `weights` says (0 for a key that is not there) and at most `error`
    more. The error is at most the weight of all keys together divided by `kept`, and what `leave_out` adds.
    """

    weights: dict[str, int] = field(default_factory=dict)
    error: int = 0
    kept: int = KEPT_KEYS

    def add(self, key: str, weight: int) -> None:
        """Add to a key's weight."""
        weights = self.weights
        weights[key] = weights.get(key, 0) + weight
        if len(weights) > GATHERED * self.kept:
            self.trim()

    def merge(self, other: "HeavyHitters") -> None:
        """Add the weights of another summary."""
        for key, weight in other.weights.items():
            self.weights[key] = self.weights.get(key, 0) + weight
        self.error += other.error
        if len(self.weights) > GATHERED * self.kept:
            self.trim()

    def trim(self) -> None:
        """Leave no more than `kept` keys, by taking the same weight off all of them.

        It is taken off more than `kept` keys, so all trims together take off less than the whole weight divided
        by that.
        """
        if len(self.weights) <= self.kept:
            return
        cut = sorted(self.weights.values(), reverse=True)[self.kept]
        self.weights = {key: weight - cut for key, weight in self.weights.items() if weight > cut}
        self.error += cut

    def leave_out(self, threshold: int) -> None:
        """Leave out keys that weigh no more than a threshold, which adds at most that to the error."""
        light = [weight for weight in self.weights.values() if weight <= threshold]
        if light:
            self.weights = {key: weight for key, weight in self.weights.items() if weight > threshold}
            self.error += max(light)

    def largest(self, count: int) -> list[tuple[str, int]]:
        """Return the heaviest keys with their least weights, the heaviest first."""
        return sorted(self.weights.items(), key=lambda entry: (-entry[1], entry[0]))[:count]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON."""
        self.trim()
        return {"weights": self.weights, "error": self.error}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "HeavyHitters":
        """Return the summary that `to_json` returned."""
        return cls(dict(found["weights"]), found["error"])
