"""The report's page, taken apart as a browser would."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from html.parser import HTMLParser

import pytest

from d2c.report.page import TEMPLATES, environment, render_report
from tests.unit.pages import ROOT
from tests.unit.reports import HOSTILE, whole_report

VOID = {"meta"}


class Page(HTMLParser):
    """Collects tags, attributes and the texts of cells, and sees that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.texts, self.open = set(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.references += [value for name, value in attrs if name in ("href", "src", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def report():
    return whole_report()


@pytest.fixture(scope="module")
def source(report):
    return render_report(report)


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def section_of(source, number):
    """Return the text of one table's part of the page, its cells apart."""
    part = source.split("<section>")[number + 1].split("</section>")[0]
    return " ".join(text.strip() for text in Page(part).texts if text.strip())


def test_every_element_is_closed(page):
    assert page.open == []


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(page, source):
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert all(reference.startswith("#table-") for reference in page.references)
    assert "http" not in source
    assert "url(" not in source
    assert "@import" not in source


def test_what_items_hold_is_text_and_never_markup(page, source):
    assert "<script" not in source
    assert page.texts.count(HOSTILE) == 4  # as attribute of two tables, as document and as property
    assert any(HOSTILE in text and "25 items" in text for text in page.texts)


def test_totals_are_summed_over_the_tables(page):
    shown = dict(zip(page.texts, page.texts[1:], strict=False))
    assert shown["Tables succeeded"] == "2 of 4"
    assert shown["Items exported"] == "15,000"
    assert shown["Documents written"] == "4,979"
    assert shown["Items rejected"] == "50"
    assert shown["Mismatches"] == "4"


def test_a_table_tells_stages_reasons_mismatches_operations_and_throughput(source):
    orders = section_of(source, 0)
    assert "RU/s before 400 RU/s during load 20,000 RU/s after 1,000" in orders
    assert "Size in DynamoDB 7.0 MB Data files of the export 2.2 MB" in orders
    assert "copy succeeded 33.5 s 2026-06-01 12:02:07" in orders
    assert "verify succeeded 2 min 38 s" in orders
    assert "inexact_number 20 missing_key 5" in orders
    assert f"different {HOSTILE} Lines[0].Count , {HOSTILE}" in orders
    assert "replay 1 2026-06-02 08:00:00 25 20 5 0 0 0" in orders


def test_a_container_that_shares_tells_its_databases_throughput(report):
    first, *others = report["tables"]
    throughput = {**first["throughput"], "shared_ru_per_second": 900}
    shared = render_report({**report, "tables": [{**first, "throughput": throughput}, *others]})
    assert "RU/s, shared with others of the database 900" in section_of(shared, 0)
    assert "RU/s before" not in section_of(shared, 0)


def test_a_table_tells_its_census(source, report):
    orders, census = section_of(source, 0), report["tables"][0]["census"]
    assert "Trace S 4,000, N 1,000 5,000 999" in orders
    assert '"CUST#0" 1.8 MB below 0.1 %' in orders
    assert f"About {census['write_ru']:,} RU" in orders
    assert "20,000 RU/s (this load) 2 s" in orders
    assert "less than 0.8 % too large" in orders
    assert "Never expire: in milliseconds 3" in orders


def test_a_table_that_failed_tells_why_and_what_to_do(source):
    customers = section_of(source, 1)
    assert "Too many rejected items in stage assess" in customers
    assert "raise limits.max_rejected_items" in customers
    assert "The table was not verified." in customers


def test_a_bad_number_is_marked():
    parts = environment().get_template("parts.html").module
    assert parts.number(1_234, is_bad=True) == '<span class="bad">1,234</span>'
    assert parts.number(1_234) == "1,234"


def test_columns_of_numbers_are_marked_in_head_body_and_foot(source):
    assert '<th>State</th><th class="number">Exported</th>' in source
    assert '<td class="number">5,000</td>' in source
    foot = source.split("<tfoot>")[1].split("</tfoot>")[0]
    assert "<td>Total</td><td></td>" in foot
    assert '<td class="number">15,000</td>' in foot


def test_what_ended_the_migration_is_said_at_the_top(report):
    error = {"title": "The lake is gone", "detail": "No account.", "next_step": "Create it."}
    top = render_report({**report, "error": error}).split("<section>")[0]
    assert "The lake is gone" in top
    assert "Create it." in top


def test_the_page_has_one_main_landmark_and_scrolls_by_keyboard(source):
    assert source.count("<main>") == 1
    regions = re.findall(r'<div class="scroll"([^>]*)>', source)
    assert len(regions) > 10
    assert all(' tabindex="0"' in region and " aria-label=" in region for region in regions)


def test_the_templates_are_part_of_the_package():
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = packaged["d2c.report"]
    for path in TEMPLATES.iterdir():
        assert any(fnmatch(f"templates/{path.name}", pattern) for pattern in patterns), path


def test_many_attributes_are_folded_away(source):
    few, many = source.split("<section>")[1], source.split("<section>")[3]
    assert "<details open>" in few
    assert "<details><summary>41 attributes</summary>" in many


def test_a_table_that_left_nothing_has_its_place_all_the_same(source):
    left = section_of(source, 3)
    assert left.startswith("Left")
    assert "Census" not in left
    assert "Stages" not in left


def test_a_partition_beyond_the_limit_is_marked_with_its_bounds(report):
    part = report["tables"][0]
    largest = {
        "partition_key": ["a", 1],
        "at_least_bytes": 19 * 2**30,
        "at_most_bytes": 21 * 2**30,
        "part_of_limit": 1.05,
    }
    partitions = {**part["census"]["logical_partitions"], "largest": [largest]}
    census = {**part["census"], "logical_partitions": partitions}
    source = render_report({**report, "tables": [{**part, "census": census}]})
    assert '"a", 1 19.0 GB to 21.0 GB 105.0 %' in section_of(source, 0)
    assert '<span class="bad">105.0 %</span>' in source


def test_a_hot_first_level_is_told_with_what_it_leaves_a_load(report):
    part = report["tables"][0]
    hot = {"value": '"DE"', "part": 0.25, "sampled": 2000, "most_ru_per_second": 40_000}
    census = {**part["census"], "hot_first_level": hot}
    source = render_report({**report, "tables": [{**part, "census": census}]})
    assert '25.0 % of 2,000 sampled documents have "DE" in the first level' in section_of(source, 0)
    assert "at most about 40,000 RU/s" in section_of(source, 0)


def test_the_app_starts_without_the_template_engine():
    program = "import sys, d2c.report.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
