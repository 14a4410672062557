"""The one door for what a caller sends: its origin, body, parameters and ids are held to bounds before all else."""

import re
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from d2c.api.routes import JSON, PARAMETERS
from d2c.control import checks, migrations
from d2c.errors import RefusedError
from d2c.foreign_json import quoted
from d2c.plan.fields import NAME

# The methods that change nothing (RFC 9110, section 9.2.1).
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# A browser sends it from another site only where the app's CORS settings allow that site.
KEY_HEADER = "x-functions-key"
OWN_SITES = ("same-origin", "none")


class ForeignOriginError(RefusedError):
    """A call that a page of another site made with the rights of its reader."""

    default_title = "The call comes from a page of another site"


class TooLargeError(RefusedError):
    """A body beyond its bound."""

    default_title = "The body is too large"


class MediaTypeError(RefusedError):
    """A body of another media type than JSON."""

    default_title = "The body is not declared as JSON"


def check_origin(req: func.HttpRequest) -> None:
    """Refuse a call that changes something and that a page of another site has a browser send.

    Behind a sign-in by cookies, such as App Service authentication, a browser adds the reader's cookie to it.
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header

    Raises:
        ForeignOriginError: if it is such a call.
    """
    if req.method in SAFE_METHODS or KEY_HEADER in req.headers or _is_own(req):
        return
    raise ForeignOriginError(
        "A browser sent this call for a page of another site.",
        f"Use the app's own dashboard, or send the function key in the header {KEY_HEADER}.",
    )


def _is_own(req: func.HttpRequest) -> bool:
    site, origin = req.headers.get("sec-fetch-site"), req.headers.get("origin")
    if site is not None:
        return site in OWN_SITES
    return origin is None or _host_of(origin) == _host_of(req.url)


def _host_of(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].lower()


def body_of(req: func.HttpRequest, most_bytes: int) -> bytes:
    """Return the body of a call.

    Args:
        req: the call.
        most_bytes: the most that it may have.

    Raises:
        TooLargeError: if it has more.
        MediaTypeError: if there is one and it is not declared as JSON.
    """
    body: bytes = req.get_body()
    media_type = req.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(body) > most_bytes:
        raise TooLargeError(
            f"The body has {len(body):,} bytes, and may have at most {most_bytes:,}.", "Send a smaller one."
        )
    if body and media_type != JSON:
        raise MediaTypeError(
            f"The body is declared as {quoted(media_type)}.", f"Send it with `Content-Type: {JSON}`."
        )
    return body


def parameters_of(req: func.HttpRequest, function: str) -> Mapping[str, Any]:
    """Return the query parameters of a call by their names, with the defaults of those that are left out.

    Args:
        req: the call.
        function: the function that handles it; `d2c.api.routes` has its parameters.

    Raises:
        RefusedError: if one of them has a fault.
    """
    return {name: one.read(req.params.get(name)) for name, one in PARAMETERS[function].items()}


def migration_of(req: func.HttpRequest) -> str:
    """Return the migration's id in the path of a call.

    Raises:
        NotFoundError: if no migration can have it.
    """
    migration: str = req.route_params["id"]
    migrations.check_id(migration)
    return migration


def check_of(req: func.HttpRequest) -> str:
    """Return the check's id in the path of a call.

    Raises:
        NotFoundError: if no check can have it.
    """
    check: str = req.route_params["id"]
    checks.refuse_impossible(check)
    return check


def logged_id(req: func.HttpRequest) -> str | None:
    """Return the id in the path of a call for the fields of log lines; None if no migration can have it."""
    identity = req.route_params.get("id", "")
    return identity if re.fullmatch(NAME, identity) else None
