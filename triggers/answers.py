"""HTTP answers: JSON, and errors as ``application/problem+json`` with a title, a detail and the next step."""

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import azure.functions as func
from opentelemetry.trace import StatusCode

from d2c.app.observing import observed
from d2c.control.app import App
from d2c.errors import (
    BodyError,
    ConflictError,
    D2CError,
    NotFoundError,
    PlanError,
    RefusedError,
    TransientError,
)
from d2c.redaction import without_secrets
from triggers.requests import ForeignOriginError, MediaTypeError, TooLargeError, check_origin, logged_id

logger = logging.getLogger(__name__)

# The first class that fits has the status.
STATUS_OF_ERROR: tuple[tuple[type[D2CError], int], ...] = (
    (PlanError, 400),
    (ConflictError, 409),
    (ForeignOriginError, 403),
    (TooLargeError, 413),
    (MediaTypeError, 415),
    (RefusedError, 400),
    (NotFoundError, 404),
    (TransientError, 503),
    (D2CError, 500),
)

# No browser keeps an answer, takes it for something else, tells its address, or lets it load, run or frame anything.
# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
# A page may bring a style along, as the report does. It is data: whatever got into it has no script and no origin.
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
STATUS_LINK = "statusQueryGetUri"
OWN_LINKS = ("report", "cancel", "suspend", "resume", "retry", "rejected", "replay", "verify")

Handler = Callable[..., Awaitable[func.HttpResponse]]


def json_answer(value: Any, status: int = 200) -> func.HttpResponse:
    """Return a value as a JSON answer."""
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


def page_answer(content: bytes) -> func.HttpResponse:
    """Return HTML that has nothing but text and style as an answer."""
    policy = {"Content-Security-Policy": PAGE_POLICY}
    return func.HttpResponse(content, mimetype="text/html", headers=policy)


def links_of(req: func.HttpRequest, app: App, migration: str, instance: str | None = None) -> dict[str, str]:
    """Return our own addresses of a migration, and Durable's of it or of another instance."""
    own = f"{req.url.split('/migrations', 1)[0]}/migrations/{migration}"
    return {
        "self": own,
        **{name: f"{own}/{name}" for name in OWN_LINKS},
        **durable_links(app, instance or migration),
    }


def durable_links(app: App, instance: str) -> dict[str, str]:
    """Return an instance's id, and Durable's address of its status without a key; by `D2C_DURABLE_LINKS` all, with it.

    The key is Durable's system key: who has it can start, end or purge any orchestration.
    """
    links = app.durable.create_http_management_payload(instance)
    if app.settings.durable_links == "keys":
        return links
    address = urlsplit(links[STATUS_LINK])
    query = [(name, value) for name, value in parse_qsl(address.query) if name != "code"]
    return {"id": links["id"], STATUS_LINK: address._replace(query=urlencode(query)).geturl()}


def prefers_html(accept: str) -> bool:
    """Return whether a caller accepts HTML more than JSON, by its ``Accept`` header (RFC 9110, section 12.5.1)."""
    weights = dict(filter(None, map(_weight, accept.split(","))))

    def weight(*ranges: str) -> float:
        return next((weights[name] for name in ranges if name in weights), 0.0)

    html, json_ = weight("text/html", "text/*", "*/*"), weight("application/json", "application/*", "*/*")
    return html > json_


def _weight(media_range: str) -> tuple[str, float] | None:
    """Return a media range and its weight, or None if the weight is no number."""
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    texts = [part.removeprefix("q=") for part in parameters if part.startswith("q=")]
    try:
        return name, float(texts[0]) if texts else 1.0
    except ValueError:
        return None


def problem(error: D2CError) -> func.HttpResponse:
    """Return an error as a problem document (RFC 9457)."""
    status = next(status for kind, status in STATUS_OF_ERROR if isinstance(error, kind))
    body: dict[str, Any] = {"status": status, **error.texts()}
    if isinstance(error, PlanError | BodyError):
        body["faults"] = [without_secrets(fault) for fault in error.faults]
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/problem+json")


def answers_problems(handler: Handler) -> Handler:
    """Make an HTTP function answer with a problem document where it raises one of our errors, and with `HEADERS`."""
    name = handler.__name__

    @functools.wraps(handler)
    async def answer(req: func.HttpRequest, *arguments: Any, **named: Any) -> func.HttpResponse:
        with observed(name, migration=logged_id(req)) as span:
            try:
                check_origin(req)
                answered = await handler(req, *arguments, **named)
            except D2CError as error:
                logger.info("%s is refused: %s", name, error)
                answered = problem(error)
            except Exception:
                logger.exception("%s failed unexpectedly", name)
                span.set_status(StatusCode.ERROR, "unexpectedly")
                answered = problem(_unexpected())
            else:
                if req.method != "GET":
                    logger.info("%s answered %s", name, answered.status_code)
        for header, value in HEADERS.items():
            answered.headers.setdefault(header, value)
        return answered

    return answer


def _unexpected() -> D2CError:
    return D2CError(
        "The app met an error that it did not expect.", "See the app's log.", title="Unexpected error"
    )
