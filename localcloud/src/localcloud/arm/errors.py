"""Errors as Azure Resource Manager answers them."""

from typing import Any


class ArmError(Exception):
    """An error of the API.

    Args:
        status: HTTP status.
        code: the error's code.
        message: its text.
        target: what it is about, or None.
        retry_after_seconds: when a throttled call may come again, or None.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        target: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.target = target
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        wait = self.retry_after_seconds
        return headers if wait is None else {**headers, "Retry-After": str(wait)}

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``error`` in an answer."""
        content = {"code": self.code, "message": str(self)}
        return content | ({"target": self.target} if self.target else {})
