import io
import threading
from datetime import timedelta

import pytest

from localcloud.data_factory.runs import watch as watch_module
from localcloud.data_factory.runs.choosing import choose_files, list_files, wildcard_pattern
from localcloud.data_factory.runs.connections import SourceFolder
from localcloud.data_factory.runs.copy_files import units_of
from localcloud.data_factory.runs.errors import ActivityCancelledError, ActivityError
from localcloud.data_factory.runs.watch import Watch


@pytest.mark.parametrize(
    ("wildcard", "name", "fits"),
    [
        ("*", "anything.at-all", True),
        ("manifest-files.*", "manifest-files.md5", True),
        ("manifest-files.*", "manifest-filesXmd5", False),
        ("manifest-summary.json", "manifest-summary.json", True),
        ("manifest-summary.json", "manifest-summary.json.old", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("^*", "*", True),
        ("^*", "x", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
    ],
)
def test_wildcards_are_those_of_data_factory(wildcard, name, fits):
    assert bool(wildcard_pattern(wildcard).fullmatch(name)) is fits


class Listing:
    """boto3's client of a bucket with these keys."""

    def __init__(self, *keys):
        self._keys = keys

    def get_paginator(self, operation):
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket, Prefix):
        keys = [key for key in self._keys if key.startswith(Prefix)]
        for start in range(0, len(keys), 2):
            entries = [{"Key": key, "Size": 1, "ETag": "e"} for key in keys[start : start + 2]]
            yield {"Contents": entries}
        yield {}


@pytest.mark.parametrize(
    ("recursive", "wildcard", "paths"),
    [
        (True, None, ["a.gz", "in/b.gz", "in/deep/c.md5"]),
        (True, "*.gz", ["a.gz", "in/b.gz"]),
        (False, None, ["a.gz"]),
        (False, "*.md5", []),
    ],
)
def test_files_are_chosen_by_folder_depth_and_name(recursive, wildcard, paths):
    client = Listing("p/", "p/a.gz", "p/in/", "p/in/b.gz", "p/in/deep/c.md5", "p2/d.gz", "other")
    source = SourceFolder("http://x", "id", "secret", None, "bucket", "p")
    assert [file.path for file in list_files(client, source, recursive, wildcard)] == paths


class Objects:
    """boto3's client of buckets with these objects, by bucket and key."""

    def __init__(self, **objects):
        self._objects = objects

    def get_object(self, Bucket, Key):
        return {"Body": io.BytesIO(self._objects[Bucket][Key])}


@pytest.mark.parametrize("content", [b"data/a.gz\nin/b.gz", b"data/a.gz\r\nin/b.gz\r\n"])
def test_a_list_names_files_by_their_paths_in_the_folder_and_stands_anywhere_in_the_store(content):
    client = Objects(other={"lists/1.txt": content})
    source = SourceFolder("http://x", "id", "secret", None, "bucket", "p/q")
    files = choose_files(client, source, {"fileListPath": "other/lists/1.txt"})
    assert [(file.key, file.path) for file in files] == [
        ("p/q/data/a.gz", "data/a.gz"),
        ("p/q/in/b.gz", "in/b.gz"),
    ]


def test_a_list_without_names_fails_a_copy():
    client = Objects(bucket={"list": b"\n"})
    source = SourceFolder("http://x", "id", "secret", None, "bucket", "p")
    with pytest.raises(ActivityError, match="UserErrorFileNotFound"):
        choose_files(client, source, {"fileListPath": "bucket/list"})


@pytest.mark.parametrize(
    "asked",
    [
        {"dataIntegrationUnits": 1},
        {"dataIntegrationUnits": 257},
        {"dataIntegrationUnits": "4"},
        {"parallelCopies": -1},
        {"parallelCopies": True},
    ],
)
def test_units_that_the_service_does_not_have_fail_a_copy(asked):
    with pytest.raises(ActivityError, match=next(iter(asked))):
        units_of(asked)


def test_a_copy_is_billed_for_its_units_by_begun_minutes(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(watch_module.time, "monotonic", lambda: now[0])
    watch, _, _ = watching()

    def billed():
        (duration,) = watch.output()["billingReference"]["billableDuration"]
        return duration["duration"]

    assert billed() == pytest.approx(4 / 60, abs=1e-5)
    watch.uses(32)
    now[0] += 61
    assert billed() == pytest.approx(32 * 2 / 60, abs=1e-5)


def watching(**changes):
    reports = []
    settings = {
        "timeout": timedelta(hours=1),
        "seconds_per_file": 0.0,
        "report": reports.append,
        "before_each_file": lambda: None,
        **changes,
    }
    cancelled = threading.Event()
    return Watch(cancelled, **settings), reports, cancelled


def test_a_watch_counts_and_reports_bytes_and_files():
    watch, reports, _ = watching()
    watch.before_file("a")
    watch.moved(read=5)
    watch.moved(written=5)
    watch.file_done()
    expected = {"dataRead": 5, "dataWritten": 5, "filesRead": 1, "filesWritten": 1}
    assert expected.items() <= watch.output().items()
    assert expected.items() <= reports[-1].items()


def test_a_cancelled_run_stops_before_the_next_file_and_within_one():
    watch, _, cancelled = watching(seconds_per_file=60.0)
    cancelled.set()
    with pytest.raises(ActivityCancelledError):
        watch.before_file("a")
    with pytest.raises(ActivityCancelledError):
        watch.moved(read=1)


def test_an_activity_ends_at_its_timeout(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(watch_module.time, "monotonic", lambda: now[0])
    watch, _, _ = watching(timeout=timedelta(minutes=10))
    now[0] += 600
    watch.moved(read=1)
    now[0] += 1
    with pytest.raises(ActivityError, match=r"longer than its timeout of 0:10:00") as ended:
        watch.moved(read=1)
    assert ended.value.code == "ActivityTimeout"
