import json

import pytest

from d2c.errors import PermanentError, TransientError
from d2c.load_run import accounting
from d2c.load_run.census.attribute_types import LONGEST_NAME, MOST_ATTRIBUTES
from d2c.load_run.census.counts import SHOWN_PARTITIONS
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE, RunProgress
from d2c.load_run.told.progress import parse_progress
from d2c.load_run.told.result import RESULT_BYTES, parse_result, read_result
from d2c.load_run.verification import KINDS, MOST_EXAMPLES, compare_counts
from d2c.mapping.comparison import MAX_DIFFERENCES
from d2c.mapping.rejected import LONGEST_SHOWN
from tests.builders import a_census, a_load_run_result, a_stage, an_error, some_sums
from tests.unit.load_run.census.test_counts import music, report_of

PATH = "migrations/m/tables/Music/start-0-1/result.json"


def parsed(result):
    return parse_result(json.dumps(result).encode(), PATH)


def refused(**changes):
    with pytest.raises(PermanentError) as refusal:
        parsed(a_load_run_result(**changes))
    assert str(refusal.value).startswith(f"{PATH} is not the result of a load run: ")
    return refusal.value.detail


def test_what_a_load_run_writes_is_taken_whole():
    files = {}
    progress, taken = RunProgress(files.__setitem__), report_of([music("a", "1")])
    with progress.stage("assess"):
        sums = accounting.totals([accounting.FileTally("f", lines=1, documents=1, document_bytes=9)])
        progress.note(assessed=sums, files={"listed": 1, "verified": 1}, census=taken)
    with progress.stage("load"):
        progress.note(loaded=sums, load_started_at=1_780_000_000)
        progress.count({"done": 1, "total": 2})
        assert parse_progress(files[PROGRESS_FILE].encode()) == {
            "stages": [{"stage": "assess"}, {"stage": "load"}],
            "done": 1,
            "total": 2,
        }
    with progress.stage("verify"):
        mismatch = {"kind": "missing", "document": "d", "properties": []}
        counts = {**compare_counts(1, 1, 1), "method": "counts"}
        progress.note(verification=counts, mismatches=[mismatch])
    progress.close()
    assert parse_result(files[RESULT_FILE].encode(), PATH) == json.loads(files[RESULT_FILE])


def test_the_largest_that_a_load_run_writes_is_within_the_bound():
    letter = "\U0001f600"
    shown = letter * LONGEST_SHOWN
    mismatches = [
        {"kind": kind, "document": letter * 800, "properties": [shown] * MAX_DIFFERENCES * (kind == KINDS[2])}
        for kind in KINDS
        for _ in range(MOST_EXAMPLES)
    ]
    partition = {
        "partition_key": [letter * 512],
        "at_least_bytes": 1,
        "at_most_bytes": 1,
        "part_of_limit": 1.0,
    }
    attribute = {"name": letter * LONGEST_NAME, "types": {"S": 10**15}, "inexact_numbers": 10**15}
    census = a_census(attributes=[attribute] * MOST_ATTRIBUTES)
    census["logical_partitions"]["largest"] = [partition] * SHOWN_PARTITIONS
    files = {}
    progress = RunProgress(files.__setitem__)
    with progress.stage("assess"):
        found = a_load_run_result(mismatches=mismatches, census=census)
        progress.note(**{name: found[name] for name in ("assessed", "files", "census", "mismatches")})
    progress.close()
    content = files[RESULT_FILE].encode()
    assert RESULT_BYTES / 2 < len(content) < RESULT_BYTES
    assert len(parse_result(content, PATH)["mismatches"]) == len(mismatches)


def test_fields_that_nobody_declared_are_left_out():
    assert "odd" not in parsed(a_load_run_result(odd=1))
    assert parsed(a_load_run_result(census={**a_census(), "odd": 1}))["census"] == a_census()


def test_no_more_of_a_file_is_read_than_the_bound():
    asked = []

    def read(path, most_bytes):
        asked.append((path, most_bytes))

    assert read_result(read, PATH) is None
    assert asked == [(PATH, RESULT_BYTES)]


@pytest.mark.parametrize(
    "content", [b"", b'{"state": ', b"[" * 100, b'{"a":1,"a":1}', b'{"a":{"b":1,"b":1}}', b"\xff"]
)
def test_what_is_not_json_may_still_be_written(content):
    with pytest.raises(TransientError, match=PATH):
        parse_result(content, PATH)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "running"}, "the result.state is 'running'"),
        ({"stages": [a_stage("assess", state="running")]}, "the result.stages.0.state is 'running'"),
        ({"stages": [a_stage("export")]}, "the result.stages.0.stage is 'export'"),
        ({"stages": [{"stage": "assess"}]}, "the result.stages.0 has no seconds"),
        ({"stages": [a_stage("assess", seconds=-1)]}, "the stage assess has impossible times"),
        ({"stages": [a_stage("assess", started_at="2026-06-01T12:00:00")]}, "impossible times"),
        ({"stages": [a_stage("assess", started_at="noon " * 1_000)]}, "noon"),
        ({"stages": []}, "it has no stages"),
        ({"state": "failed"}, "it failed, with stages and an error that say otherwise"),
        ({"error": an_error(stage="load")}, "it succeeded, with stages and an error that say otherwise"),
        ({"stages": [a_stage("assess", state="failed")]}, "it succeeded, with stages and an error"),
        ({"state": "failed", "error": an_error()}, "its error is of the stage None"),
        ({"state": "failed", "error": an_error(stage="x")}, "its error is of the stage 'x'"),
        ({"loaded": some_sums(documents=-1)}, "the result.loaded.documents is -1"),
        ({"loaded": some_sums(documents=True)}, "the result.loaded.documents is True"),
        ({"loaded": some_sums(rejected_by_reason={"a": "b"})}, "the result.loaded.rejected_by_reason is 'b'"),
        ({"loaded": None}, "load succeeded and left no loaded"),
        ({"load_started_at": None}, "load succeeded and left no load_started_at"),
        ({"assessed": None}, "assess succeeded and left no assessed"),
        ({"files": None}, "assess succeeded and left no files"),
        ({"verification": None}, "verify succeeded and left no verification"),
        ({"stages": [a_stage("replay")]}, "replay succeeded and left no replayed"),
        ({"verification": {}}, "the result.verification has no actual"),
        ({"mismatches": [{"kind": "odd", "document": "d", "properties": []}]}, "mismatches.0.kind is 'odd'"),
        ({"mismatches": [0] * 1001}, "the result.mismatches is a list of 1,001"),
        ({"census": "all"}, "the result.census is 'all'"),
        ({"census": a_census(attributes=[1])}, "the result.census.attributes.0 is 1"),
        ({"files": {"listed": 1, "x" * 20_001: 1}}, "the result.files is 'xxx"),
    ],
)
def test_what_is_no_result_is_refused_by_the_place_that_is_wrong(changes, told):
    detail = refused(**changes)
    assert told in detail
    assert len(detail) < 400


def test_an_error_comes_without_secrets_and_never_as_one_that_heals():
    error = an_error(
        stage="load", detail="the key AccountKey=c2VjcmV0Cg== was wrong", busy=True, cancelled=True
    )
    stages = [a_stage("assess"), a_stage("load", state="failed")]
    told = parsed(a_load_run_result(state="failed", error=error, stages=stages))["error"]
    assert told == an_error(stage="load", detail="the key AccountKey=*** was wrong")


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b'{"stages": []}',
        b'{"stages": [{"stage": "assess"}',
        b'{"stages": [{"stage": "brew"}]}',
        b'{"stages": [{"stage": "assess"}], "done": "all"}',
        b'{"stages": [{"stage": "assess"}], "done": -1}',
        b'{"stages": {"stage": "assess"}}',
        b" " * 2**16 + b'{"stages": [{"stage": "assess"}]}',
    ],
)
def test_a_progress_that_does_not_tell_is_none(content):
    assert parse_progress(content) is None
