import pytest

from d2c.state import paths
from d2c.state.export_matching import LOADED
from d2c.state.stall_rules import LONGEST_STEP_SECONDS, PATIENCE
from tests.unit.pages import codes, table_rows, text_of

PAGE = text_of("operate/watchdog.md")
ROWS = {codes(row[0])[0]: row[1] for row in table_rows(PAGE, "## Stalled stages")}


def test_the_page_has_the_patience_of_every_stage():
    assert list(ROWS) == list(PATIENCE)


@pytest.mark.parametrize("stage", PATIENCE)
def test_a_patience_is_the_one_that_the_page_says(stage):
    patience = PATIENCE[stage]
    by_size = f" and {patience.seconds_per_gigabyte} seconds for each GB of the table"
    assert ROWS[stage] == f"{patience.seconds // 60} minutes" + (
        by_size if patience.seconds_per_gigabyte else ""
    )


def test_the_page_says_what_a_look_adds_at_most():
    assert f"at most {LONGEST_STEP_SECONDS // 60} minutes for each" in " ".join(PAGE.split())


def test_the_page_names_the_files_as_they_are():
    names = {codes(row[0])[0] for row in table_rows(PAGE, "## What it keeps")}
    assert names == {
        paths.MigrationFiles("<migration>").watchdog,
        paths.MigrationFiles("<migration>").orphans,
        paths.SWEEP,
        f"{LOADED}<digest>.json",
    }
    assert f"`{paths.container_path('<account>', '<database>', '<container>')}`" in PAGE
