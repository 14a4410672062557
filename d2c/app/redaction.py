"""Redacts secrets in texts of other systems: an SDK's error may quote a signed URL or a header."""

import re
from collections.abc import Iterable, Mapping

# Settings that are a secret or contain one.
SECRET_SETTINGS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AzureWebJobsStorage",
    "D2C_COSMOS_KEY",
    "D2C_KEY",
    "D2C_LAKE",
    "D2C_WEBHOOK_SECRET",
    "D2C_WEBHOOK_URL",
    "DATABRICKS_TOKEN",
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "OTEL_EXPORTER_OTLP_HEADERS",
)
_KEY_OF_CONNECTION = re.compile(
    r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=([^;]+)", re.IGNORECASE
)

_VALUE = r"[^\s&;,'\"<>)]+"
# Each matches the text before a secret, which stays, and the secret.
_SECRETS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # a shared access signature, Cosmos DB's own authorization, a signed AWS request
        rf"((?:\bsig|X-Amz-Signature|X-Amz-Security-Token)(?:=|%3D))({_VALUE})",
        rf"((?<=%26)sig%3D)({_VALUE})",
        # connection strings
        rf"((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|client_secret|secret|token)=)({_VALUE})",
        # a key of the Functions host, as in Durable's own URLs
        rf"([?&]code=)({_VALUE})",
        # secrets with a recognizable prefix: tokens of Entra ID and of Databricks, secrets of webhooks
        r"(\beyJ)([\w-]+\.eyJ[\w-]+\.[\w-]+)",
        r"(\bdapi)([0-9a-f]{32}(?:-\d+)?)",
        r"(\bwhsec_)([\w+/=]{16,})",
        # headers
        rf"(\b(?:Bearer|Basic|SharedKey|SharedAccessSignature)\s+)({_VALUE})",
        rf"(\bx-functions-key['\"]?\s*[:=]\s*['\"]?)({_VALUE})",
        r"(\bAuthorization['\"]?\s*[:=]\s*['\"]?)(?!Bearer |Basic |SharedKey )([^\s'\"]+)",
    )
]


def known_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in a process's settings, the longest first, since one may contain another."""
    values = [environment[name] for name in SECRET_SETTINGS if environment.get(name)]
    keys = [key for value in values for key in _KEY_OF_CONNECTION.findall(value)]
    return tuple(sorted({*values, *keys}, key=len, reverse=True))


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with three stars instead of every key, token and signature in it.

    Args:
        text: any.
        known: secrets to replace verbatim, in addition to those that their context reveals.
    """
    for value in known:
        text = text.replace(value, "***")
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text
