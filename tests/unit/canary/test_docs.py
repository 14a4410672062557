"""The pages name what the canary tries, and the canary what the pages name."""

from d2c.canary.checks.table import CHECKS
from d2c.canary.rights import RIGHTS
from tests.unit.pages import codes, table_rows, text_of

ASSUMPTIONS = [
    row
    for row in table_rows(text_of("develop/outside-calls.md"), "## Assumptions that nothing here can prove")
    if not row[0].startswith("**")
]
PAGE = text_of("operate/canary.md")


def plain(cell):
    return cell.replace("`", "")


def test_every_assumption_says_which_check_of_the_canary_tries_it_or_that_none_does():
    assert {len(row) for row in ASSUMPTIONS} == {4}
    assert [row[0] for row in ASSUMPTIONS if not codes(row[3]) and row[3] != "not by the canary"] == []


def test_every_check_is_about_an_assumption_of_the_table():
    assert {name for row in ASSUMPTIONS for name in codes(row[3])} == {check.name for check in CHECKS}


def test_the_page_has_every_check_as_it_is():
    rows = [tuple(plain(cell) for cell in row) for row in table_rows(PAGE, "## The checks")]
    assert rows == [(check.name, check.assumption, check.tried) for check in CHECKS]


def test_the_page_has_every_right_as_it_is():
    rows = [tuple(plain(cell) for cell in row) for row in table_rows(PAGE, "## Your rights")]
    assert rows == [tuple(right) for right in RIGHTS]
