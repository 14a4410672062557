"""Data files that a worker opens by a path, such as one below ``/Volumes``, and reads piece by piece."""

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from d2c.errors import PermanentError

PIECE_BYTES = 1 << 18
WITHOUT_IT = "Without D2C_LAKE_VOLUME d2c reads data files of up to 1 GB."


class StreamedFile:
    """A data file of any size, of which one piece is in memory.

    Its MD5 is taken of the bytes as they are read, so that it is that of what was decompressed.

    Args:
        path: as a worker opens it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.first_bytes = b""
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._digested_bytes = 0

    def pieces(self) -> Iterator[bytes]:
        """Return its bytes, from the first one each time.

        Raises:
            OSError: if it cannot be read; Spark then tries the task again.
        """
        return self._read(0)

    def md5(self) -> str:
        """Return its MD5 in base64, as in manifests, after reading what has not been read."""
        for _ in self._read(self._digested_bytes):
            pass
        return base64.b64encode(self._md5.digest()).decode()

    def _read(self, place: int) -> Iterator[bytes]:
        with Path(self.path).open("rb") as file:
            file.seek(place)
            while piece := file.read(PIECE_BYTES):
                if place == 0:
                    self.first_bytes = piece[:2]
                place += len(piece)
                self._digest(piece, place)
                yield piece

    def _digest(self, piece: bytes, end: int) -> None:
        """Digest what of a piece is beyond what has been digested."""
        new_bytes = end - self._digested_bytes
        if new_bytes > 0:
            self._md5.update(memoryview(piece)[-new_bytes:])
            self._digested_bytes = end


def check_shown(folder: str, sizes: Mapping[str, int]) -> None:
    """Check that a folder shows the lake's data files, by the first of them.

    Args:
        folder: its path on the cluster.
        sizes: the data files in the lake, in bytes by name.

    Raises:
        PermanentError: if the file cannot be opened there, or is not the lake's.
    """
    for name in sorted(sizes)[:1]:
        path = f"{folder}/{name}"
        try:
            with Path(path).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
        except OSError as error:
            raise PermanentError(
                f"The cluster cannot open {path}: {error.strerror}.",
                "Check that the volume in D2C_LAKE_VOLUME is there, that whoever runs the notebook has READ VOLUME on "
                f"it, and that the cluster has Unity Catalog. {WITHOUT_IT}",
                title="A data file cannot be opened",
            ) from error
        if size != sizes[name]:
            raise PermanentError(
                f"{path} has {size:,} bytes, but {sizes[name]:,} in the lake.",
                f"Let D2C_LAKE_VOLUME name the volume of the lake's folder exports. {WITHOUT_IT}",
                title="The volume shows other files",
            )
