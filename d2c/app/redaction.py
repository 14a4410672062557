"""Keeping secrets out of texts that others wrote: an SDK's error may quote a signed address or a header."""

import re
from collections.abc import Iterable, Mapping

# Settings whose whole value is a secret, and others that hold one.
SECRET_SETTINGS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AzureWebJobsStorage",
    "D2C_COSMOS_KEY",
    "D2C_KEY",
    "D2C_LAKE",
    "D2C_MANAGEMENT_TOKEN",
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
# Each finds what goes before a secret, which stays, and the secret.
_SECRETS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # a shared access signature, Cosmos DB's own authorization, a signed AWS request
        rf"((?:\bsig|X-Amz-Signature|X-Amz-Security-Token)(?:=|%3D))({_VALUE})",
        rf"((?<=%26)sig%3D)({_VALUE})",
        # connection strings
        rf"((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|client_secret|secret|token)=)({_VALUE})",
        # a key of the Functions host, as in Durable's own addresses
        rf"([?&]code=)({_VALUE})",
        # what tells by itself what it is: tokens of Entra ID and of Databricks, secrets of webhooks
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
    """Return the secrets among a process's settings, the longest first, since one may hold another."""
    values = [environment[name] for name in SECRET_SETTINGS if environment.get(name)]
    keys = [key for value in values for key in _KEY_OF_CONNECTION.findall(value)]
    return tuple(sorted({*values, *keys}, key=len, reverse=True))


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with three stars in the place of every key, token and signature that it quotes.

    Args:
        text: any.
        known: secrets to look for as they are, beside those that their surroundings betray.
    """
    for value in known:
        text = text.replace(value, "***")
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text
