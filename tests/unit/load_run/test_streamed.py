"""Data files that a worker opens by a path give what those do that lie in its memory, in bounded memory."""

import gzip
import json
import random
import tracemalloc
from dataclasses import replace

import pyarrow as pa
import pytest

from d2c.errors import PermanentError
from d2c.export_format import DataFile, ExportFormatError, md5_base64
from d2c.load_run import accounting, comparing, limits, workers
from d2c.load_run.streamed import StreamedFile, check_shown

from ..mapping.helpers import NOW, line_of, n, s
from .test_request import REQUEST

NAME = "a.json.gz"
ITEMS = [{"Artist": s(f"a{number}"), "year": n(str(number))} for number in range(3_000)]
LINES = [*map(line_of, ITEMS), line_of({"year": n("1")}), b'{"Item":{"Artist":{"S":"\xff"}}}', b"", b"{}"]
REJECTING = replace(REQUEST, rules_history=({},), max_rejected_items=10)
WORKERS = {
    "assess": lambda file: workers.assess_files(REJECTING, [file], NOW),
    "load": lambda file: workers.load_files(REJECTING, [file], NOW),
    "verify": lambda file: comparing.expected_documents(REJECTING, [file], NOW),
    "counts": lambda file: comparing.count_expected(REJECTING, [file], NOW, NOW, NOW),
}


def listed(content, item_count, md5=None):
    return DataFile(f"p/data/{NAME}", NAME, item_count, md5 or md5_base64(content))


def in_members(text):
    """Return a gzip of several members, which the kernel leaves to Python in the middle of a file."""
    third = len(text) // 3
    return b"".join(map(gzip.compress, (text[:third], text[third : 2 * third], text[2 * third :])))


@pytest.fixture
def rows_of(tmp_path):
    """Return the rows of a worker for a file in memory, or for one that it opens."""

    def rows(worker, content, *, streamed):
        path = tmp_path / NAME
        path.write_bytes(content)
        columns = {"path": [str(path)], "content": pa.array([None if streamed else content], pa.binary())}
        batches = worker([pa.record_batch(columns)])
        return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]

    return rows


@pytest.mark.parametrize("stage", WORKERS)
@pytest.mark.parametrize("compress", [gzip.compress, in_members])
def test_each_stage_has_the_same_rows_as_of_a_file_in_memory(rows_of, stage, compress):
    content = compress(b"\n".join(LINES))
    worker = WORKERS[stage](listed(content, len(LINES)))
    rows = rows_of(worker, content, streamed=True)
    assert rows
    assert unordered(rows) == unordered(rows_of(worker, content, streamed=False))


def unordered(rows):
    """Return rows with their tallies parsed, since the members of a census have no order."""
    return [(kind, json.loads(body) if kind == "file" else body, *rest) for kind, body, *rest in rows]


def faults(rows):
    (tally,) = accounting.parse_tallies("\n".join(body for kind, body in rows if kind == "file"))
    return tally.fault, tally.lines, [kind for kind, _ in rows if kind == "document"]


SOUND = gzip.compress(b"\n".join(map(line_of, ITEMS)), mtime=0)
DAMAGED = {
    "another file": gzip.compress(b"\n".join(map(line_of, ITEMS[1:])) + b"\n\n", mtime=0),
    "cut off": SOUND[:-100],
    "changed": SOUND[:2_000] + bytes([SOUND[2_000] ^ 1]) + SOUND[2_001:],
    "followed by more": SOUND + b"more",
    "no gzip": b'{"Item":{}}\n',
    "empty": b"",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("stage", ["assess", "load"])
def test_a_file_that_is_not_the_listed_one_is_refused_for_its_md5_and_never_loaded(rows_of, stage, content):
    file = listed(SOUND, len(ITEMS))
    worker = WORKERS[stage](file)
    fault, lines, documents = faults(rows_of(worker, content, streamed=True))
    assert fault.startswith(f"{NAME} has the MD5 {md5_base64(content)}, but the manifest has {file.md5}")
    assert fault == faults(rows_of(worker, content, streamed=False))[0]
    assert documents == []
    assert stage == "assess" or lines == 0


def test_assess_goes_through_all_lines_before_it_refuses_a_file(rows_of):
    file = listed(SOUND, len(ITEMS))
    fault, lines, _ = faults(rows_of(WORKERS["assess"](file), DAMAGED["another file"], streamed=True))
    assert (lines, "has the MD5" in fault) == (len(ITEMS), True)


@pytest.mark.parametrize(
    ("content", "item_count", "fault"),
    [
        (SOUND[:-100], len(ITEMS), f"{NAME} is a truncated gzip: it ends after {len(SOUND) - 100} bytes."),
        (SOUND, 2_000, f"{NAME} has more lines than the 2000 items of the manifest."),
    ],
)
def test_a_listed_file_that_is_faulty_is_refused_for_that(rows_of, content, item_count, fault):
    worker = WORKERS["load"](listed(content, item_count))
    assert faults(rows_of(worker, content, streamed=True))[0] == fault


def test_a_file_with_too_many_rejected_items_is_refused_for_its_md5_if_that_is_wrong(rows_of, monkeypatch):
    monkeypatch.setattr(limits, "KEPT_BEYOND_LIMIT", 5)
    content = gzip.compress(b"{}\n" * 300_000, compresslevel=0)
    for md5, fault in ((None, None), ("other", f"{NAME} has the MD5 {md5_base64(content)}, but")):
        rows = rows_of(WORKERS["assess"](listed(content, 300_000, md5)), content, streamed=True)
        (tally,) = accounting.parse_tallies(rows[-1][1])
        assert (tally.lines, tally.stopped) == (15, fault is None)
        assert fault is None or tally.fault.startswith(fault)


def test_a_damaged_file_stops_a_verification(rows_of):
    with pytest.raises(ExportFormatError, match="has the MD5"):
        rows_of(WORKERS["verify"](listed(SOUND, len(ITEMS))), DAMAGED["another file"], streamed=True)


def test_a_file_that_is_read_again_is_digested_once(tmp_path):
    (tmp_path / NAME).write_bytes(SOUND)
    file = StreamedFile(str(tmp_path / NAME))
    next(file.pieces())
    assert b"".join(file.pieces()) == SOUND
    assert file.md5() == file.md5() == md5_base64(SOUND)
    unread = StreamedFile(str(tmp_path / NAME))
    assert unread.md5() == md5_base64(SOUND)


def test_memory_does_not_grow_with_a_file(tmp_path):
    # Digits of which gzip leaves about half, 16 MB of them.
    text = "".join(random.Random(7).choices("0123456789", k=999))
    with gzip.open(tmp_path / NAME, "wb", compresslevel=1) as data:
        for number in range(16_000):
            data.write(f"{number:06}{text[number % 900 :]}{text[: number % 900]}\n".encode())
    lines = pa.record_batch({"path": [str(tmp_path / NAME)], "content": pa.array([None], pa.binary())})
    file = listed(b"", 16_000, StreamedFile(str(tmp_path / NAME)).md5())
    request = replace(REQUEST, max_rejected_items=10**6)
    tracemalloc.start()
    for batch in workers.load_files(request, [file], NOW)([lines]):
        del batch
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_folder_that_shows_the_lakes_files_is_taken(tmp_path):
    (tmp_path / NAME).write_bytes(SOUND)
    check_shown(str(tmp_path), {NAME: len(SOUND), "b.json.gz": 5})
    check_shown(str(tmp_path / "of an empty table"), {})


@pytest.mark.parametrize(
    ("sizes", "title", "cause"),
    [
        ({NAME: 5}, "The volume shows other files", f"has {len(SOUND):,} bytes, but 5 in the lake"),
        ({"0.json.gz": 5}, "A data file cannot be opened", "0.json.gz: No such file or directory"),
    ],
)
def test_a_folder_that_shows_something_else_is_refused_with_a_way_on(tmp_path, sizes, title, cause):
    (tmp_path / NAME).write_bytes(SOUND)
    with pytest.raises(PermanentError) as refusal:
        check_shown(str(tmp_path), sizes)
    texts = refusal.value.texts()
    assert (texts["title"], cause in texts["detail"]) == (title, True)
    assert "D2C_LAKE_VOLUME" in texts["next_step"]
