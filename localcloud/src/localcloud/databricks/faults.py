"""Faults on demand.

``POST /_localcloud/faults`` takes a list of ``{"operation", "status", "code", "message", "reset", "count"}``: the next
``count`` calls of that operation fail so, with ``reset`` by a cut connection. ``DELETE`` clears them. The operation
``cluster`` is no call: the next runs lose their cluster as soon as it has started. ``volume-open`` is a cluster's look
at a file of a volume, or its request for the content: a status of 403 refuses it, others are an error of the volume.
"""

from typing import Any

from localcloud.databricks.errors import ApiError, invalid

FIELDS = frozenset({"operation", "status", "code", "message", "reset", "count"})
OPERATIONS = (
    "submit",
    "get",
    "get-output",
    "cancel",
    "list",
    "cluster",
    "me",
    "secrets",
    "clusters",
    "volumes",
    "volume-open",
    "workspace",
    "import",
    "export",
    "mkdirs",
    "files",
)
LARGEST_COUNT = 10_000


class Faults:
    """The faults that are to happen."""

    def __init__(self) -> None:
        self._faults: list[dict[str, Any]] = []

    def set(self, entries: Any) -> dict[str, Any]:
        """Replace the faults, and return them as they are now.

        Raises:
            ApiError: 400, with what an entry may hold.
        """
        for entry in entries:
            fits = isinstance(entry, dict) and entry.get("operation") in OPERATIONS
            if not fits or entry.keys() - FIELDS or not 0 < entry.get("count", 1) <= LARGEST_COUNT:
                raise invalid(
                    f"A fault has the fields {', '.join(sorted(FIELDS))}, a count up to {LARGEST_COUNT} and an "
                    f"operation of {', '.join(OPERATIONS)}."
                )
        self._faults = [{"count": 1, **entry} for entry in entries]
        return {"faults": self._faults}

    def take(self, operation: str) -> dict[str, Any] | None:
        """Return the fault that happens to an operation now, if any, and count it."""
        for fault in self._faults:
            if fault["operation"] == operation and fault["count"] > 0:
                fault["count"] -= 1
                return fault
        return None

    def raise_for(self, operation: str) -> None:
        """Raise the fault that happens to a call now, if any.

        Raises:
            ApiError: as the fault says.
            ConnectionResetError: if the connection is to be cut.
        """
        fault = self.take(operation)
        if fault is None:
            return
        if fault.get("reset"):
            raise ConnectionResetError(f"a reset of {operation} on demand")
        raise ApiError(
            fault.get("status", 500),
            fault.get("code", "INTERNAL_ERROR"),
            fault.get("message", "A fault on demand."),
        )
