"""Errors as DynamoDB answers them."""


class DynamoDBError(Exception):
    """An error of the service: its code, its text, and the HTTP status, 400 unless it is the service's own fault."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
