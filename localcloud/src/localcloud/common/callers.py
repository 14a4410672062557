"""Who may call a service: programs of this machine, and the service's own pages in a browser, but no page of others.

Loopback does not keep a browser out: any page may post to it, and one whose name is made to mean 127.0.0.1 may read
what it answers. https://owasp.org/www-community/attacks/DNS_Rebinding
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def fault_of_caller(host: str | None, origin: str | None) -> str | None:
    """Return why a request is refused, or None.

    Args:
        host: its header ``Host``, by which a browser called the service.
        origin: its header ``Origin``, which browsers add to all that a page sends; None from other programs.
    """
    name = _name(host or "")
    if name not in LOOPBACK_NAMES and not (name or "").endswith(".localhost"):
        return "The local cloud answers to the names of this machine only: call it as 127.0.0.1 or localhost."
    if origin is not None and origin != f"http://{host}":
        return "The local cloud does not answer pages of other origins: open its own pages, or use another program."
    return None


@web.middleware
async def refuse_foreign_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what `fault_of_caller` finds a fault in."""
    fault = fault_of_caller(request.headers.get("Host"), request.headers.get("Origin"))
    if fault:
        return web.json_response({"error": {"code": "ForeignPage", "message": fault}}, status=403)
    return await handler(request)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
