import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.export_format import ExportFormatError, read_lines


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
    with pytest.raises(ExportFormatError, match="line of more than"):
        lines_of(b"x" * (40 << 20))


@given(st.binary())
def test_any_bytes_give_lines_or_the_one_error(content):
    try:
        lines = list(read_lines(content, "x"))
    except ExportFormatError:
        return
    assert all(isinstance(line, bytes) for line in lines)
