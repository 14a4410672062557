"""The parts of a copy: which files the next copy run takes, by what is in the lake already.

A part holds as many data files as a run copies well within the life of its credentials. The last one has the manifests
too, since an export in the lake is complete once its summary is there.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from d2c.export_format.manifest import MANIFEST_FILES, SUMMARY_FILE

DATA = "data/"
STARTED = "_started"
# The pipeline copies the summary itself, after all files of the last list.
LISTED_MANIFESTS = tuple(name for name in MANIFEST_FILES if name != SUMMARY_FILE)
# A list of so many names has some 2 MB.
MOST_FILES = 50_000
# With names of the greatest length.
MOST_LIST_BYTES = 2**24
NAMED_FILES = 3


@dataclass(frozen=True)
class CopyPart:
    """The files of one copy run by their paths in the export's folder, and the bytes of the data files."""

    files: tuple[str, ...]
    size_bytes: int
    is_last: bool

    def as_list(self) -> bytes:
        """Return the list of files as Data Factory reads it, one a line.

        https://learn.microsoft.com/azure/data-factory/connector-amazon-simple-storage-service#file-list-examples
        """
        return "\n".join(self.files).encode()


def copied_files(objects: Mapping[str, int], folder: str) -> dict[str, int]:
    """Return the files that a copied export has, with their sizes.

    Args:
        objects: the keys of the export's objects, with their sizes.
        folder: the export's folder in the bucket.
    """
    names = {key.removeprefix(f"{folder}/"): size for key, size in objects.items()}
    return {name: size for name, size in names.items() if name != STARTED}


def missing_files(expected: Mapping[str, int], arrived: Mapping[str, int]) -> dict[str, int]:
    """Return the files that are not in the lake, or not in their size; Data Factory replaces them."""
    return {name: size for name, size in expected.items() if arrived.get(name) != size}


def next_part(missing: Mapping[str, int], most_bytes: int) -> CopyPart:
    """Return the next part of a copy.

    Args:
        missing: the files that have not arrived, with their sizes.
        most_bytes: of its data files; one that is larger is a part by itself.
    """
    waiting = sorted(name for name in missing if name.startswith(DATA))
    taken: list[str] = []
    size_bytes = 0
    for name in waiting[:MOST_FILES]:
        if taken and size_bytes + missing[name] > most_bytes:
            break
        taken.append(name)
        size_bytes += missing[name]
    is_last = len(taken) == len(waiting)
    return CopyPart((*taken, *LISTED_MANIFESTS) if is_last else tuple(taken), size_bytes, is_last)


def read_list(content: bytes) -> tuple[str, ...]:
    """Return the files of a part by its list."""
    return tuple(content.decode().splitlines())


def has_progress(files: Iterable[str], missing: Collection[str]) -> bool:
    """Return whether a data file of a part has arrived, so that another run has less to do.

    Args:
        files: the part's, all of which were missing.
        missing: the files that have not arrived by now.
    """
    return any(name.startswith(DATA) and name not in missing for name in files)


def differences(expected: Mapping[str, int], arrived: Mapping[str, int]) -> str:
    """Return in words how many files are not the expected ones, with the first few."""
    names = expected.keys() | arrived.keys()
    unlike = sorted(name for name in names if expected.get(name) != arrived.get(name))
    examples = [
        f"{name} ({expected.get(name)} and {arrived.get(name)} bytes)" for name in unlike[:NAMED_FILES]
    ]
    return f"{len(unlike)} files of the export differ, such as {', '.join(examples)},"


def list_key(folder: str, operation: int, part: int, attempt: int) -> str:
    """Return the key of the list of files of a copy run, beside the export that it is of.

    Args:
        folder: the export's folder in the bucket.
        operation: the number of the operation.
        part: counted from 1.
        attempt: at this part, counted from 1.
    """
    return f"{lists_folder(folder)}/{operation}-{part}-{attempt}.txt"


def lists_folder(folder: str) -> str:
    """Return the folder of the lists of an export."""
    return f"{folder}.lists"
