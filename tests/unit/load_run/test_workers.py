"""The workers' outcomes for data files, without Spark."""

import base64
import gzip
import hashlib
import json
from dataclasses import replace

import pyarrow as pa

from d2c.export_format import DataFile
from d2c.load_run import accounting, workers
from d2c.load_run.census.counts import merged, summarise

from ..mapping.helpers import NOW, line_of, n, s
from .test_request import REQUEST

SONG = {"Artist": s("a"), "year": n("1999")}
ITEMS = [SONG, {**SONG, "year": s("?")}, {"year": n("2000")}]


def data_file(name, items):
    """Return a data file as the manifest lists it, and as a row of the lake's."""
    content = gzip.compress(b"".join(line_of(item) + b"\n" for item in items))
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
    return DataFile(key=f"p/data/{name}", name=name, item_count=len(items), md5=md5), content


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


def test_loading_takes_no_census():
    file, content = data_file("a.json.gz", ITEMS)
    (tally,) = tallies_of(rows_of(workers.load_files(REQUEST, [file], NOW), [(file, content)]))
    assert (tally.documents, tally.census) == (2, None)
