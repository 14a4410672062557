"""The workers' outcomes for data files, without Spark."""

import base64
import gzip
import hashlib
import json
from dataclasses import replace

import pyarrow as pa
import pytest

from d2c.export_format import DataFile
from d2c.load_run import accounting, limits, workers
from d2c.load_run.census.counts import merged, summarise
from tests.fuzz.fuzzing import within_bounds

from ..mapping.helpers import NOW, line_of, n, s
from .test_request import REQUEST

SONG = {"Artist": s("a"), "year": n("1999")}
ITEMS = [SONG, {**SONG, "year": s("?")}, {"year": n("2000")}]


def data_file(name, items):
    """Return a data file as the manifest lists it, and as a row of the lake's."""
    return listed(name, gzip.compress(b"".join(line_of(item) + b"\n" for item in items)), len(items))


def listed(name, content, item_count):
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
    return DataFile(key=f"p/data/{name}", name=name, item_count=item_count, md5=md5), content


def rows_of(worker, files):
    batch = pa.record_batch(
        {
            "path": [f"abfss://x/{file.name}" for file, _ in files],
            "content": [content for _, content in files],
        }
    )
    return [row for found in worker([batch]) for row in found.to_pylist()]


def tallies_of(rows):
    return accounting.parse_tallies("\n".join(row["body"] for row in rows if row["kind"] == "file"))


def test_assessing_gives_each_file_a_census_of_its_own_that_merges():
    files = [data_file("a.json.gz", ITEMS), data_file("b.json.gz", ITEMS[:1]), data_file("c.json.gz", [])]
    request = replace(REQUEST, rules_history=({},))
    rows = rows_of(workers.assess_files(request, [file for file, _ in files], NOW), files)
    tallies = tallies_of(rows)
    assert not any(tally.stopped or tally.fault for tally in tallies)
    assert [tally.census["sizes"]["documents"] for tally in tallies] == [2, 1, 0]
    assert summarise(merged(tally.census for tally in tallies))["attributes"] == [
        {"name": "Artist", "types": {"S": 3}, "inexact_numbers": 0},
        {"name": "year", "types": {"N": 3, "S": 1}, "inexact_numbers": 0},
    ]
    assert [row["kind"] for row in rows] == ["rejected", "file", "file", "file"]


def test_censuses_of_files_are_merged_apart_from_their_tallies():
    files = [data_file("a.json.gz", ITEMS), data_file("b.json.gz", ITEMS[:1])]
    request = replace(REQUEST, rules_history=({},))
    assessed = rows_of(workers.assess_files(request, [file for file, _ in files], NOW), files)
    bodies = [row["body"] for row in assessed if row["kind"] == "file"]
    batches = (pa.RecordBatch.from_pydict({"body": [body]}) for body in bodies)
    rows = [row for batch in workers.merge_censuses(batches) for row in batch.to_pylist()]
    assert [row["kind"] for row in rows] == ["file", "file", "census"]
    assert [(one.file, one.documents, one.census) for one in tallies_of(rows)] == [
        ("a.json.gz", 2, None),
        ("b.json.gz", 1, None),
    ]
    apart = merged(tally.census for tally in tallies_of(assessed))
    assert summarise(merged([json.loads(rows[-1]["body"])])) == summarise(apart)
    assert list(workers.merge_censuses([])) == []


BOMB = gzip.compress(b"\n" * 30_000_000, compresslevel=1)


@pytest.mark.parametrize("worker", [workers.assess_files, workers.load_files])
def test_a_file_is_read_no_further_than_its_manifest_counts(worker):
    file, content = listed("bomb.json.gz", BOMB, 1)
    with within_bounds():
        (tally,) = tallies_of(rows := rows_of(worker(REQUEST, [file], NOW), [(file, content)]))
    assert tally.fault == "bomb.json.gz has more lines than the 1 items of the manifest."
    assert (tally.lines, tally.rejected) == (1, {"malformed_line": 1})
    assert sum(len(row["body"]) for row in rows) < 5_000


def test_a_file_whose_manifest_counts_the_lines_of_a_bomb_ends_early(monkeypatch):
    monkeypatch.setattr(limits, "KEPT_BEYOND_LIMIT", 100)
    file, content = listed("bomb.json.gz", BOMB, 30_000_000)
    request = replace(REQUEST, max_rejected_items=20)
    with within_bounds():
        rows = rows_of(workers.assess_files(request, [file], NOW), [(file, content)])
    (tally,) = tallies_of(rows)
    assert (tally.lines, tally.stopped, tally.fault) == (120, True, None)
    assert [row["kind"] for row in rows] == ["rejected"] * 120 + ["file"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"Item":{}}\n', "; it is not a gzip, so it was decompressed or changed on its way."),
        (b"", "; it is not a gzip, so it was decompressed or changed on its way."),
        (gzip.compress(b"other", mtime=0), "."),
    ],
)
def test_a_file_that_is_not_the_manifests_has_its_fault_with_the_cause(content, cause):
    file, _ = data_file("a.json.gz", ITEMS)
    digest = base64.b64encode(hashlib.md5(content).digest()).decode()
    (tally,) = tallies_of(rows_of(workers.assess_files(REQUEST, [file], NOW), [(file, content)]))
    assert tally.fault == f"a.json.gz has the MD5 {digest}, but the manifest has {file.md5}{cause}"
    assert tally.lines == 0


def test_a_file_that_no_manifest_lists_is_not_read():
    file, content = data_file("a.json.gz", ITEMS)
    (tally,) = tallies_of(rows_of(workers.assess_files(REQUEST, [], NOW), [(file, content)]))
    assert (tally.fault, tally.lines) == ("a.json.gz is not in the manifest.", 0)


@pytest.mark.parametrize(
    ("partition_key", "hot"),
    [
        (["year", "Artist"], {"value": "1999", "part": 1.0, "sampled": 200, "most_ru_per_second": 10_000}),
        (["Artist", "year"], None),
        (["year"], None),
    ],
)
def test_a_hierarchical_key_that_begins_with_few_values_is_seen_in_the_first_items_of_files(
    partition_key, hot
):
    songs = [{**SONG, "Artist": s(f"artist {number}")} for number in range(100)]
    files = [data_file(name, songs) for name in ("a.json.gz", "b.json.gz")]
    request = replace(REQUEST, rules_history=({"partition_key": partition_key},))
    tallies = tallies_of(rows_of(workers.assess_files(request, [file for file, _ in files], NOW), files))
    census = summarise(merged(tally.census for tally in tallies))
    assert census["hot_first_level"] == hot
    assert census["document_bytes"]["total"] == sum(tally.document_bytes for tally in tallies)


def test_loading_takes_no_census():
    file, content = data_file("a.json.gz", ITEMS)
    (tally,) = tallies_of(rows_of(workers.load_files(REQUEST, [file], NOW), [(file, content)]))
    assert (tally.documents, tally.census) == (2, None)
