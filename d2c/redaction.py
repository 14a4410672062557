"""Keeping secrets out of texts that others wrote: an SDK's error may quote a signed address or a header."""

import re

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
        # headers
        rf"(\b(?:Bearer|Basic|SharedKey|SharedAccessSignature)\s+)({_VALUE})",
        r"(\bAuthorization['\"]?\s*[:=]\s*['\"]?)(?!Bearer |Basic |SharedKey )([^\s'\"]+)",
    )
]


def without_secrets(text: str) -> str:
    """Return a text with three stars in the place of every key, token and signature that it quotes."""
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text
