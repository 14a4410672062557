import base64
import json

import pytest

from d2c.errors import PermanentError, RefusedError
from d2c.state import rejected_pages
from d2c.state.rejected_pages import Cursor, read_page, read_token

FOLDERS = {"Music": "m/rejected", "Orders": "o/rejected"}


class SubstituteLake:
    def __init__(self, files):
        self.files = files
        self.read = 0

    def sizes(self, folder):
        prefix = f"{folder}/"
        return {
            path.removeprefix(prefix): len(content)
            for path, content in self.files.items()
            if path.startswith(prefix)
        }

    def read_range(self, path, offset, length):
        content = self.files[path][offset : offset + length]
        assert len(content) == length
        self.read += length
        return content


def line(number, reason="inexact_number", filling=""):
    return json.dumps(
        {"file": "f.json.gz", "line": number, "reason": reason, "item": {"a": filling}}
    ).encode()


def lake(*, ends=b"\n"):
    numbers = iter(range(1, 100))

    def content(count):
        return ends.join(line(next(numbers)) for _ in range(count)) + ends

    return SubstituteLake(
        {
            "m/rejected/_SUCCESS": b"",
            "m/rejected/part-00001.txt": content(3),
            "m/rejected/part-00002.txt": b"",
            "m/rejected/part-00003.txt": content(2),
            "o/rejected/part-00000.txt": content(4),
        }
    )


@pytest.mark.parametrize(
    "content", [b"[1]\n", b"1\n", b'{"reason": 1}\n', b'{"line": 1}\n', b' {"reason": "r"}\n', b"{\n"]
)
def test_what_is_no_rejected_item_is_told_by_its_place(content):
    source = SubstituteLake({"m/rejected/part-00000.txt": line(1) + b"\n" + content})
    with pytest.raises(
        PermanentError, match=rf"part-00000.txt .* no rejected item at byte {len(line(1)) + 1}: "
    ):
        read_page(source, FOLDERS, None, 10, None)


def test_a_line_without_an_end_is_read_no_further_than_items_are_long(monkeypatch):
    monkeypatch.setattr(rejected_pages, "PIECE_BYTES", 100)
    monkeypatch.setattr(rejected_pages, "MOST_LINE_BYTES", 1_000)
    source = SubstituteLake({"m/rejected/part-00000.txt": line(1) + b"\n" + b"x" * 9_000})
    with pytest.raises(PermanentError, match=f"at byte {len(line(1)) + 1}: a line has more than 1,000 bytes"):
        read_page(source, FOLDERS, None, 10, None)
    assert source.read < 1_300


def pages(source, most, reason=None, folders=FOLDERS):
    begin = None
    while True:
        items, begin = read_page(source, folders, reason, most, begin)
        yield [json.loads(item) for item in items]
        if begin is None:
            return
        begin = read_token(begin.to_token())


@pytest.mark.parametrize("most", [1, 2, 3, 4, 9, 10, 100])
@pytest.mark.parametrize("piece", [1, 7, 100, 2**20])
def test_pages_of_any_size_hold_every_item_once_in_order(monkeypatch, most, piece):
    monkeypatch.setattr(rejected_pages, "PIECE_BYTES", piece)
    found = list(pages(lake(), most))
    assert [item["line"] for page in found for item in page] == list(range(1, 10))
    assert [len(page) for page in found][:-1] == [most] * (len(found) - 1)
    assert found[-1]


def test_each_item_names_its_table():
    (page,) = pages(lake(), 100)
    assert [item["table"] for item in page] == ["Music"] * 5 + ["Orders"] * 4


def test_only_the_asked_reason_is_listed():
    source = lake()
    source.files["o/rejected/part-00000.txt"] = line(7, "missing_key") + b"\n" + line(8) + b"\n"
    assert [item["line"] for page in pages(source, 2, "missing_key") for item in page] == [7]


def test_a_last_line_without_an_end_counts():
    source = SubstituteLake({"m/rejected/part-0": line(1) + b"\n" + line(2)})
    assert [item["line"] for (item,) in pages(source, 1, folders={"Music": "m/rejected"})] == [1, 2]


def test_an_item_is_listed_byte_by_byte_as_it_was_kept():
    kept = b'{"file":"f","line":1,"reason":"x","item":{"n":1.00000000000000000001,"n":2}}'
    items, _ = read_page(SubstituteLake({"m/rejected/part-0": kept}), {"Music": "m/rejected"}, None, 1, None)
    assert items == [b'{"table":"Music",' + kept[1:]]


def test_a_page_ends_early_rather_than_read_or_answer_without_bound(monkeypatch):
    monkeypatch.setattr(rejected_pages, "MOST_BYTES_READ", 150)
    found = list(pages(lake(), 100, "missing_key"))
    assert len(found) > 1
    assert not any(found)
    monkeypatch.setattr(rejected_pages, "MOST_BYTES_READ", 2**30)
    monkeypatch.setattr(rejected_pages, "MOST_BYTES_ANSWERED", 150)
    found = list(pages(lake(), 100))
    assert [item["line"] for page in found for item in page] == list(range(1, 10))
    assert len(found) > 2


def test_a_page_reads_no_more_than_it_needs(monkeypatch):
    monkeypatch.setattr(rejected_pages, "PIECE_BYTES", 100)
    source = SubstituteLake({"m/rejected/part-0": b"\n".join(line(n) for n in range(10_000))})
    read_page(source, {"Music": "m/rejected"}, None, 2, None)
    assert source.read < 500


def test_what_is_no_json_is_told_with_file_and_place():
    source = SubstituteLake({"m/rejected/part-0": line(1) + b"\n{cut\n"})
    with pytest.raises(PermanentError, match=f"part-0.*byte {len(line(1)) + 1}"):
        read_page(source, {"Music": "m/rejected"}, None, 5, None)


def token_of(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "%%%",
        "é",
        base64.b64encode(b"[" * 1500).decode(),
        token_of(["Music", "m/rejected", "part-00001.txt", 10**400]),
        token_of(None),
        token_of({}),
        token_of([]),
        token_of(["Music", "m/rejected", "part-00001.txt"]),
        token_of(["Music", "m/rejected", "part-00001.txt", "0"]),
        token_of(["Music", "m/rejected", "part-00001.txt", -1]),
        token_of(["Music", "m/rejected", "part-00001.txt", True]),
        token_of([["Music"], "m/rejected", "part-00001.txt", 0]),
    ],
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(RefusedError, match="token"):
        read_token(token)


@pytest.mark.parametrize(
    "place",
    [
        Cursor("Music", "m/rejected", "part-00001.txt", 1),
        Cursor("Music", "m/rejected", "part-00001.txt", 10**9),
        Cursor("Music", "m/rejected", "_SUCCESS", 0),
        Cursor("Music", "m/rejected", "../../plan.json", 0),
        Cursor("Music", "o/rejected", "part-00000.txt", 0),
        Cursor("Films", "m/rejected", "part-00001.txt", 0),
    ],
)
def test_a_place_at_which_no_page_begins_is_refused(place):
    with pytest.raises(RefusedError):
        read_page(lake(), FOLDERS, None, 5, place)


def test_items_that_a_replay_has_replaced_since_the_page_before_are_not_mixed():
    _, following = read_page(lake(), FOLDERS, None, 1, None)
    with pytest.raises(RefusedError, match="not those any more"):
        read_page(lake(), {**FOLDERS, "Music": "replayed/rejected"}, None, 1, following)
