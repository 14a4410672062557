"""What a reader can have done, with the mouse or by keyboard, and how refusals are told."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.contract.polling import wait_until

from .answers import ago, migration, report, table

SHOP = "#/migrations/shop"
ORDERS = f"{SHOP}/tables/Orders"
REFUSAL = {
    "status": 409,
    "title": "The request conflicts with existing state",
    "detail": "verify-1 of migration shop is running.",
    "next_step": "Ask again once it has ended.",
}


@pytest.fixture
def failed(app):
    found = migration(
        "shop", [table("Orders", "failed"), table("Carts", "cancelled"), table("Prices")], "failed"
    )
    app.add(found, report(found))
    return found


@pytest.fixture
def running(app):
    found = migration("shop", [table("Orders", "running"), table("Carts", "pending")])
    app.add(found)
    return found


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_all_that_failed_or_was_cancelled_is_retried_and_the_state_read_anew(app, failed, open_page):
    page = open_page(SHOP)
    expect(page.get_by_role("button", name="Retry 2 tables")).to_be_visible()
    failed |= {"state": "running", "finished_at": None}
    press(page, "Retry 2 tables")
    expect(page.get_by_role("button", name="Suspend")).to_be_visible()
    assert app.calls == [("shop", "retry", None)]
    expect(page.get_by_role("status").filter(has_text="Retry of migration shop was accepted.")).to_have_count(
        1
    )


@pytest.mark.parametrize("fragment", [SHOP, ORDERS])
def test_one_table_is_retried_alone(app, failed, open_page, fragment):
    page = open_page(fragment)
    press(page, "Retry this table: Orders")
    expect(page.get_by_text("Retry of table Orders was accepted.").first).to_be_visible()
    assert app.calls == [("shop", "retry", {"tables": [{"table": "Orders"}]})]


def test_nothing_is_retried_while_the_migration_or_a_replay_of_it_runs(app, open_page):
    tables = [table("Orders", "failed"), table("Carts", "running")]
    app.add(migration("shop", tables))
    replay = {"operation": "replay", "number": 2, "state": "running", "started_at": ago(minutes=1)}
    operations = [{**replay, "finished_at": None, "error": None}]
    app.add(migration("moved", [table("Orders", "failed")], "failed", operations=operations))
    for name in ("shop", "moved"):
        page = open_page(f"#/migrations/{name}")
        expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        assert page.get_by_role("button", name=re.compile("Retry")).count() == 0


def test_a_cancellation_is_asked_about_first(app, running, open_page):
    page = open_page(SHOP)
    press(page, "Cancel…")
    dialog = page.get_by_role("dialog", name="Cancel migration shop?")
    expect(dialog).to_contain_text("Documents that were written stay.")
    expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel…")).to_be_focused()
    press(page, "Cancel…")
    press(page, "Keep it running")
    assert app.calls == []
    press(page, "Cancel…")
    press(page, "Cancel it")
    expect(page.get_by_text("Cancellation of migration shop was accepted.").first).to_be_visible()
    assert app.calls == [("shop", "cancel", None)]


def test_one_table_is_cancelled_alone(app, running, open_page):
    page = open_page(ORDERS)
    press(page, "Cancel this table…")
    press(page, "Cancel it")
    expect(page.get_by_text("Cancellation of table Orders was accepted.").first).to_be_visible()
    assert app.calls == [("shop", "cancel", {"tables": ["Orders"]})]


def test_a_replay_that_runs_is_cancelled(app, open_page):
    replay = {"operation": "replay", "number": 2, "state": "running", "started_at": ago(minutes=1)}
    operations = [{**replay, "finished_at": None, "error": None}]
    app.add(migration("shop", [table("Orders")], "succeeded", operations=operations))
    page = open_page(SHOP)
    press(page, "Cancel replay 2…")
    expect(page.get_by_role("dialog")).to_contain_text("Records, report and documents stay as they are")
    press(page, "Cancel it")
    wait_until(lambda: app.calls == [("shop", "cancel", None)])


def test_a_migration_is_suspended_and_goes_on(app, running, open_page):
    page = open_page(SHOP)
    expect(page.get_by_role("button", name="Suspend")).to_be_visible()
    running["paused"] = True
    press(page, "Suspend")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    running["paused"] = False
    press(page, "Resume")
    expect(page.get_by_role("button", name="Suspend")).to_be_visible()
    assert app.calls == [("shop", "suspend", None), ("shop", "resume", None)]


def test_a_refusal_is_told_with_its_next_step_until_it_is_dismissed(app, failed, open_page):
    app.refusals["POST", "migrations/shop/retry"] = {**REFUSAL, "faults": ["tables.0: one", "tables.1: two"]}
    page = open_page(SHOP, viewport={"width": 1200, "height": 400})
    press(page, "Retry 2 tables")
    alert = page.get_by_role("alert")
    assert page.evaluate("scrollTo(0, 2000), scrollY") > 100
    expect(page.get_by_role("button", name="Dismiss")).to_be_in_viewport()
    for text in (REFUSAL["title"], REFUSAL["detail"], REFUSAL["next_step"], "tables.1: two"):
        expect(alert).to_contain_text(text)
    press(page, "Dismiss")
    expect(alert).to_be_empty()


def test_everything_can_be_done_by_keyboard(app, failed, open_page):
    page = open_page()
    expect(page.get_by_role("link", name="shop")).to_be_visible()
    tab_to(page, "shop")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_focused()
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    tab_to(page, "failed")
    assert outline_of_focus(page) != "0px"
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Carts")).to_have_count(0)
    tab_to(page, "Orders")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("Orders")
    expect(page.get_by_role("list", name="Rejected items")).to_be_visible()
    tab_to(page, "missing_key")
    page.keyboard.press("Enter")
    expect(page.get_by_text("which binary64 does not keep").first).to_be_visible()
    page.keyboard.press("Shift+Tab")
    heading.focus()
    tab_to(page, "Retry this table")
    page.keyboard.press("Space")
    wait_until(lambda: app.calls == [("shop", "retry", {"tables": [{"table": "Orders"}]})])


def tab_to(page, text):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText ?? ''").strip().startswith(text):
            return
    raise AssertionError(f"Tab does not lead to {text}")


def outline_of_focus(page):
    return page.evaluate("getComputedStyle(document.activeElement).outlineWidth")


def test_the_first_tab_leads_past_the_frame(app, failed, open_page):
    page = open_page(SHOP)
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.url.endswith(SHOP)


def test_a_key_is_asked_for_once_and_travels_in_a_header_only(app, failed, open_page):
    app.key = "s3cret/key=="
    page = open_page(SHOP)
    dialog = page.get_by_role("dialog", name="Function key")
    expect(dialog.get_by_label("Key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The app rejected that key.")
    page.keyboard.type(app.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    page.get_by_role("link", name="Orders").click()
    expect(page.get_by_role("table", name="Stages with their times")).to_be_visible()
    page.reload()
    expect(page.get_by_role("table", name="Stages with their times")).to_be_visible()
    expect(dialog).to_have_count(0)
    assert app.requests[-1].headers["x-functions-key"] == app.key
    assert not [one for one in app.requests if "cret" in str(one.url)]
    assert "cret" not in page.content()


def test_whoever_gives_no_key_is_not_asked_again_until_they_want_to(app, failed, open_page):
    app.key = "secret"
    page = open_page(SHOP, with_clock=True)
    press(page, "Not now")
    expect(page.get_by_role("alert")).to_contain_text("A function key is needed")
    page.clock.fast_forward(120_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "Refresh")
    page.get_by_role("textbox", name="Key").fill("secret")
    press(page, "Continue")
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_the_report_is_a_link_or_where_a_key_is_needed_a_file(app, failed, open_page):
    page = open_page(SHOP)
    link = page.get_by_role("link", name="Report")
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value).to_have_title("Report")
    app.key = "secret"
    page = open_page(SHOP)
    page.get_by_role("textbox", name="Key").fill("secret")
    press(page, "Continue")
    with page.expect_download() as download:
        link = page.get_by_role("link", name="Report")
        link.click()
    assert download.value.suggested_filename == "shop-report.html"
    assert "<title>Report" in Path(download.value.path()).read_text()
