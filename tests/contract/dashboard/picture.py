"""Takes the pictures of docs/operate/dashboard.md: `python -m tests.contract.dashboard.picture docs/images`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from .answers import ago, migration, report, table
from .app import SubstituteApp
from .conftest import FLAGS, chromium

NAMES = (
    "Customers",
    "Orders",
    "OrderLines",
    "Products",
    "Prices",
    "Sessions",
    "Reviews",
    "Carts",
    "Payments",
)


def shop():
    """Return a migration of many tables in every state."""
    stalled = {
        "stage": "copy",
        "since": ago(minutes=47),
        "detail": "the copy run has copied nothing since; look at it in Data Factory.",
    }
    loaded = {"items_rejected": 0, "mismatches": 0}
    tables = [
        table("Orders", **loaded, items_exported=8_200_114, items_written=8_200_109),
        table("OrderLines", "running", items_exported=31_850_233, items_written=19_118_300, percent=70),
        table(
            "Customers", "running", stage="copy", items_written=None, percent=38, stalled=stalled, eta=None
        ),
        table("Products", "failed"),
        table("Sessions", "running", stage="export", items_exported=None, items_written=None, percent=12),
    ]
    tables += [table(f"{NAMES[one % 9]}-{one // 9:02}", **loaded) for one in range(9, 160)]
    tables += [table(f"{NAMES[one % 9]}-{one // 9:02}", "pending") for one in range(160, 295)]
    return migration("shop-2026", tables)


def music():
    """Return a migration that has ended."""
    return migration("music-2026", [table("Orders", mismatches=63)], "succeeded")


def main(folder):
    app = SubstituteApp()
    app.add(shop())
    ended = music()
    app.add(ended, report(ended))
    views = {
        "dashboard-light": ("light", 1000, "#/migrations/shop-2026"),
        "dashboard-dark": ("dark", 1250, "#/migrations/music-2026/tables/Orders"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for name, (scheme, height, fragment) in views.items():
            page = browser.new_page(viewport={"width": 1200, "height": height}, color_scheme=scheme)
            page.goto(app.url + fragment)
            page.get_by_role("heading", level=2).first.wait_for()
            page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
        browser.close()
    app.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
