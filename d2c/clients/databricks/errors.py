"""Errors of Databricks' SDK as the app's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from requests.exceptions import RequestException

from d2c.clients.answers import ODD_ANSWER, odd_answer, text_of
from d2c.clients.azure.refusals import find_refusal
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.errors import PermanentError, TransientError
from d2c.redaction import without_secrets

if TYPE_CHECKING:
    from databricks.sdk.errors.base import DatabricksError


@contextmanager
def databricks_errors(thing: str) -> Iterator[None]:
    """Turn an error of the SDK or of signing in into a PermanentError or a TransientError."""
    from databricks.sdk import errors
    from databricks.sdk.errors.base import DatabricksError

    try:
        with azure_errors(thing):
            yield
    except (
        errors.DeadlineExceeded,
        errors.InternalError,
        errors.TemporarilyUnavailable,
        errors.TooManyRequests,
    ) as error:
        raise _transient(thing, error) from error
    except DatabricksError as error:
        refusal = find_refusal(f"{error.error_code}\n{error}")
        raise PermanentError(
            f"{thing}: {refusal.meaning if refusal else 'Databricks rejected the call'}: {_message(error)}",
            refusal.next_step
            if refusal
            else "Check D2C_CLUSTER, D2C_NOTEBOOK_PATH and the app identity's permissions in the workspace.",
        ) from error
    except (RequestException, TimeoutError) as error:
        # The SDK retries for a while, and then raises a timeout with the last error as its cause.
        if isinstance(error.__cause__, DatabricksError):
            raise _transient(thing, error.__cause__) from error
        raise TransientError(
            f"{thing}: no answer from Databricks: {type(error).__name__}",
            "Retrying. Check DATABRICKS_HOST and the network.",
        ) from error
    except ODD_ANSWER as error:
        raise odd_answer(thing, error) from error


def _transient(thing: str, error: DatabricksError) -> TransientError:
    return TransientError(
        f"{thing}: Databricks answered: {_message(error)}",
        "Retrying. If it keeps failing, see Databricks' status page.",
    )


def _message(error: DatabricksError) -> str:
    """Return an error on one line, with the name of the caller, which Databricks does not always include."""
    name = azure_credential().name
    text = text_of(without_secrets(str(error)))
    return f"{text} (called as {name})" if name else text
