"""Errors as DynamoDB, S3 and STS answer them."""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import orjson


class DynamoDBError(Exception):
    """An error of the service: its code, its text, and the HTTP status, 400 unless it is the service's own fault."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class RefusedError(Exception):
    """A call that somebody may not make, or cannot make so.

    Args:
        code: the error's, as the service that was called has it.
        message: its text.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def service_of(environment: Mapping[str, Any]) -> str:
    """Return which service a request is for: ``dynamodb``, ``sts`` or ``s3``."""
    if "HTTP_X_AMZ_TARGET" in environment:
        return "dynamodb"
    is_form = environment.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    return "sts" if is_form and environment["PATH_INFO"] == "/" else "s3"


def error_body(service: str, code: str, message: str) -> tuple[str, bytes]:
    """Return an error as a service writes it: its content type and its body."""
    if service == "dynamodb":
        kind = f"com.amazon.coral.service#{code}"
        return "application/x-amz-json-1.0", orjson.dumps({"__type": kind, "message": message})
    told = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "sts":
        namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
        text = f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>{told}</Error></ErrorResponse>'
        return "text/xml", text.encode()
    return "application/xml", f"<Error>{told}</Error>".encode()
