"""Faults on demand.

``POST /_localcloud/faults`` takes a list of ``{"scope", "operation", "status", "sub_status", "retry_after_ms",
"probability", "count"}``: the next ``count`` matching calls fail so. The scope ``request`` fails a whole call, ``item``
one operation of a batch; ``drop_before`` and ``drop_after`` close the connection before or after the call was carried
out. The operation is an HTTP method, or of an item the operation's type. The count is bounded, since clients retry
some faults without limit.
"""

import random
from dataclasses import dataclass, fields

import orjson

from localcloud.cosmos.errors import CosmosError

SCOPES = ("request", "item", "drop_before", "drop_after")
LARGEST_COUNT = 10_000


@dataclass
class Fault:
    """A fault that is to happen."""

    scope: str
    count: int
    operation: str = ""
    status: int = 503
    sub_status: int = 0
    retry_after_ms: int = 0
    probability: float = 1.0


class Faults:
    """The faults that are to happen."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def set(self, text: bytes) -> None:
        """Replace the faults.

        Args:
            text: a JSON array of faults.

        Raises:
            CosmosError: 400, with what a fault has to be.
        """
        try:
            faults = [Fault(**entry) for entry in orjson.loads(text)]
            fit = all(_fits(fault) for fault in faults)
        except (TypeError, ValueError):
            fit = False
        if not fit:
            known = ", ".join(field.name for field in fields(Fault))
            raise CosmosError(
                400,
                f"Faults are an array of objects with the fields {known}; the scope is one of {SCOPES}, the count "
                f"from 1 to {LARGEST_COUNT}, the status from 400 to 599.",
            )
        self._faults = faults

    def clear(self) -> None:
        """Let no more faults happen."""
        self._faults = []

    def take(self, scope: str, operation: str) -> Fault | None:
        """Return the fault that happens to an operation now, if any, and count it."""
        for fault in self._faults:
            fits = fault.scope == scope and fault.operation.lower() in ("", operation.lower())
            if fits and fault.count and random.random() < fault.probability:  # noqa: S311
                fault.count -= 1
                return fault
        return None

    def raise_for(self, scope: str, operation: str) -> None:
        """Raise the fault that happens to an operation now.

        Raises:
            CosmosError: as the fault says.
        """
        fault = self.take(scope, operation)
        if fault:
            raise CosmosError(fault.status, "A fault on demand.", fault.sub_status, fault.retry_after_ms)


def _fits(fault: Fault) -> bool:
    return (
        fault.scope in SCOPES
        and type(fault.count) is int
        and 0 < fault.count <= LARGEST_COUNT
        and 400 <= fault.status <= 599
        and 0 < fault.probability <= 1
        and fault.retry_after_ms >= 0
        and isinstance(fault.operation, str)
    )
