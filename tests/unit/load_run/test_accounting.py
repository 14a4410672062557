from collections import Counter

import pytest

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.load_run import accounting
from d2c.load_run.accounting import FileTally

FILES = (
    DataFile(key="p/data/a.json.gz", name="a.json.gz", item_count=3, md5="x"),
    DataFile(key="p/data/b.json.gz", name="b.json.gz", item_count=0, md5="y"),
)
WHOLE = FileTally(
    "a.json.gz", lines=3, documents=1, expired=1, rejected=Counter(missing_key=1), document_bytes=9
)
EMPTY = FileTally("b.json.gz")


def test_tallies_are_parsed_and_repeated_ones_count_once():
    text = accounting.tallies_text([EMPTY, WHOLE, WHOLE])
    assert accounting.parse_tallies(text) == [WHOLE, EMPTY]


def test_whole_files_are_conserved():
    accounting.check_conservation(FILES, [WHOLE, EMPTY])
    assert accounting.verified(FILES, [WHOLE, EMPTY]) == 2


@pytest.mark.parametrize(
    ("tallies", "named"),
    [
        ([WHOLE], "b.json.gz was not read"),
        (
            [FileTally("a.json.gz", lines=2, documents=2), EMPTY],
            "a.json.gz has 2 lines, and the manifest has 3",
        ),
        ([FileTally("a.json.gz", lines=3, documents=2), EMPTY], "a.json.gz has 3 lines"),
        ([FileTally("a.json.gz", fault="a.json.gz has the MD5 z"), EMPTY], "a.json.gz has the MD5 z"),
    ],
)
def test_a_file_of_which_not_every_item_is_accounted_for_is_named(tallies, named):
    with pytest.raises(PermanentError, match=named):
        accounting.check_conservation(FILES, tallies)
    assert accounting.verified(FILES, tallies) == 1


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ({"a.json.gz": 9}, "missing: b.json.gz"),
        ({"a.json.gz": 9, "b.json.gz": 20, "c.json.gz": 1}, "not in the manifest: c.json.gz"),
    ],
)
def test_missing_and_extra_files_are_named(sizes, named):
    with pytest.raises(PermanentError, match=named):
        accounting.check_files_present(FILES, sizes)


def test_a_too_large_file_is_reported_with_limit_and_next_step():
    accounting.check_file_sizes({"a.json.gz": accounting.LARGEST_DATA_FILE_BYTES})
    sizes = {"a.json.gz": 5, "b.json.gz": accounting.LARGEST_DATA_FILE_BYTES + 1}
    with pytest.raises(PermanentError, match=r"b\.json\.gz \(1,000,000,001 bytes\)") as raised:
        accounting.check_file_sizes(sizes)
    assert "1 of 2 data files are larger than 1,000,000,000 bytes" in raised.value.detail
    assert "a.json.gz" not in raised.value.detail
    assert "Export the table again" in raised.value.next_step


def test_sums_have_rejected_items_by_reason():
    more = FileTally("c", lines=2, rejected=Counter(missing_key=1, inexact_number=1))
    sums = accounting.totals([WHOLE, more])
    assert sums["rejected"] == 3
    assert sums["rejected_by_reason"] == {"missing_key": 2, "inexact_number": 1}
    assert (sums["lines"], sums["documents"], sums["expired"]) == (5, 1, 1)
