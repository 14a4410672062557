"""What the dashboard shows of migrations, tables, rejected items and mismatches."""

import re

import pytest
from playwright.sync_api import expect

from tests.contract.polling import wait_until

from .answers import ERROR, MARKUP, REJECTED, ago, migration, report, table

SHOP = "#/migrations/shop"


def names_in(page):
    return page.locator("tbody th a").all_inner_texts()


def stages_in(page, table):
    """Return what each stage's picture says in words."""
    return page.get_by_role("list", name=f"Stages of {table}").get_by_role("listitem").all_text_contents()


def test_migrations_are_listed_newest_first_with_how_far_those_are_that_run(app, open_page):
    app.add(migration("second", [table("Orders", "running")], percent=47))
    app.add(migration("first", [table("Orders")], "succeeded"))
    page = open_page()
    expect(page.get_by_role("row")).to_have_count(3)
    assert names_in(page) == ["second", "first"]
    expect(page.get_by_role("row").nth(1)).to_contain_text(re.compile(r"running.*47 %.*so far"))
    expect(page.get_by_role("progressbar", name="Progress of second")).to_have_attribute("value", "47")
    expect(page.get_by_role("row").nth(2)).to_contain_text(re.compile("succeeded.*3 h 7 min"))
    assert page.title() == "Migrations – d2c"  # noqa: RUF001 - the page's dash


def test_older_migrations_are_on_the_next_page(app, open_page):
    for number in range(25):
        app.add(migration(f"night-{number:02}", [table("Orders")], "succeeded"))
    page = open_page()
    expect(page.get_by_role("link", name="night-00")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_role("link", name="night-20")).to_be_visible()
    assert len(names_in(page)) == 5
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    page.get_by_role("button", name="Newer").click()
    expect(page.get_by_role("link", name="night-00")).to_be_visible()


def test_where_there_is_no_migration_the_page_says_how_to_start_one(open_page):
    expect(open_page().get_by_role("main")).to_contain_text("d2c start plan.json")


def test_a_migration_is_told_with_totals_progress_and_time_of_arrival(app, open_page):
    tables = [table("Orders"), table("Carts", "running"), table("Prices", "pending")]
    app.add(migration("shop", tables, percent=47, eta=ago(minutes=-90)))
    page = open_page(SHOP)
    expect(page.get_by_role("heading", level=1)).to_have_text("shop")
    main = page.get_by_role("main")
    for text in ("Items exported86,400", "Documents written25,320", "Items rejected25", "47 %"):
        expect(main).to_contain_text(text)
    expect(main).to_contain_text(re.compile(r"ends about [\d-]* ?\d\d:\d\d UTC, in 1 h (29|30) min"))
    expect(page.get_by_role("navigation", name="Tables by state").get_by_role("link")).to_have_text(
        ["all3", "running1", "pending1", "succeeded1", "failed0", "cancelled0"]
    )


def test_how_far_a_stage_is_stands_at_its_bar_and_on_the_page_of_its_table(app, open_page):
    names = ("items", "items_total", "bytes", "bytes_total", "items_per_second", "bytes_per_second")
    pace = dict(zip(names, (412_000, 1_234_567, 40_000_000, 120_000_000, 3120.4, 300_000), strict=True))
    app.add(migration("shop", [table("Carts", "running", progress=pace), table("Orders", "running")]))
    text = "412,000 of 1,234,567 items, 38.1 MB of 114.4 MB, 3,120 items/s"
    page = open_page(SHOP)
    expect(page.get_by_text(text)).to_have_count(1)
    page.get_by_role("link", name="Carts").click()
    expect(page.get_by_text(text)).to_have_count(1)


def test_what_holds_a_migration_back_is_told(app, open_page):
    until = ago(hours=-5)
    app.add(migration("shop", [table("Orders", "pending")], paused=True, waiting_until=until, eta=None))
    main = open_page(SHOP).get_by_role("main")
    expect(main).to_contain_text("Suspended. Running stages finish; no new stage starts.")
    expect(main).to_contain_text(f"{until[11:16]} UTC")


def test_each_stage_has_a_picture_that_says_in_words_how_it_stands(app, open_page):
    stalled = {"stage": "copy", "since": ago(minutes=47), "detail": "Nothing was copied."}
    tables = [
        table("Done"),
        table("Runs", "running"),
        table("Stuck", "running", stage="copy", stalled=stalled, eta=None),
        table("Broken", "failed"),
        table("Ended", "cancelled"),
        table("Waits", "pending"),
    ]
    app.add(migration("shop", tables))
    page = open_page(SHOP)
    expect(page.get_by_role("row")).to_have_count(9)
    assert stages_in(page, "Done")[-1] == "report: done"
    assert stages_in(page, "Runs")[3:6] == ["assess: done", "load: running", "verify: not started"]
    assert stages_in(page, "Stuck")[:3] == ["export: done", "copy: stalled", "prepare: not started"]
    assert stages_in(page, "Broken")[2:5] == ["prepare: done", "assess: failed", "load: not started"]
    assert stages_in(page, "Ended")[1] == "copy: cancelled"
    assert set(stages_in(page, "Waits")) == {
        f"{one}: not started" for one in ["export", "copy", "prepare", "assess", "load", "verify", "report"]
    }
    shapes = page.locator("ol.pipeline .outline").evaluate_all(
        "all => [...new Set(all.map(o => o.getAttribute('d')))]"
    )
    assert len(shapes) == 5  # done and running differ by what is drawn on them
    expect(page.get_by_role("main")).to_contain_text("Stalled in copy for 47 min: Nothing was copied.")


def test_a_failed_table_tells_why_and_what_to_do(app, open_page):
    app.add(migration("shop", [table("Orders", "failed")], "failed"))
    for fragment in (SHOP, f"{SHOP}/tables/Orders"):
        main = open_page(fragment).get_by_role("main")
        for text in (f"{ERROR['title']} (stage assess)", ERROR["detail"], ERROR["next_step"]):
            expect(main).to_contain_text(text)


def test_what_a_table_waits_for_is_told(app, open_page):
    waiting = {"for": "copy_lane", "until": None, "place": 3}
    app.add(migration("shop", [table("Orders", "running", stage="copy", waiting=waiting)]))
    expect(open_page(SHOP).get_by_role("main")).to_contain_text(
        "Waiting for its copy to begin, number 3 in the queue."
    )


def test_the_stage_that_holds_a_migration_back_is_told(app, open_page):
    idle = {"lanes": 0, "busy": 0, "waiting": 0}
    stages = {"export": idle, "copy": idle, "load": {"lanes": 4, "busy": 4, "waiting": 1160}}
    tables = [table("Orders", "running")]
    app.add(migration("shop", tables, stages=stages, held_back_by="load"))
    expect(open_page(SHOP).get_by_role("main")).to_contain_text(
        "1,160 tables wait for load, which runs 4 at once."
    )


def test_a_click_on_a_count_shows_the_tables_in_that_state(app, open_page):
    tables = [table(f"Done{number}") for number in range(120)] + [table("Broken", "failed")]
    app.add(migration("shop", tables, "failed"))
    page = open_page(SHOP)
    expect(page.get_by_role("link", name="Done0", exact=True)).to_be_visible()
    page.get_by_role("link", name="failed 1").click()
    expect(page.get_by_role("link", name="Done0", exact=True)).to_have_count(0)
    assert names_in(page) == ["Broken"]
    assert page.url.endswith("?state=failed")
    expect(page.get_by_role("link", name="failed 1")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("link", name="failed 1")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("link", name="Done0", exact=True)).to_be_visible()


@pytest.fixture
def many(app, open_page):
    """The page of a migration of 250 tables, and its rows."""
    app.add(migration("shop", [table(f"T{number:03}", "pending") for number in range(250)]))
    page = open_page(SHOP)
    # By their place, for finding hundreds by their roles takes long.
    rows = page.locator("tbody th a")
    expect(rows).to_have_count(100)
    return page, rows


def press(page, text):
    page.locator("button", has_text=text).click()


def test_hundreds_of_tables_come_a_hundred_at_a_time(many):
    page, rows = many
    press(page, "Show 100 more tables")
    expect(rows).to_have_count(200)
    press(page, "Show 50 more tables")
    expect(rows).to_have_count(250)
    expect(rows.last).to_have_text("T249")
    expect(page.locator("button", has_text="more tables")).to_have_count(0)


def test_tables_are_found_by_their_names_among_those_that_are_shown(many):
    page, rows = many
    page.locator("#search").press_sequentially("t01")
    expect(rows).to_have_text([f"T01{number}" for number in range(10)])
    expect(page.get_by_role("main")).to_contain_text("10 of 250, the first 100 searched")
    press(page, "Show all 250 tables")
    page.locator("#search").fill("T20")
    expect(rows).to_have_text([f"T20{number}" for number in range(10)])
    page.locator("#search").fill("nothing")
    expect(page.get_by_role("main")).to_contain_text("No table shown matches.")


@pytest.fixture
def ended(app):
    """A migration that has ended, with everything to be seen of a table."""
    found = migration("shop", [table("Orders", mismatches=63), table("Carts")], "succeeded")
    app.add(found, report(found))
    return found


def test_a_table_has_stages_with_their_times_and_throughput_over_time(ended, open_page):
    page = open_page(f"{SHOP}/tables/Orders")
    expect(page.get_by_role("heading", level=1)).to_have_text("Orders")
    rows = page.get_by_role("table", name="Stages with their times").get_by_role("row")
    expect(rows).to_have_count(8)
    expect(rows.nth(5)).to_have_text("loadsucceeded5 min 3 s2026-06-01 12:10:05")
    main = page.get_by_role("main")
    for text in ("RU/s before400", "RU/s during load20,000", "RU/s after1,000", "on average16"):
        expect(main).to_contain_text(text)
    chart = page.get_by_role("img", name="Provisioned RU/s: 400 before, 20,000 during the load, 1,000 after.")
    points = chart.locator("polyline").get_attribute("points").split()
    assert [point.split(",")[1] for point in points] == ["98", "98", "0", "0", "95", "95"]
    expect(main).to_contain_text("Container shop/orders")


def test_a_running_table_is_charted_by_what_the_page_has_seen(app, open_page):
    running = table("Orders", "running", items_written=20_000)
    app.add(migration("shop", [running]))
    page = open_page(f"{SHOP}/tables/Orders", with_clock=True)
    main = page.get_by_role("main")
    expect(main).to_contain_text("the chart starts when documents are written")
    running["items_written"] = 26_000
    page.clock.fast_forward(3000)
    expect(
        page.get_by_role("img", name=re.compile(r"Documents written per second since .*; last 2,000"))
    ).to_be_visible()
    expect(main).to_contain_text("The stages' durations are in the report")


def test_rejected_items_are_browsed_page_by_page_and_by_reason(ended, open_page):
    page = open_page(f"{SHOP}/tables/Orders")
    items = page.get_by_role("list", name="Rejected items").get_by_role("listitem")
    expect(items).to_have_count(20)
    page.get_by_role("button", name="Show 20 more items").click()
    expect(items).to_have_count(25)
    expect(page.get_by_role("button", name="Show 20 more items")).to_have_count(0)
    items.nth(1).locator("summary").click()
    expect(items.nth(1)).to_contain_text(REJECTED[1]["detail"])
    expect(items.nth(1).locator("pre")).to_contain_text('"N": "0.10000000000000000001"')
    page.get_by_label("Reason").select_option("missing_key")
    expect(items).to_have_count(5)
    expect(items.first).to_contain_text("CustomerId=CUST#0, OrderId=ORD#0000000")
    expect(page.get_by_label("Reason").locator("option")).to_have_text(
        ["any", "inexact_number (20)", "missing_key (5)"]
    )


def test_mismatches_are_browsed_by_kind(ended, open_page):
    page = open_page(f"{SHOP}/tables/Orders")
    rows = page.get_by_role("table", name="Mismatches").get_by_role("row")
    expect(rows).to_have_count(21)
    expect(rows.nth(1)).to_have_text('["CUST#7"] ORD#0000001missingthe whole document')
    page.get_by_role("button", name="different").click()
    expect(rows.nth(1)).to_contain_text("Total Lines[0].Count")
    page.get_by_role("button", name="Show 20 more mismatches").click()
    expect(rows).to_have_count(41)
    expect(page.get_by_role("main")).to_contain_text("40 of 60 listed in the report")


def test_a_table_beyond_the_first_page_is_found(app, open_page):
    app.add(migration("shop", [table(f"T{number:03}", "pending") for number in range(250)]))
    page = open_page(f"{SHOP}/tables/T249", with_clock=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("T249")
    expect(page.get_by_role("main")).to_contain_text("not started")
    assert len(app.requests) == 3
    page.clock.fast_forward(3000)
    wait_until(lambda: len(app.requests) > 3)
    assert app.requests[-1].query["token"] == "200"  # from then on its page alone is asked for


@pytest.mark.parametrize("fragment", ["#/migrations/other", f"{SHOP}/tables/Other"])
def test_what_is_not_there_is_told_with_the_way_back(app, open_page, fragment):
    app.add(migration("shop", [table("Orders")], "succeeded"))
    page = open_page(fragment)
    expect(page.get_by_role("alert")).to_contain_text("Not found")
    page.get_by_role("link", name="All migrations").click()
    expect(page.get_by_role("link", name="shop")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_markup_in_names_errors_and_items_is_text(app, open_page):
    error = {**ERROR, "title": MARKUP, "detail": MARKUP, "next_step": MARKUP}
    stalled = {"stage": "load", "since": ago(minutes=47), "detail": MARKUP}
    tables = [table(MARKUP, "failed", error=error), table("Stuck", "running", stalled=stalled)]
    found = migration("shop", tables, "failed", error=error)
    mismatch = {"kind": "different", "document": MARKUP, "properties": [MARKUP]}
    app.add(
        found, report(found, **{MARKUP: {"database": MARKUP, "container": MARKUP, "mismatches": [mismatch]}})
    )
    app.reports["shop"]["tables"][0]["verification"] |= {"expected": 1, "method": MARKUP}
    app.rejected = [
        {**REJECTED[0], "reason": MARKUP, "detail": MARKUP, "keys": {MARKUP: {"S": MARKUP}}, "item": MARKUP}
    ]
    page = open_page(SHOP)
    page.get_by_role("link", name=MARKUP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    expect(page.get_by_role("listitem").filter(has_text=f"{MARKUP}={MARKUP}")).to_have_count(1)
    assert page.get_by_role("main").inner_text().count(MARKUP) >= 10
    assert page.locator("main img, main b").count() == 0
