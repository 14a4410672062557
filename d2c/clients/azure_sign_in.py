"""Signing in to Azure: one credential of Entra ID for everything, and what its SDKs' errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import DefaultAzureCredential

from d2c.errors import StageError, TransientError
from d2c.settings import Settings

# Few retries inside the SDK: an activity returns soon, and the orchestrator waits and tries again.
SDK_RETRIES: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.4, "connection_timeout": 10}


@cache
def azure_credential() -> TokenCredential:
    """Return the app's own identity: managed identity on Azure, a developer's sign-in elsewhere."""
    return DefaultAzureCredential()


class _FixedTokenPolicy(SansIOHTTPPolicy[Any, Any]):
    """Sends a fixed bearer token; azure-core's own policy refuses to, over plain HTTP."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


class _FixedTokenCredential:
    """Satisfies an SDK that asks for a credential although its policy sends the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self._token, 2**31)


def management_arguments(settings: Settings) -> dict[str, Any]:
    """Return the arguments that every management client takes: who calls, where, with how much patience.

    The fixed token is for the local cloud, whose endpoint is plain HTTP on loopback; settings refuse it elsewhere.
    """
    arguments: dict[str, Any] = {
        "subscription_id": settings.subscription_id,
        "base_url": settings.management_endpoint,
        **SDK_RETRIES,
    }
    if settings.management_token:
        return {
            **arguments,
            "credential": _FixedTokenCredential(settings.management_token),
            "authentication_policy": _FixedTokenPolicy(settings.management_token),
        }
    scope = f"{settings.management_endpoint}/.default"
    return {**arguments, "credential": azure_credential(), "credential_scopes": [scope]}


@contextmanager
def azure_errors(thing: str) -> Iterator[None]:
    """Turn what an Azure SDK raises about a thing into a StageError or a TransientError.

    Args:
        thing: what the call is about, such as ``Cosmos DB container shop/music``.
    """
    try:
        yield
    except ClientAuthenticationError as error:
        raise StageError(
            f"{thing}: Azure did not accept the app's identity: {_first_line(error)}",
            "Check the app's managed identity and its role assignments (docs/permissions.md).",
        ) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        raise TransientError(
            f"{thing}: no answer: {_first_line(error)}",
            "It is tried again; check the network and the endpoint.",
        ) from error
    except HttpResponseError as error:
        detail = f"{thing}: the service answered {error.status_code}: {_first_line(error)}"
        if error.status_code in (408, 429, 449) or (error.status_code or 0) >= 500:
            raise TransientError(
                detail, "It is tried again; if it persists, see Azure's service health."
            ) from error
        raise StageError(detail, NEXT_STEPS.get(error.status_code or 0, DEFAULT_NEXT_STEP)) from error


DEFAULT_NEXT_STEP = "See Azure's documentation of this error, mend its cause, then try again."
NEXT_STEPS = {
    403: "Grant the app's managed identity the role that this call needs (docs/permissions.md).",
    404: "Check the name in the settings or the plan, and that the resource exists.",
}


def _first_line(error: Exception) -> str:
    message = getattr(error, "message", None) or str(error)
    return message.strip().splitlines()[0] if message.strip() else type(error).__name__
