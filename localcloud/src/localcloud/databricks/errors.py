"""Errors as Databricks answers them."""


class ApiError(Exception):
    """An error of the API.

    Args:
        status: HTTP status.
        code: Databricks' name for it, such as ``INVALID_PARAMETER_VALUE``.
        message: its text.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """Return the error of a request that cannot be."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


class RunFault(Exception):  # noqa: N818 - it ends a run, and is no error of a call
    """What ends a run before its notebook does.

    Args:
        code: a termination code, such as ``LIBRARY_INSTALLATION_ERROR``.
        message: its text for the user.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
