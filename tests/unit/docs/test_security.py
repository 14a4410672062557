"""The page on security: each of its rows names a test or a template, and these are there."""

import re

import pytest

from tests.unit.pages import ROOT, codes, table_rows, text_of

PAGE = text_of("install/security.md")
HEADINGS = (
    "## Threats and mitigations",
    "## Threat model: who may write where",
    "## Identities",
    "## Secrets",
    "## Data",
)
ROWS = [row for heading in HEADINGS for row in table_rows(PAGE, heading)]
HOLDER = re.compile(r"(tests|infra)/")
NAMED = sorted({code for code in codes(PAGE) if HOLDER.match(code)})


def test_every_table_of_the_page_is_looked_at():
    assert PAGE.count("\n|---") == len(HEADINGS)
    assert len(ROWS) > 25


@pytest.mark.parametrize("section", PAGE.split("\n## ")[1:], ids=lambda section: section.partition("\n")[0])
def test_a_section_says_what_holds_it(section):
    assert any(map(HOLDER.match, codes(section)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_says_what_holds_it(row):
    assert [code for code in codes(row[-1]) if HOLDER.match(code)]


@pytest.mark.parametrize("name", NAMED)
def test_what_holds_a_row_is_there(name):
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    assert not test or re.search(rf"def {test}\b", (ROOT / path).read_text())


def test_reports_of_vulnerabilities_have_a_private_way():
    text = (ROOT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text
    assert "@" not in text
