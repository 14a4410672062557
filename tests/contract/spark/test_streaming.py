"""Data files that workers open by a path, in a Spark session: their size does not matter, and each has one row."""

from dataclasses import replace

import pytest

from d2c.errors import PermanentError
from d2c.export_format import DataFile
from d2c.load_run import accounting
from d2c.spark_run import table_load
from d2c.spark_run.table_load import TableLoad
from tests.unit.load_run.test_request import REQUEST


@pytest.fixture
def load_of(spark, tmp_path):
    """Return a load of data files, of names and sizes, that are in a folder."""

    def load(sizes, **changes):
        (tmp_path / "data").mkdir(exist_ok=True)
        files = tuple(DataFile(f"p/data/{name}", name, 0, "") for name in sizes)
        for name, size in sizes.items():
            (tmp_path / "data" / name).write_bytes(b"x" * size)
        found = TableLoad(replace(REQUEST, **changes), spark, None)
        vars(found).update(listed=files, sizes=sizes)
        return found

    return load


def test_a_data_file_over_the_limit_is_refused_unless_it_is_streamed(load_of, tmp_path, monkeypatch):
    monkeypatch.setattr(accounting.check_file_sizes, "__defaults__", (100,))
    sizes = {"a.json.gz": 101}
    with pytest.raises(PermanentError, match="larger than 100 bytes"):
        load_of(sizes).files  # noqa: B018 - looks at the files
    assert [file.name for file in load_of(sizes, streams_from=str(tmp_path)).files] == ["a.json.gz"]


@pytest.mark.parametrize(
    ("task_bytes", "is_small", "tasks"), [(10, False, 5), (1_000, False, 2), (25, False, 3), (10, True, 1)]
)
def test_files_are_spread_over_tasks_by_their_bytes(
    load_of, tmp_path, monkeypatch, task_bytes, is_small, tasks
):
    monkeypatch.setattr(table_load, "TASK_BYTES", task_bytes)
    monkeypatch.setattr(table_load, "SMALL_EXPORT_BYTES", 1_000 if is_small else 0)
    load = load_of({f"{number}.json.gz": 10 + number for number in range(5)}, streams_from=str(tmp_path))
    rows = load.contents_of(load.files)
    assert rows.rdd.getNumPartitions() == tasks
    assert [(row.path, row.content) for row in rows.collect()] == [
        (f"{tmp_path}/data/{number}.json.gz", None) for number in range(5)
    ]
    some = load.contents_of(load.files[3:])
    assert [row.path for row in some.collect()] == [f"{tmp_path}/data/{number}.json.gz" for number in (3, 4)]


def test_an_empty_table_has_no_rows(load_of, tmp_path):
    assert load_of({}, streams_from=str(tmp_path)).contents.count() == 0
