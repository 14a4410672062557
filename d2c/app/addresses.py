"""Addresses in settings: their hosts, and which of them may be called."""

import re
from urllib.parse import urlsplit

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# As DNS takes it: https://www.rfc-editor.org/rfc/rfc1123#section-2.1
HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.){0,30}[a-z0-9_-]{1,63}|[0-9a-f:.]{2,45}")
USER = re.compile(r"(?:[^/?#]*//)?[^/?#]*@")


def host_of(url: str) -> str | None:
    """Return the host of an address, or None if it has none, or a port that there is not."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts.hostname


def path_of(url: str) -> str:
    """Return the path of an address without the slashes around it."""
    try:
        return urlsplit(url).path.strip("/")
    except ValueError:
        return ""


def has_user(url: str) -> bool:
    """Return whether an address has a user, and maybe a password, before its host."""
    return bool(USER.match(url))


def is_webhook_address(url: str) -> bool:
    """Return whether events may be sent to an address: over TLS, or to this machine."""
    host = host_of(url)
    if not host or not HOST.fullmatch(host):
        return False
    return url.startswith("https:") or (url.startswith("http:") and host in LOOPBACK_HOSTS)
