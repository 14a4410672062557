"""The report's page as the app answers with it, in a real browser."""

import pytest

from d2c.report.page import render_report
from tests.unit.reports import whole_report
from triggers.answers import HEADERS, page_answer

REPORT = "http://app.example/api/migrations/m/report?code=a-key"
PLANTED = (
    "<script>document.title = 'it ran'</script>"
    "<img src='http://evil.example/pixel'>"
    "<svg onload=\"document.title = 'it ran'\"></svg>"
)


@pytest.fixture
def opened(browser):
    """Open the report's page, into which somebody put more; the result is the page and what it asked for."""
    asked = []
    page = browser.new_page()

    def answer(route):
        asked.append(route.request.url)
        html = render_report(whole_report()).replace("</body>", f"{PLANTED}</body>")
        told = page_answer(html.encode())
        route.fulfill(body=html, headers={**HEADERS, **dict(told.headers), "Content-Type": "text/html"})

    page.route("**/*", answer)
    page.goto(REPORT)
    yield page, asked
    page.close()


def test_nothing_that_got_into_a_report_runs_or_asks_for_anything(opened):
    page, asked = opened
    assert page.title() != "it ran"
    assert asked == [REPORT]


def test_the_report_has_its_own_styles(opened):
    page, _ = opened
    body = page.locator("body")
    assert body.evaluate("body => getComputedStyle(body).fontFamily") not in ("", "Times New Roman")
    assert (
        page.locator("table").first.evaluate("table => getComputedStyle(table).borderCollapse") == "collapse"
    )
