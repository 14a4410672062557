"""What a call brings and what an answer holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage.store import Store


@dataclass(frozen=True)
class Call:
    """A request.

    Args:
        store: the account's state.
        names: the parts of the path that name something, in order.
        headers: case-insensitive.
        body: as it came.
    """

    store: Store
    names: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes

    def is_set(self, header: str) -> bool:
        """Return whether a header says true."""
        return self.headers.get(header, "").lower() == "true"

    @property
    def is_query(self) -> bool:
        """Whether the body is a query."""
        return self.is_set("x-ms-documentdb-isquery") or "query+json" in self.headers.get("content-type", "")

    def number(self, header: str, default: int) -> int:
        """Return a header's whole number.

        Raises:
            CosmosError: 400, if it is none.
        """
        text = self.headers.get(header) or str(default)
        try:
            return int(text)
        except ValueError as error:
            raise CosmosError(400, f"The header {header} is not a whole number.") from error

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            CosmosError: 400. NaN and Infinity are no JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise CosmosError(400, f"The request payload is invalid: {error}") from error

    def object(self) -> dict[str, Any]:
        """Return the parsed body, which must be an object.

        Raises:
            CosmosError: 400.
        """
        content = self.json()
        if not isinstance(content, dict):
            raise CosmosError(400, "The request payload is not a JSON object.")
        return content


@dataclass
class Answer:
    """A response."""

    body: bytes = b""
    status: int = 200
    charge: float = 1.0
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(
    content: Any, status: int = 200, *, charge: float = 1.0, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer of JSON."""
    return Answer(orjson.dumps(content), status, charge, dict(headers or {}))
