"""The dashboard in a real browser, over a substitute of the app."""

import shutil
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.contract.polling import HANG_SECONDS

from .answers import ago, migration, report, table
from .app import SubstituteApp

INSTALL = "There is no Chromium here: apt-get install chromium"
FLAGS = ("--no-sandbox", "--headless", "--disable-gpu", "--disable-dev-shm-usage")
# The browser says so of every call without success; what the page makes of it is for the tests to see.
NO_SUCCESS = "Failed to load resource"
DESKTOP = {"width": 1200, "height": 900}

HANG_MS = HANG_SECONDS * 1000
expect.set_options(timeout=HANG_MS)


def chromium():
    """Return the path of the browser, or None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    """One browser for a module's tests; its loop does not outlive the module, for others bring their own."""
    program = chromium()
    if program is None:
        pytest.skip(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served():
    app = SubstituteApp()
    yield app
    app.close()


@pytest.fixture
def app(served):
    served.begin()
    return served


@pytest.fixture
def open_page(browser, app):
    """Open the dashboard at a fragment; whatever a test does, the page has no errors and asks no other origin."""
    contexts, troubles = [], []
    origin = urlsplit(app.url).netloc

    def on_console(message):
        if message.type in ("error", "warning") and not message.text.startswith(NO_SUCCESS):
            troubles.append(message.text)

    def on_request(request):
        if urlsplit(request.url).scheme != "blob" and urlsplit(request.url).netloc != origin:
            troubles.append(f"asked for {request.url}")

    def on_response(response):
        if response.url.startswith(app.url) and not (response.ok or response.status == 304):
            troubles.append(f"{response.status} for {response.url}")

    def open_at(fragment="", *, with_clock=False, **context_options):
        """With a clock, time stands still on the page but for what `page.clock` is told."""
        context = browser.new_context(**{"viewport": DESKTOP, **context_options})
        context.set_default_timeout(HANG_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", on_request)
        page.on("response", on_response)
        if with_clock:
            now = datetime.now(UTC)
            page.clock.install(time=now)
            page.clock.pause_at(now + timedelta(seconds=1))
        page.goto(app.url + fragment)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def full(app):
    """Migrations with everything that a page can show."""
    stalled = {"stage": "copy", "since": ago(minutes=47), "detail": "Nothing was copied."}
    waiting = {"for": "copy_lane", "until": None, "place": 3}
    tables = [
        table("Orders"),
        table("a-table-with-a-very-long-name-" * 3, "failed"),
        table(
            "Runs", "running", items_exported=9_999_999_999, items_written=8_888_888_888, mismatches=7_777_777
        ),
        table("Stuck", "running", stage="copy", stalled=stalled, waiting=waiting, eta=None),
        table("Ended", "cancelled"),
        table("Waits", "pending"),
    ]
    app.add(migration("running", tables, paused=True, waiting_until=ago(hours=-30)))
    replay = {"operation": "replay", "number": 2, "state": "failed", "started_at": ago(hours=1)}
    error = tables[1]["error"]
    ended = migration(
        "shop",
        [*tables[:2], tables[4]],
        "failed",
        error=error,
        operations=[{**replay, "finished_at": ago(minutes=1), "error": error}],
    )
    app.add(ended, report(ended))
    app.refusals["POST", "migrations/shop/retry"] = {"status": 409, **error}
    for number in range(20):
        app.add(migration(f"night-{number}", [table("Orders")], "succeeded"))
