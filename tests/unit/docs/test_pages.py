import json
import re
from urllib.parse import unquote

import pytest

from tests.unit.pages import ROOT, code_blocks, pages, tracked_pages

PRODUCT = (
    "function_app.py",
    "triggers",
    "orchestrators",
    "activities",
    "d2c",
    "notebooks",
    "localcloud",
    "tools",
    "benchmarks",
    "infra",
    "azure.yaml",
)
SUFFIXES = (".py", ".md", ".bicep", ".bicepparam", ".json", ".yaml")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name(page):
    return str(page.relative_to(ROOT))


def without_code(text):
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative_links():
    for page in tracked_pages():
        for link in LINK.findall(without_code(page.read_text())):
            if not re.match(r"[a-z]+:", link):
                yield pytest.param(page, link, id=f"{name(page)}: {link}")


def product_files():
    for room in PRODUCT:
        path = ROOT / room
        files = [path] if path.is_file() else path.rglob("*.*")
        yield from (file for file in files if file.suffix in SUFFIXES and "node_modules" not in file.parts)


def pages_named_in_the_product():
    return sorted(
        {
            page
            for file in product_files()
            for page in re.findall(r"(?<![\w/])docs/[\w./-]+\.(?:md|svg)", file.read_text())
        }
    )


@pytest.mark.parametrize(("page", "link"), relative_links())
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(page, link):
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target.read_text())


@pytest.mark.parametrize("page", pages(), ids=name)
def test_json_on_a_page_is_json(page):
    for block in code_blocks(page.read_text(), "json"):
        json.loads(block)


@pytest.mark.parametrize("page", pages_named_in_the_product())
def test_a_page_that_the_product_names_is_there(page):
    assert (ROOT / page).is_file()


def test_the_product_names_the_pages_that_its_errors_send_people_to():
    assert {"docs/install/permissions.md", "docs/start/plan.md"} <= set(pages_named_in_the_product())
