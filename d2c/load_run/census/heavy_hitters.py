"""Find the heaviest of millions of keys, in bounded memory, with guaranteed bounds.

The weighted Misra-Gries summary, which can be merged: Agarwal et al., "Mergeable Summaries", 2012.
https://doi.org/10.1145/2213556.2213562
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT_KEYS = 1_000
# Up to this multiple of the kept keys is collected between two trims, which makes a trim cheap per key.
GATHERED = 8


@dataclass
class HeavyHitters:
    """Weights of the heaviest keys.

    The true weight of a key is at least its value in `weights` (0 for a missing key), and at most `error` more. The
    error is at most the total weight of all keys divided by `kept`, plus the error added by `leave_out`.
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
        """Reduce to at most `kept` keys by subtracting the same weight from all of them.

        Each trim subtracts from more than `kept` keys, so all trims together subtract less than the total weight
        divided by `kept`.
        """
        if len(self.weights) <= self.kept:
            return
        cut = sorted(self.weights.values(), reverse=True)[self.kept]
        self.weights = {key: weight - cut for key, weight in self.weights.items() if weight > cut}
        self.error += cut

    def leave_out(self, threshold: int) -> None:
        """Drop keys up to a threshold weight, which adds at most the threshold to the error."""
        light = [weight for weight in self.weights.values() if weight <= threshold]
        if light:
            self.weights = {key: weight for key, weight in self.weights.items() if weight > threshold}
            self.error += max(light)

    def largest(self, count: int) -> list[tuple[str, int]]:
        """Return the heaviest keys with the lower bounds of their weights, the heaviest first."""
        return sorted(self.weights.items(), key=lambda entry: (-entry[1], entry[0]))[:count]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON."""
        self.trim()
        return {"weights": self.weights, "error": self.error}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "HeavyHitters":
        """Return the summary from the result of `to_json`."""
        return cls(dict(found["weights"]), found["error"])
