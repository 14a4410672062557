"""The dashboard's static files; what it shows it asks the HTTP API for, with the caller's function key."""

import functools
import hashlib
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from d2c.errors import NotFoundError
from triggers.answers import answers_problems

FOLDER = Path(__file__).parent.parent / "dashboard"
PAGE = "index.html"
TYPES = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
# Only these files are served, whatever a path says.
FILES = (
    PAGE,
    "icon.svg",
    "style.css",
    "parts.css",
    "actions.js",
    "api.js",
    "chart.js",
    "dialogs.js",
    "dom.js",
    "format.js",
    "live.js",
    "main.js",
    "migration_view.js",
    "migrations_view.js",
    "parts.js",
    "pipeline.js",
    "rejected_view.js",
    "router.js",
    "samples.js",
    "status.js",
    "table_rows.js",
    "table_view.js",
    "throughput.js",
)
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
# A file is asked for again each time, and answered with 304 where it is the same: after a deployment no old module
# meets a new one.
HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)

blueprint = df.Blueprint()


@blueprint.route(route="dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers_problems
async def show_dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """Return the page."""
    path = urlsplit(req.url).path
    return _to_the_page() if path.endswith("/") else _answer(PAGE, req)


@blueprint.route(route="dashboard/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers_problems
async def show_dashboard_file(req: func.HttpRequest) -> func.HttpResponse:
    """Return one of the page's files."""
    name = req.route_params.get("path")
    if not name:
        return _to_the_page()
    if name not in FILES:
        raise NotFoundError("The dashboard has no such file.", "Open /api/dashboard.")
    return _answer(name, req)


def _to_the_page() -> func.HttpResponse:
    """Lead from the address with a slash at its end to the one that the page's own links are relative to."""
    return func.HttpResponse(status_code=308, headers={**HEADERS, "Location": "../dashboard"})


def _answer(name: str, req: func.HttpRequest) -> func.HttpResponse:
    content, tag = _file(name)
    headers = {**HEADERS, "ETag": tag}
    if _has(req.headers.get("if-none-match", ""), tag):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(content, headers={**headers, "Content-Type": TYPES[Path(name).suffix]})


@functools.cache
def _file(name: str) -> tuple[bytes, str]:
    """Return a file's content and its entity tag."""
    content = (FOLDER / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _has(known_tags: str, tag: str) -> bool:
    """Tell whether a caller has a file already (RFC 9110, section 13.1.2: weak tags compare alike here)."""
    known = [one.strip().removeprefix("W/") for one in known_tags.split(",")]
    return tag in known or known == ["*"]
