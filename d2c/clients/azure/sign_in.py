"""Signing in to Azure: one Entra ID credential for all services, and the translation of SDK errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
)

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.answers import MOST_TEXT_CHARACTERS, ODD_ANSWER, odd_answer, text_of
from d2c.clients.azure.identity import azure_credential as azure_credential
from d2c.clients.azure.identity import name_in_headers
from d2c.clients.azure.refusals import find_refusal, most_specific_line
from d2c.clients.azure.transport import pooled_transport
from d2c.errors import PermanentError, TransientError
from d2c.redaction import without_secrets


def management_arguments(settings: Settings, credential: TokenCredential | None = None) -> dict[str, Any]:
    """Return the common arguments of all management clients: credential (None: the app's), endpoint and retries."""
    return {
        "credential": credential or azure_credential(),
        "subscription_id": settings.subscription_id,
        "base_url": settings.management_endpoint,
        "credential_scopes": [f"{settings.management_endpoint}/.default"],
        **retries.CORE,
        "transport": pooled_transport(**retries.CORE),
        "retry_policy": retries.ShortRetryPolicy(**retries.CORE),
    }


@contextmanager
def azure_errors(thing: str) -> Iterator[None]:
    """Turn an error of an Azure SDK into a PermanentError or a TransientError.

    Args:
        thing: the subject of the call, such as ``Cosmos DB container shop/music``.
    """
    try:
        yield
    except ClientAuthenticationError as error:
        # Without a status there was no identity to sign in with.
        raise _error_of_answer(thing, error, error.status_code or 401) from error
    except HttpResponseError as error:
        # Without a status the response was interrupted.
        if error.status_code is not None:
            raise _error_of_answer(thing, error, error.status_code) from error
        raise _no_answer(thing, error) from error
    except AzureError as error:
        raise _no_answer(thing, error) from error
    except ODD_ANSWER as error:
        raise odd_answer(thing, error) from error


def _error_of_answer(thing: str, error: HttpResponseError, status: int) -> PermanentError | TransientError:
    """Return the error for a response; a success status means that an accepted operation failed later."""
    text = f"{_text(error)}\n{getattr(error, 'error_code', None) or ''}"
    refusal = find_refusal(text)
    cause = text_of(without_secrets(most_specific_line(text, refusal)))
    call = _call_of(error) if refusal or status in STATUSES_WITH_CALL else ""
    detail = f"{thing}: the service answered {status}: {cause}{call}"
    if status < 400:
        detail = f"{thing}: the operation failed: {cause}"
    if status in TRANSIENT_STATUSES or status >= 500 or (status in (409, 412) and IN_PROGRESS in cause):
        return TransientError(detail, "Retrying. If it keeps failing, see Azure's service health.")
    if refusal:
        return PermanentError(f"{thing}: {refusal.meaning}: {cause}{call}", refusal.next_step)
    if isinstance(error, ClientAuthenticationError):
        return PermanentError(
            f"{thing}: Azure rejected the app's identity: {cause}{call}",
            NEXT_STEPS[401],
        )
    return PermanentError(detail, NEXT_STEPS.get(status, DEFAULT_NEXT_STEP))


def _call_of(error: HttpResponseError) -> str:
    """Return the rejected call and its caller, if known, without the query, which may contain a signature."""
    request = getattr(error.response, "request", None)
    if request is None:
        name = azure_credential().name
        return f" (signing in as {name})" if name else ""
    name = name_in_headers(request.headers)
    return f" ({request.method} {request.url.partition('?')[0]}{' as ' if name else ''}{name})"


def _no_answer(thing: str, error: Exception) -> TransientError:
    text = _text(error)
    return TransientError(
        f"{thing}: no complete response: {text_of(without_secrets(most_specific_line(text, None)))}",
        "Retrying. Check the network and the endpoint.",
    )


DEFAULT_NEXT_STEP = "See Azure's documentation of this error, fix its cause, then try again."
NEXT_STEPS = {
    401: "Check the app's managed identity and its role assignments (docs/install/permissions.md).",
    403: "Grant the app's managed identity the role that this call needs (docs/install/permissions.md).",
    404: "Check the name in the settings or the plan, and that the resource exists.",
}
TRANSIENT_STATUSES = (408, 429, 449)
# Errors of these statuses name call and caller, as every refusal does: access is missing, or a limit is exceeded.
STATUSES_WITH_CALL = (401, 403, 429)
# Cosmos DB's management plane runs one operation at a time on an account: "There is another user operation in progress
# which requires an exclusive lock". https://github.com/hashicorp/terraform-provider-azurerm/issues/15842
IN_PROGRESS = "operation in progress"


def _text(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error)[: 8 * MOST_TEXT_CHARACTERS]
    return text.strip() or type(error).__name__
