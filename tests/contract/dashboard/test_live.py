"""How the page keeps up with what goes on, and how it looks wide, narrow, light and dark."""

import pytest
from playwright.sync_api import expect

from tests.contract.polling import wait_until

from .answers import migration, report, table

SHOP = "#/migrations/shop"
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# Texts whose contrast with what is behind them is below 4.5:1 (WCAG 2.2, 1.4.3), with the contrast.
TOO_PALE = """() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (!text || !element.checkVisibility() || element.disabled) continue;
    const [one, other] = [light(parts(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) found.add(`${text}: ${contrast.toFixed(2)}`);
  }
  return [...found];
}"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_what_changes_is_changed_in_place(app, open_page):
    running = table("Orders", "running", items_written=10)
    app.add(migration("shop", [table("Carts"), running]))
    page = open_page(SHOP, with_clock=True)
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    search = page.get_by_label("Name contains")
    search.fill("o")
    search.focus()
    page.evaluate("document.querySelector('tbody a').mark = document.querySelector('#search').mark = true")
    running["items_written"] = 4321
    page.clock.fast_forward(3000)
    expect(page.get_by_role("row").nth(1)).to_contain_text("4,321")
    assert page.evaluate("document.querySelector('tbody a').mark && document.querySelector('#search').mark")
    expect(search).to_be_focused()
    expect(search).to_have_value("o")


def test_what_is_opened_stays_open_and_focus_stays_when_rows_come_before_it(app, open_page):
    tables = [table(f"T{number}", "failed") for number in range(3)]
    shop = migration("shop", tables, "failed")
    app.add(shop, report(shop))
    app.add(migration("later", [table("Orders", "running")]))
    page = open_page("", with_clock=True)
    link = page.get_by_role("link", name="later")
    link.focus()
    app.migrations.insert(0, migration("newest", [table("Orders", "pending")]))
    page.clock.fast_forward(3000)
    expect(page.get_by_role("link", name="newest")).to_be_visible()
    expect(link).to_be_focused()
    page = open_page(f"{SHOP}/tables/T1", with_clock=True)
    details = page.locator("details").first
    details.locator("summary").click()
    tables[1]["items_written"] = 77
    page.clock.fast_forward(10_000)
    expect(page.get_by_text("77", exact=True)).to_be_visible()
    expect(details).to_have_attribute("open", "")


def test_changes_of_states_are_read_out(app, open_page):
    orders = table("Orders", "running")
    app.add(migration("shop", [orders]))
    page = open_page(SHOP, with_clock=True)
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    news = page.locator("#news")
    expect(news).to_be_empty()
    app.migrations[0] = migration("shop", [table("Orders")], "succeeded")
    page.clock.fast_forward(20_000)
    expect(news).to_have_text("shop: succeeded. Tables: 1 succeeded.")
    expect(news).to_have_attribute("role", "status")


def test_a_page_that_is_not_looked_at_reads_seldom_and_at_once_when_it_is(app, open_page):
    app.add(migration("shop", [table("Orders", "running")]))
    page = open_page(SHOP, with_clock=True)
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    page.evaluate(HIDE, True)
    for _ in range(8):
        before = len(app.requests)
        page.clock.fast_forward(3000)
        page.wait_for_load_state("networkidle")
        if len(app.requests) == before:
            break
    else:
        raise AssertionError("it reads as often as before")
    # One that was under way may end now too.
    page.evaluate(HIDE, False)
    wait_until(lambda: len(app.requests) > before)


def test_an_app_that_is_away_for_a_while_is_told_and_read_again_once_it_is_back(app, open_page):
    app.add(migration("shop", [table("Orders", "running")]))
    app.refusals["GET", "migrations/shop"] = {
        "status": 503,
        "title": "A service did not answer",
        "detail": "The lake is busy.",
        "next_step": "Try again.",
    }
    page = open_page(SHOP, with_clock=True)
    expect(page.get_by_role("alert")).to_contain_text("The lake is busy.")
    app.refusals.clear()
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    page.context.set_offline(True)
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("alert")).to_contain_text("The app cannot be reached")
    expect(page.get_by_role("link", name="Orders")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_is_too_wide_or_too_pale(full, open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    for fragment, text in (
        ("#/migrations", "night-3"),
        ("#/migrations/running", "Stuck"),
        (f"{SHOP}/tables/Orders", "RU/s during load"),
        (SHOP, "replay 2"),
    ):
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        expect(page.get_by_role("main")).to_contain_text(text)
        if fragment == SHOP:
            page.get_by_role("button", name="Retry 2 tables").click()
            expect(page.get_by_role("alert")).to_contain_text("Too many rejected items")
        assert (page.evaluate(TOO_WIDE), page.evaluate(TOO_PALE)) == (0, []), fragment


def test_nothing_moves_for_those_who_want_none_of_it(full, open_page):
    page = open_page("#/migrations/running", reduced_motion="reduce")
    expect(page.get_by_role("link", name="Runs")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
