"""What a table's load reads of the lake without Spark, which these have none of."""

from types import SimpleNamespace

import pytest

from d2c.export_format import ExportFormatError
from d2c.export_format.manifest import FILE_LIST_FILE, SUMMARY_MD5_FILE
from d2c.spark_run.table_load import TableLoad
from tests.localcloud.contract.databricks.exported import EXPORT_ARN, TABLE_ARN, put_export
from tests.unit.load_run.batches import request

ITEMS = [{"pk": {"S": f"k{number}"}} for number in range(30)]


class Lake:
    """``dbutils.fs`` over a dictionary."""

    def __init__(self):
        self.files, self.made = {}, None

    def upload_blob(self, path, content, overwrite):
        self.files[path] = content

    def head(self, path, most_bytes):
        return self.files[path][:most_bytes].decode(errors="replace")

    def ls(self, folder):
        inner = [path.removeprefix(f"{folder}/") for path in self.files if path.startswith(f"{folder}/")]
        if not inner:
            raise FileNotFoundError(folder)
        return [SimpleNamespace(name=name) for name in {path.partition("/")[0] for path in inner}]

    def mkdirs(self, folder):
        self.made = folder


@pytest.fixture
def lake():
    found = Lake()
    put_export(found, "shop", ITEMS)
    return found


@pytest.fixture
def load(lake):
    asked = request(
        {},
        table_arn=TABLE_ARN,
        export_arn=EXPORT_ARN,
        export_folder="shop/export",
        result_folder="m/tables/T/start-0-2",
        done_folder="m/tables/T/start-0-done",
    )
    return TableLoad(asked, None, SimpleNamespace(fs=lake))


def test_short_manifests_are_read_without_spark(load):
    assert sum(file.item_count for file in load.listed) == 30


@pytest.mark.parametrize("content", [None, b"\xff", b" " * 2**20], ids=["missing", "no text", "long"])
def test_others_are_left_to_spark(load, lake, content):
    path = f"shop/export/{FILE_LIST_FILE}"
    if content is None:
        del lake.files[path]
    else:
        lake.files[path] = content
    assert load._short_manifests() is None


def test_an_md5_file_that_is_too_large_is_refused_before_it_is_taken(load, lake):
    lake.files[f"shop/export/{SUMMARY_MD5_FILE}"] = b"x" * 2000
    with pytest.raises(ExportFormatError, match=r"manifest-summary.md5 has 2,000 bytes"):
        load.listed  # noqa: B018 - reads it


def test_a_run_that_is_the_first_finds_nothing_done_and_makes_no_folder(load, lake):
    lake.files["m/tables/T/start-0-2/request.json"] = b"{}"
    assert (load.done_names, lake.made) == ((), None)


def test_what_was_done_is_found_by_its_names(load, lake):
    for name in ("b.load.0.json", "a.assess.0.json"):
        lake.files[f"m/tables/T/start-0-done/groups/{name}"] = b"{}"
    assert list(load.done_names) == ["a.assess.0.json", "b.load.0.json"]
