"""How an activity ends otherwise than well."""

# Data Factory's number for whatever goes wrong within a copy.
COPY_FAILED = "2200"
# And for a condition whose activities failed.
INNER_FAILED = "ActionFailed"


class ActivityError(Exception):
    """An activity failed.

    Args:
        message: what its run says.
        code: Data Factory's error code.
        failure_type: ``UserError`` or ``SystemError``.
    """

    def __init__(self, message: str, code: str = COPY_FAILED, failure_type: str = "UserError") -> None:
        super().__init__(message)
        self.code = code
        self.failure_type = failure_type


class ActivityCancelledError(Exception):
    """The run was asked to stop."""
