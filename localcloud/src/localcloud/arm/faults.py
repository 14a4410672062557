"""Faults on demand.

``POST /_localcloud/faults`` takes a list of ``{"operation", "status", "code", "message", "reset", "count"}``: the next
``count`` calls of that operation fail so, with ``reset`` by a cut connection. ``DELETE`` clears them. The operation
``CopyFile`` is no call: it makes the copy of a file fail.
"""

from typing import Any

from aiohttp import web

from localcloud.arm.errors import ArmError

FAULTS_PATH = "/_localcloud/faults"
FIELDS = frozenset({"operation", "status", "code", "message", "reset", "count"})
LARGEST_COUNT = 10_000


class Faults:
    """The faults that are to happen; ``operations`` are those that can be made to fail."""

    def __init__(self) -> None:
        self.operations: frozenset[str] = frozenset()
        self._faults: list[dict[str, Any]] = []

    def set(self, entries: Any) -> dict[str, Any]:
        """Replace the faults, and return them as they are now.

        Raises:
            ArmError: 400, with what an entry may hold.
        """
        for entry in entries:
            fits = isinstance(entry, dict) and entry.get("operation") in self.operations
            if not fits or entry.keys() - FIELDS or not 0 < entry.get("count", 1) <= LARGEST_COUNT:
                raise ArmError(
                    400,
                    "InvalidFault",
                    f"A fault has the fields {', '.join(sorted(FIELDS))}, a count up to {LARGEST_COUNT} and an "
                    f"operation of {', '.join(sorted(self.operations))}.",
                )
        self._faults = [{"count": 1, **entry} for entry in entries]
        return {"faults": self._faults}

    def raise_for(self, operation: str) -> None:
        """Raise the fault that happens to an operation now, if any, and count it.

        Raises:
            ArmError: as the fault says.
            ConnectionResetError: if the connection is to be cut.
        """
        for fault in self._faults:
            if fault["operation"] == operation and fault["count"] > 0:
                fault["count"] -= 1
                if fault.get("reset"):
                    raise ConnectionResetError(f"a reset of {operation} on demand")
                raise ArmError(
                    fault.get("status", 500),
                    fault.get("code", "InternalServerError"),
                    fault.get("message", "A fault on demand."),
                )


def dropped(request: web.Request) -> web.Response:
    """Cut the connection of a request."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=503)
