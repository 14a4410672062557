"""The messages that host and worker exchange, as the worker library uses them: their fields, and no wire format.

https://github.com/Azure/azure-functions-language-worker-protobuf
"""

from types import SimpleNamespace
from typing import Any


class Message:
    """A message with the fields that it is made with."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class OneOf(Message):
    """A message of which one field is set."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Return the name of the field that is set."""
        return next(iter(self.__dict__), None)


class ParameterBinding(Message):
    """A named value."""

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        """Return the kind of its value; there is no shared memory here."""
        return "data"


class StatusResult(Message):
    """Whether a request succeeded."""

    Failure, Success = 0, 1


class BindingInfo(Message):
    """A binding, with the protocol's numbers for its direction and data type."""

    undefined, inout, out = 0, 2, 1


class RpcHttpCookie(Message):
    """A cookie of an answer."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


PLAIN = (
    "FunctionEnvironmentReloadResponse",
    "FunctionLoadResponse",
    "FunctionMetadataResponse",
    "InvocationResponse",
    "NullableBool",
    "NullableDouble",
    "NullableString",
    "NullableTimestamp",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcHttp",
    "RpcRetryOptions",
    "WorkerInitResponse",
    "WorkerMetadata",
)
PROTOS = SimpleNamespace(
    **{name: type(name, (Message,), {}) for name in PLAIN},
    TypedData=OneOf,
    ParameterBinding=ParameterBinding,
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    RpcHttpCookie=RpcHttpCookie,
)
