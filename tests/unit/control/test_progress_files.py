import json

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.control.progress_files import LONGEST_REMEMBERED_SECONDS, MOST_READ_AGAIN, ProgressFiles
from d2c.load_run.told.progress import PROGRESS_BYTES
from tests.unit.file_system import SubstituteFileSystem

PATHS = [f"tables/{number}/progress.json" for number in range(2 * MOST_READ_AGAIN + 3)]


class Files:
    """Progress files of many tables in a lake that notes what is read, and a clock that a test sets."""

    def __init__(self):
        self.read_paths, self.seconds = [], 0.0
        self.lake = Lake(SubstituteFileSystem())
        self.progress = ProgressFiles(lambda: self.seconds)
        for path in PATHS:
            self.write(path, 0)

    def write(self, path, done):
        self.lake.write_json(path, {"stages": [{"stage": "load"}], "done": done, "total": 9})

    async def read(self, *paths):
        """Return what is told, and the paths that were read for it."""
        lake, read_paths = AsyncLake(self.lake), []
        reading = lake.read

        async def noted(path, most_bytes):
            read_paths.append(path)
            return await reading(path, most_bytes)

        lake.read = noted
        told = await self.progress.read(lake, paths)
        assert sorted(told) == sorted(paths)
        return {path: progress and progress["done"] for path, progress in told.items()}, read_paths


@pytest.fixture
def files():
    return Files()


async def test_a_few_files_are_read_each_time(files):
    few = PATHS[:MOST_READ_AGAIN]
    for done in range(3):
        for path in few:
            files.write(path, done)
        assert await files.read(*few) == (dict.fromkeys(few, done), few)


async def test_of_many_those_are_read_again_that_were_read_longest_ago(files):
    assert (await files.read(*PATHS))[1] == PATHS
    for path in PATHS:
        files.write(path, 1)
    seen = []
    for files.seconds in (1, 2, 3):
        told, read_paths = await files.read(*PATHS)
        assert len(read_paths) == MOST_READ_AGAIN
        seen += read_paths
        assert {path for path in PATHS if told[path]} == set(seen)
    assert set(seen) == set(PATHS)


async def test_those_that_were_not_asked_for_yet_are_read_at_once(files):
    await files.read(*PATHS[1:])
    read_paths = (await files.read(*PATHS))[1]
    assert PATHS[0] in read_paths
    assert len(read_paths) == MOST_READ_AGAIN + 1


async def test_after_a_while_all_are_read_again(files):
    await files.read(*PATHS)
    files.seconds = LONGEST_REMEMBERED_SECONDS
    assert len((await files.read(*PATHS))[1]) == MOST_READ_AGAIN
    files.seconds += LONGEST_REMEMBERED_SECONDS + 1
    assert len((await files.read(*PATHS))[1]) == len(PATHS)


async def test_a_file_that_is_not_there_or_is_none_tells_nothing(files):
    files.lake.write("odd", b"[]")
    files.lake.write("large", json.dumps({"stages": []}).encode() + b" " * PROGRESS_BYTES)
    assert (await files.read("odd", "gone", "large", PATHS[0]))[0] == {
        "odd": None,
        "gone": None,
        "large": None,
        PATHS[0]: 0,
    }
