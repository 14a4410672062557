import json
from dataclasses import replace

import pytest

from d2c.load_run.accounting import parse_tallies
from d2c.load_run.census.counts import merged, summarise
from d2c.load_run.request import LoadRequest
from d2c.load_run.resuming import done_files
from d2c.load_run.resuming.done_files import (
    MADE_FOR,
    DoneGroup,
    group_name,
    group_text,
    is_group_of,
    parse_group,
    without_repeated,
)
from d2c.load_run.workers import assess_files
from tests.unit.load_run.batches import data_file, lines_of, request, rows_of

REQUEST = request()
FILES = [
    data_file(lines_of(*({"pk": {"S": f"{name}{number}"}} for number in range(count)), *more), name)
    for name, count, more in (("a.json.gz", 3, ()), ("b.json.gz", 2, (b"no json",)))
]
LISTED = {file.name: file for file, _ in FILES}


def assessed(*chosen):
    """Return a group as an assessment leaves it."""
    batches = [batch for file, batch in FILES if file.name in chosen]
    rows = rows_of(assess_files(REQUEST, [file for file, _ in FILES], 1_000), *batches)
    tallies = parse_tallies("\n".join(body for kind, body in rows if kind == "file"))
    census = merged(tally.census for tally in tallies).to_json()
    for tally in tallies:
        tally.census = None
    return DoneGroup("start-0-1.assess.0", 1_000, tuple(tallies), census)


GROUP = assessed("a.json.gz", "b.json.gz")


def read(text, listed=LISTED, asked=REQUEST):
    return parse_group(GROUP.name, text, asked, listed)


def test_a_group_comes_back_from_its_file():
    found = read(group_text(REQUEST, GROUP))
    assert (found.name, found.began_at, found.tallies) == (GROUP.name, 1_000, GROUP.tallies)
    assert summarise(merged([found.census])) == summarise(merged([GROUP.census]))
    assert (found.files, found.has_rejected) == ({"a.json.gz", "b.json.gz"}, True)


def test_without_a_census_too():
    group = replace(GROUP, census=None)
    assert read(group_text(REQUEST, group)) == group


def test_groups_apart_have_the_counts_of_all_files_together():
    apart = [read(group_text(REQUEST, assessed(name))) for name in LISTED]
    assert [tally for group in apart for tally in group.tallies] == list(GROUP.tallies)
    together = summarise(merged([GROUP.census]))
    assert summarise(merged(group.census for group in apart))["document_bytes"] == together["document_bytes"]
    assert [group.has_rejected for group in apart] == [False, True]


def test_a_file_that_was_not_written_to_its_end_does_not_count():
    text = group_text(REQUEST, GROUP)
    assert [read(text[:length]) for length in (0, 1, len(text) // 2, len(text) - 1)] == [None] * 4


OTHER = {
    "rules_history": ({"drop": ["pk"]},),
    "ttl_attribute": "t",
    "range_key": "r",
    "max_rejected_items": 99,
}


@pytest.mark.parametrize("name", MADE_FOR)
def test_what_was_done_for_another_request_does_not_count(name):
    asked = replace(REQUEST, **{name: OTHER.get(name, "another")})
    assert read(group_text(REQUEST, GROUP), asked=asked) is None


def test_another_attempt_at_the_same_is_no_other_request():
    asked = replace(REQUEST, result_folder="abfss://lake/start-0-2", stages=("assess", "load", "verify"))
    assert read(group_text(REQUEST, GROUP), asked=asked)


def changed(**values):
    content = json.loads(group_text(REQUEST, GROUP))
    content["tallies"][0] |= values
    return json.dumps(content)


@pytest.mark.parametrize(
    "values",
    [
        {"lines": 2},
        {"documents": 2},
        {"documents": 4, "expired": -1},
        {"document_bytes": -1},
        {"document_bytes": 1.5},
        {"rejected": {"x": True}},
        {"file": "not listed"},
        {"file": "b.json.gz"},
        {"fault": "it was damaged"},
        {"stopped": True},
        {"colour": 1},
    ],
)
def test_a_group_whose_counts_cannot_be_does_not_count(values):
    assert read(changed()) is not None
    assert read(changed(**values)) is None


@pytest.mark.parametrize("began_at", [None, "1000", 1000.0, True])
def test_a_group_that_does_not_tell_when_it_began_does_not_count(began_at):
    content = json.loads(group_text(REQUEST, GROUP))
    assert read(json.dumps({**content, "began_at": began_at})) is None


def test_a_longer_file_than_any_group_has_does_not_count(monkeypatch):
    text = group_text(REQUEST, GROUP)
    monkeypatch.setattr(done_files, "GROUP_BYTES", len(text))
    assert read(text) is not None
    assert read(text + " ") is None


@pytest.mark.parametrize("census", [{}, [], "x", {"longest_id_bytes": 1}])
def test_a_group_with_a_spoilt_census_does_not_count(census):
    content = json.loads(group_text(REQUEST, GROUP))
    assert read(json.dumps({**content, "census": census})) is None


def test_a_file_that_two_groups_have_counts_once():
    first, second = replace(GROUP, name="1"), replace(GROUP, name="2")
    other = assessed("a.json.gz")
    assert without_repeated([first, second]) == [first]
    assert without_repeated([other, first]) == [other]


def test_a_groups_name_begins_with_that_of_its_run():
    asked = replace(REQUEST, result_folder="abfss://lake@a/migrations/m/tables/T/start-0-12")
    name = group_name(asked, "load", 7)
    assert name == "start-0-12.load.7"
    assert [is_group_of(f"{name}.json", stage) for stage in ("load", "assess")] == [True, False]
    assert not is_group_of("_SUCCESS", "load")


def test_every_field_that_matters_is_one_of_a_request():
    assert set(MADE_FOR) <= set(LoadRequest.__dataclass_fields__)
