"""A credential for SDKs that has its token already."""

import time
from typing import Any

from azure.core.credentials import AccessToken


class Signed:
    """Hands out one token, whatever is asked for.

    Args:
        token: the token.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, int(time.time()) + 3600)
