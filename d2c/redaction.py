"""Redacts secrets in texts of other systems: an SDK's error may quote a signed URL or a header."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

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
# Redacting takes time that grows with a text, on the thread that logs it.
MOST_CHARACTERS = 16_384
STARS = "***"
_KEY_OF_CONNECTION = re.compile(
    r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=([^;]+)", re.IGNORECASE
)

_VALUE = r"[^\s&;,'\"<>)\\]+"
# What stands between a name and its value: in JSON, also inside a JSON text; in headers, queries, settings, XML.
_BETWEEN = r"(?:\\{0,3}['\"]?[ \t]{0,8}[:=][ \t]{0,8}|%3D|>)"
# Up to the quote that opened it, or one word.
_QUOTED_OR_WORD = (
    r"(?:(?<=[^\\]\")(?:[^\"\\\n]|\\.)+|(?<=[^\\]')(?:[^'\\\n]|\\.)+|(?<=\\['\"])[^'\"\\\n]+|" + _VALUE + ")"
)
_NAMES = "|".join(
    (
        r"(?:client|shared|webhook)[_-]?secret",
        r"(?:access|refresh|id|session|security|bearer|auth)[_-]?token",
        r"secret[_-]?access[_-]?key",
        r"(?:account|sharedaccess|shared[_-]access|api|subscription|functions|private|master)[_-]?key",
        r"primary(?:readonly)?masterkey|secondary(?:readonly)?masterkey",
        r"sharedaccesssignature|passw(?:or)?d",
    )
)
# A word after "Basic" is a credential only if it looks like one: a digit, a capital inside, or very long.
_LIKE_A_CREDENTIAL = r"(?=[^\s'\"]{0,40}?[0-9=]|[^\s'\"]{0,40}?(?-i:[a-z][A-Z])|[^\s'\"]{32})"
# Each matches the text before a secret, which stays, and the secret. None may look far ahead and then fail: what runs
# over a text again from each of its characters takes the square of its length.
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # a shared access signature, Cosmos DB's own authorization, a signed AWS request
        rf"((?:\bsig|\bSignature|X-Amz-Security-Token)(?:=|%3D))(?:{_VALUE})",
        rf"((?<=%26)sig%3D)(?:{_VALUE})",
        # a key of the Functions host, as in Durable's own URLs
        rf"([?&]code=)(?:{_VALUE})",
        # pairs: JSON, headers, connection strings, queries, XML
        rf"((?:{_NAMES}){_BETWEEN}(?:\\{{0,3}}['\"])?){_QUOTED_OR_WORD}",
        rf"((?:secret|token)(?:=|%3D|\\{{0,3}}['\"][ \t]{{0,8}}:[ \t]{{0,8}})(?:\\{{0,3}}['\"])?){_QUOTED_OR_WORD}",
        # secrets with a recognizable prefix: tokens of Entra ID and of Databricks, secrets of webhooks
        r"(\b(?-i:eyJ))[\w-]{6,}(?:\.[\w-]*){0,4}",
        r"(\bdapi)[0-9a-f]{16,64}(?:-\d{1,4})?",
        r"(\bwhsec_)[\w+/=]{8,}",
        # headers
        rf"(\bAuthorization\\{{0,3}}['\"]?[ \t]{{0,8}}[:=][ \t]{{0,8}}(?:\\{{0,3}}['\"])?"
        rf"(?:(?:Bearer|Basic|SharedKey(?:Lite)?|SharedAccessSignature)(?:[ \t]{{1,8}}|%20|\+))?)(?:{_VALUE})",
        rf"(\b(?:Bearer|Basic|SharedKey(?:Lite)?|SharedAccessSignature)(?:[ \t]{{1,8}}|%20|\+))"
        rf"{_LIKE_A_CREDENTIAL}(?:{_VALUE})",
        # a user's password in an address, and without one
        r"((?<=://)[^\s/@:'\"]{0,128}:)[^\s/@'\"]{1,256}(?=@)",
        r"(?<![\w:/@.%+-])((?!mailto:)[\w.+-]{1,64}:)[^\s/@'\"<>:]{1,128}(?=@[\w-])",
    )
)


def known_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in a process's settings, also as a URL quotes them.

    The longest comes first, since one may contain another.
    """
    return _forms_of(tuple(environment[name] for name in SECRET_SETTINGS if environment.get(name)))


@lru_cache(maxsize=8)
def _forms_of(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to look for in each text that is logged; settings hardly ever change."""
    keys = [key for value in values for key in _KEY_OF_CONNECTION.findall(value)]
    every = {*values, *keys}
    return tuple(sorted({*every, *(quote(value, safe="") for value in every)}, key=len, reverse=True))


def without_secrets(text: str, known: Iterable[str] | None = None) -> str:
    """Return a text with three stars instead of every key, token and signature in it; a very long one is shortened.

    Args:
        text: any.
        known: secrets to replace verbatim, in addition to those that their context reveals; those of this process's
            settings if None.
    """
    for value in known_secrets(os.environ) if known is None else known:
        text = text.replace(value, STARS)
    text = _shortened(text)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{STARS}", text)
    return text


def _shortened(text: str) -> str:
    """Return a text's beginning and its last lines, if it is too long: of a stack trace, both tell something.

    The end begins with a line, since no pattern goes past one: a secret whose name is cut off would not be seen.
    """
    if len(text) <= MOST_CHARACTERS:
        return text
    half = MOST_CHARACTERS // 2
    end = text[-half:].partition("\n")[2]
    begin = text[: half if end else MOST_CHARACTERS]
    return f"{begin}... ({len(text) - len(begin) - len(end):,} characters are left out) ...\n{end}"
