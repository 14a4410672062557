from collections import Counter

import pytest

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.load_run import accounting
from d2c.load_run.accounting import FileTally
from d2c.mapping import Document, Expired, Rejected

FILES = (
    DataFile(key="p/data/a.json.gz", name="a.json.gz", item_count=3, md5="x"),
    DataFile(key="p/data/b.json.gz", name="b.json.gz", item_count=0, md5="y"),
)
WHOLE = FileTally(
    "a.json.gz", lines=3, documents=1, expired=1, rejected=Counter(missing_key=1), document_bytes=9
)
EMPTY = FileTally("b.json.gz")


def test_each_outcome_of_a_line_is_counted():
    tally = FileTally("a.json.gz")
    for mapped in (
        Document(b"{...}", "x", ("p",), None),
        Document(b"{..}", "y", ("p",), None),
        Expired(5),
        Rejected("missing_key", "", None, b"{}"),
    ):
        tally.count(mapped)
    assert tally == FileTally(
        "a.json.gz", 4, documents=2, expired=1, rejected=Counter(missing_key=1), document_bytes=9
    )


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
        ([FileTally("a.json.gz", lines=3, documents=2, expired=2), EMPTY], "2 are expired and 0 rejected"),
        (
            [FileTally("a.json.gz", fault="a.json.gz has the MD5 z."), EMPTY],
            r"a\.json\.gz has the MD5 z\. Copy",
        ),
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
        ({"a.json.gz": 9, "b.json.gz": 0}, r"\(of 0 bytes, which no gzip has: b\.json\.gz\)"),
        ({"c" * 1_000_000: 0}, "missing: a.json.gz, b.json.gz; not in the manifest: c"),
    ],
)
def test_missing_and_extra_files_are_named(sizes, named):
    with pytest.raises(PermanentError, match=named) as raised:
        accounting.check_files_present(FILES, sizes)
    assert len(raised.value.detail) < 1_000


def test_of_many_faulty_files_the_first_three_are_named_and_the_next_step_stands_once():
    files = [DataFile(f"p/data/{name}", name, 1, "x") for name in "abcde"]
    tallies = [FileTally(file.name, fault=f"{file.name} is a damaged gzip.") for file in files]
    with pytest.raises(PermanentError) as raised:
        accounting.check_conservation(files, tallies)
    assert raised.value.detail == (
        "5 of 5 data files do not match the export's manifest: "
        "a is a damaged gzip, b is a damaged gzip, c is a damaged gzip and 2 more."
    )
    assert str(raised.value).count("Copy the export again") == 1


def test_three_files_of_names_that_just_fit_are_named_in_full():
    names = [letter * accounting.LONGEST_SHOWN for letter in "abc"]
    with pytest.raises(PermanentError) as raised:
        accounting.check_files_present([DataFile(f"p/data/{name}", name, 1, "x") for name in names], {})
    assert f"(missing: {', '.join(names)})" in raised.value.detail


def test_the_files_of_the_manifest_are_all_there():
    accounting.check_files_present(FILES, {"b.json.gz": 20, "a.json.gz": 9})


def test_a_replay_of_all_rejected_items_is_complete():
    accounting.check_replayed([WHOLE, FileTally("c", lines=2)], 5)
    for rejected in (4, 6):
        with pytest.raises(PermanentError, match=f"5 rejected items .* rejected {rejected}"):
            accounting.check_replayed([WHOLE, FileTally("c", lines=2)], rejected)


def test_a_too_large_file_is_reported_with_limit_and_next_step():
    accounting.check_file_sizes({"a.json.gz": accounting.LARGEST_DATA_FILE_BYTES})
    sizes = {"a.json.gz": 5, "b.json.gz": accounting.LARGEST_DATA_FILE_BYTES + 1}
    with pytest.raises(PermanentError, match=r"b\.json\.gz \(1,000,000,001 bytes\)") as raised:
        accounting.check_file_sizes(sizes)
    assert "1 of 2 data files are larger than 1,000,000,000 bytes" in raised.value.detail
    assert "a.json.gz" not in raised.value.detail
    assert raised.value.title == "A data file is too large"
    assert "Export the table again" in raised.value.next_step


def test_sums_have_rejected_items_by_reason():
    more = FileTally("c", lines=2, rejected=Counter(missing_key=1, inexact_number=1))
    sums = accounting.totals([WHOLE, more])
    assert sums["rejected"] == 3
    assert sums["rejected_by_reason"] == {"missing_key": 2, "inexact_number": 1}
    assert (sums["lines"], sums["documents"], sums["expired"]) == (5, 1, 1)
    assert sums["document_bytes"] == 9
