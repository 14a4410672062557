"""The page on architecture names each door by which foreign text comes in, and these and their fuzzers are there."""

import re

import pytest

from tests.unit.pages import ROOT, codes, table_rows, text_of

ROWS = table_rows(text_of("develop/architecture.md"), "## Doors")
DOORS = sorted({door for row in ROWS for door in codes(row[1])})
FUZZERS = {fuzzer for row in ROWS for fuzzer in codes(row[-1])}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_there(door):
    path, _, name = door.partition("::")
    text = (ROOT / path).read_text()
    assert not name or re.search(rf"def {name}\b", text)


def test_each_fuzzer_is_that_of_a_door():
    assert {path.name for path in (ROOT / "tests/fuzz").glob("test_*.py")} == FUZZERS
