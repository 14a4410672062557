"""Whatever bytes a data file has, its lines are read within bounds, or the file is named with its fault."""

import gzip
from tempfile import NamedTemporaryFile

from hypothesis import strategies as st

from d2c.export_format import DataFile, ExportFormatError, md5_base64
from d2c.load_run.batches import checked_lines
from d2c.load_run.streamed import StreamedFile

from .fuzzing import fuzzed, torn, within_bounds

NAME = "a.json.gz"
texts = st.lists(
    st.sampled_from([b"", b"\n", b"{}\n", b"\r\n", b"\x00"]) | st.binary(max_size=60), max_size=8
).map(b"".join)
large = st.builds(lambda text, times: text * times, texts, st.sampled_from([1, 1, 10, 300]))
member = st.builds(gzip.compress, large, st.sampled_from([0, 1, 9]), mtime=st.just(0))
tiny = st.builds(
    lambda text, times: gzip.compress(text, mtime=0) * times,
    st.sampled_from([b"", b"\n", b"x"]),
    st.just(300),
)
whole = st.lists(st.one_of(member, member, tiny), max_size=5).map(b"".join)


def lines_of(content, item_count, streamed=None):
    """Return the lines of a file with as many items as the manifest counts, or None if it is refused."""
    listed = {NAME: DataFile(f"p/data/{NAME}", NAME, item_count, md5_base64(content))}
    lines = []
    try:
        for line in checked_lines(listed, NAME, streamed or memoryview(content)):
            lines.append(line)
    except ExportFormatError as error:
        assert error.detail.startswith(NAME)
        assert len(error.detail) < 300
        return None
    finally:
        assert len(lines) <= item_count
    return lines


@fuzzed(torn(whole) | st.binary(max_size=200), st.sampled_from([0, 1, 7, 2**62]))
def test_a_torn_file_has_lines_or_a_fault(content, item_count):
    with within_bounds():
        lines = lines_of(content, item_count)
    if lines is not None:
        assert all(b"\n" not in line for line in lines)
        assert lines == whole_lines(gzip.decompress(content))


@fuzzed(whole)
def test_a_sound_file_has_the_lines_that_were_written(content):
    expected = whole_lines(gzip.decompress(content))
    with within_bounds():
        lines = lines_of(content, len(expected))
    assert lines == (expected if content else None)
    if expected:
        assert lines_of(content, len(expected) - 1) is None


@fuzzed(torn(whole) | st.binary(max_size=200), st.sampled_from([0, 1, 7, 2**62]))
def test_a_streamed_file_has_the_lines_or_the_fault_of_one_in_memory(content, item_count):
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with within_bounds():
            lines = lines_of(content, item_count, StreamedFile(file.name))
    assert lines == lines_of(content, item_count)


def whole_lines(text):
    *lines, last = text.split(b"\n")
    return [*lines, last] if last else lines
