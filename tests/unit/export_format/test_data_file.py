import gzip
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.export_format import ExportFormatError, read_lines
from d2c.export_format.data_file import MOST_MEMBERS
from tests.fuzz.fuzzing import within_bounds


def lines_of(text):
    return list(read_lines(gzip.compress(text), "a.json.gz"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"a\n\n", [b"a", b""]),
        ("a\u2028b\x85\r\n".encode(), ["a\u2028b\x85\r".encode()]),
    ],
)
def test_lines_end_at_the_newline_byte_only(text, lines):
    assert lines_of(text) == lines


def test_lines_across_pieces_are_whole():
    text = b"".join(b"%d" % number * 50 + b"\n" for number in range(100_000))
    assert lines_of(text) == text.split(b"\n")[:-1]


def test_several_gzip_members_are_one_file():
    assert list(read_lines(gzip.compress(b"a\nb") + gzip.compress(b"c\n"), "x")) == [b"a", b"bc"]


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_gzip_that_ends_early_is_an_error_that_names_the_file(cut):
    with pytest.raises(ExportFormatError, match=r"a\.json\.gz"):
        list(read_lines(gzip.compress(b"some text\n" * 100)[:-cut], "a.json.gz"))


def test_a_flipped_byte_is_found():
    content = bytearray(gzip.compress(b"some text\n" * 1000))
    content[len(content) // 2] ^= 1
    with pytest.raises(ExportFormatError):
        list(read_lines(bytes(content), "a.json.gz"))


def test_a_too_long_line_is_an_error_in_bounded_memory():
    longest = b"x" * (16 << 20)
    assert lines_of(longest) == [longest]
    for more in (b"x", b"x" * (24 << 20)):
        with pytest.raises(ExportFormatError, match="line of more than 16777216 bytes"):
            lines_of(longest + more)


def test_a_file_of_no_bytes_is_an_error_that_names_it():
    with pytest.raises(ExportFormatError, match=r"a\.json\.gz has no bytes"):
        list(read_lines(b"", "a.json.gz"))


def test_many_tiny_members_are_read_in_time_that_grows_with_them_and_too_many_are_refused():
    tiny = gzip.compress(b"")
    with within_bounds():
        assert list(read_lines(tiny * (MOST_MEMBERS - 1) + gzip.compress(b"a\n"), "x")) == [b"a"]
    with pytest.raises(ExportFormatError, match="more than 100000 members"):
        list(read_lines(tiny * (MOST_MEMBERS + 1), "x"))


def test_a_member_that_ends_within_a_piece_is_followed_by_the_next_one():
    texts = [b"%d\n" % number * size for number, size in enumerate((1, 4_000, 9_000, 70_000, 1))]
    members = [gzip.compress(text, compresslevel=0) for text in texts]
    assert list(read_lines(b"".join(members), "x")) == b"".join(texts).split(b"\n")[:-1]


def test_a_bomb_of_short_lines_is_read_only_as_far_as_it_is_asked_for():
    bomb = gzip.compress(b"\n" * 50_000_000, compresslevel=1)
    with within_bounds():
        assert list(islice(read_lines(bomb, "x"), 3)) == [b"", b"", b""]


@given(st.binary())
def test_any_bytes_give_lines_or_the_one_error(content):
    try:
        lines = list(read_lines(content, "x"))
    except ExportFormatError:
        return
    assert all(isinstance(line, bytes) for line in lines)
