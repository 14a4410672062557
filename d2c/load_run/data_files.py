"""Data files as Spark's ``binaryFile`` source hands them to a worker: whole, one row each."""

from collections.abc import Iterator, Mapping

from d2c.export_format import DataFile, ExportFormatError, md5_base64, read_lines
from d2c.load_run.batches import Batches


def files_of(batches: Batches) -> Iterator[tuple[str, memoryview]]:
    """Return names and bytes of data files from rows of ``path, content``, without copying them."""
    for batch in batches:
        for path, content in zip(batch.column("path"), batch.column("content"), strict=True):
            yield path.as_py().rsplit("/", 1)[-1], memoryview(content.as_buffer())


def checked_lines(listed: Mapping[str, DataFile], name: str, content: memoryview) -> Iterator[bytes]:
    """Return the lines of a data file whose bytes have the manifest's MD5."""
    file = listed.get(name)
    if file is None:
        raise ExportFormatError(f"{name} is not in the manifest.", "Copy the export again.")
    digest = md5_base64(content)
    if digest != file.md5:
        raise ExportFormatError(
            f"{name} has the MD5 {digest} and the manifest says {file.md5}.", "Copy the export again."
        )
    return read_lines(content, name)
