"""The kernel decompresses as the reference does, and of damaged files gives as much, and the same error."""

import gzip
import itertools
import random

import pytest

from d2c.export_format import ExportFormatError, decompressed
from d2c.load_run.kernel import module
from d2c.load_run.kernel.module import decompress

NOISE = random.Random(1)
SMALL = gzip.compress(b"line\n" * 1000)
LARGE = gzip.compress(
    NOISE.randbytes(3 << 20).hex().encode() + b"a" * (9 << 20) + NOISE.randbytes(1 << 20), 1
)


def outcome(way, content):
    found = b""
    try:
        for piece in way(content, "f"):
            found += piece
    except ExportFormatError as error:
        return found, str(error)
    return found, None


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


FILES = {
    "small": SMALL,
    "large": LARGE,
    "none": gzip.compress(b""),
    "two members": SMALL + SMALL,
    "two large members": LARGE + LARGE,
    "text behind": LARGE + b"text",
    "no gzip": b"text",
    "no bytes": b"",
    **{f"cut {at}": SMALL[:at] for at in (1, 9, 10, 11, len(SMALL) - 9, len(SMALL) - 8, len(SMALL) - 1)},
    **{f"large cut {part}": LARGE[: len(LARGE) * part // 20] for part in range(1, 20)},
    **{f"flipped {at}": flipped(SMALL, at) for at in (0, 2, 3, 10, 15, len(SMALL) - 8, len(SMALL) - 1)},
    **{f"large flipped {part}": flipped(LARGE, len(LARGE) * part // 20) for part in range(1, 20)},
    "large with a wrong sum": flipped(LARGE, len(LARGE) - 6),
}


@pytest.mark.parametrize("whole_bytes", [module.WHOLE_BYTES, -1])
@pytest.mark.parametrize("file", FILES)
def test_the_kernel_decompresses_as_the_reference_does(file, whole_bytes, monkeypatch):
    monkeypatch.setattr(module, "WHOLE_BYTES", whole_bytes)
    assert outcome(decompress, memoryview(FILES[file])) == outcome(decompressed, memoryview(FILES[file]))


def test_files_that_are_read_side_by_side_do_not_share_memory():
    contents = [NOISE.randbytes(1 << 20).hex().encode(), b"other\n" * 400_000]
    files = [gzip.compress(content, 1) for content in contents]
    assert b"".join(decompress(files[0], "f")) == contents[0]
    readers, found = [decompress(file, "f") for file in files], [b"", b""]
    for pieces in itertools.zip_longest(*readers, fillvalue=b""):
        found = [before + piece for before, piece in zip(found, pieces, strict=True)]
    assert found == contents
