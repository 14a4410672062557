"""Errors as Cosmos DB answers them."""

NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    403: "Forbidden",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    449: "RetryWith",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
PARTITION_KEY_MISMATCH = 1001
# The resource that the addressed one is in is not there.
OWNER_MISSING = 1003
NEEDS_QUERY_PLAN = 1004
RANGE_GONE = 1002
STALE_CONTAINER = 1024
THROTTLED = 3200
# SubStatusCodes.cs of https://github.com/Azure/azure-cosmos-dotnet-v3
TOKEN_MALFORMED = 5003
TOKEN_EXPIRED = 5006
TOKEN_OF_ANOTHER_ISSUER = 5007
TOKEN_TO_ANOTHER = 5008
NOT_BY_TOKEN = 5300
NO_RIGHT_TO_METADATA = 5301
NO_RIGHT_TO_DATA = 5302


class CosmosError(Exception):
    """An error of the service.

    Args:
        status: HTTP status.
        message: its text.
        sub_status: Cosmos DB's own number for it, or 0.
        retry_after_ms: when a throttled call may come again, in milliseconds.
    """

    def __init__(self, status: int, message: str, sub_status: int = 0, retry_after_ms: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.sub_status = sub_status
        self.retry_after_ms = retry_after_ms

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"x-ms-substatus": str(self.sub_status)} if self.sub_status else {}
        return headers | ({"x-ms-retry-after-ms": str(self.retry_after_ms)} if self.retry_after_ms else {})
