"""axe-core finds no fault in the report and in each view of the dashboard, light and dark, wide and narrow."""

import pytest
from playwright.sync_api import expect

from d2c.report.page import render_report
from tests.unit.reports import whole_report

from .axe import faults_of

SHOP = "#/migrations/shop"
# No rule of the stylesheets depends on both, so the two looks have all that any look has.
LOOKS = ((1200, "light"), (390, "dark"))
ESTIMATE = [
    {"what": "items", "unit": "items", "estimated": 5_000, "actual": 5_000},
    {"what": "load", "unit": "seconds", "estimated": 90, "actual": 95.5},
    {"what": "DynamoDB: export", "unit": "USD", "estimated": 0.1, "actual": None},
]

in_each_look = pytest.mark.parametrize(("width", "scheme"), LOOKS)


@in_each_look
def test_the_report_has_no_fault(browser, tmp_path, width, scheme):
    report, path = whole_report(), tmp_path / "report.html"
    report["tables"][0]["estimate"] = ESTIMATE
    path.write_text(render_report({**report, "estimate": ESTIMATE, "error": report["tables"][1]["error"]}))
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(path.as_uri())
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert faults_of(page) == []
    page.close()


def test_a_table_too_wide_for_the_report_scrolls_by_keyboard(browser):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_content(render_report(whole_report()))
    tables = page.get_by_role("group", name="Tables", exact=True)
    assert tables.evaluate("one => one.scrollWidth > one.clientWidth")
    page.keyboard.press("Tab")
    expect(tables).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    page.close()


@pytest.fixture
def view(full, open_page, width, scheme):
    """Open a view of the dashboard in the look of the test."""

    def open_view(fragment):
        return open_page(fragment, viewport={"width": width, "height": 844}, color_scheme=scheme)

    return open_view


@in_each_look
@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("", "night-3"),
        ("#/migrations/running", "Stuck"),
        (f"{SHOP}/tables/Orders", "RU/s during load"),
        ("#/migrations/running/tables/Runs", "No data yet"),
        ("#/migrations/running/tables/Stuck", "Stalled in copy"),
    ],
)
def test_a_view_of_the_dashboard_has_no_fault(view, fragment, text):
    page = view(fragment)
    expect(page.get_by_role("main")).to_contain_text(text)
    page.locator("details").evaluate_all("all => all.slice(0, 2).forEach(one => { one.open = true; })")
    assert faults_of(page) == []


@in_each_look
def test_what_an_action_led_to_has_no_fault(view, app):
    page = view(SHOP)
    page.get_by_role("button", name="Retry 2 tables").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many rejected items")
    assert faults_of(page) == []
    app.refusals.clear()
    page.get_by_role("button", name="Retry 2 tables").click()
    expect(page.locator("#said")).to_be_visible()
    assert faults_of(page) == []


@in_each_look
def test_the_dialogs_have_no_fault(view, app):
    page = view("#/migrations/running")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("dialog", name="Cancel migration running?")).to_be_visible()
    assert faults_of(page) == []
    app.key = "secret"
    page = view("")
    expect(page.get_by_role("dialog", name="Function key")).to_be_visible()
    assert faults_of(page) == []


@in_each_look
def test_the_empty_list_and_an_unknown_address_have_no_fault(view, app):
    app.begin()
    page = view("")
    expect(page.get_by_role("main")).to_contain_text("No migration has been started yet.")
    assert faults_of(page) == []
    page = view("#/migrations/other")
    expect(page.get_by_role("alert")).to_contain_text("Not found")
    assert faults_of(page) == []
