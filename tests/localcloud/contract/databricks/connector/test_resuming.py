"""A table's load in groups of data files, with a real Spark and a local Cosmos DB, and another after a lost cluster."""

import functools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from d2c.load_run.progress import PROGRESS_FILE
from d2c.load_run.request import LoadRequest
from d2c.load_run.resuming.done_files import parse_group
from d2c.spark_run import counting, table_load, writing
from d2c.spark_run.running import run_stages
from d2c.spark_run.table_load import TableLoad
from localcloud.aws.api import export_files
from tests.localcloud.contract.cosmos_account import KEY
from tests.localcloud.contract.databricks.exported import EXPORT_ARN, TABLE_ARN, put_export

ITEMS = [{"pk": {"S": f"k{number}"}, "n": {"N": str(number)}} for number in range(600)]
INEXACT = [
    {"pk": {"S": f"x{number}"}, "n": {"N": "0.1234567890123456789012345678901234567"}} for number in range(7)
]


class Files:
    """``dbutils.fs`` over this machine's files, and the lake as an export is put into it."""

    def __init__(self, folder):
        self.folder = folder

    def upload_blob(self, path, content, overwrite):
        self._at(path).write_bytes(content)

    def put(self, path, text, overwrite):
        self._at(path).write_text(text)

    def head(self, path, most_bytes):
        return self._at(path).read_bytes()[:most_bytes].decode(errors="replace")

    def mkdirs(self, path):
        self._at(f"{path}/x")

    def ls(self, path):
        found = self._at(f"{path}/x").parent.iterdir()
        return [SimpleNamespace(name=file.name, size=file.stat().st_size) for file in found]

    def _at(self, path):
        place = self.folder / Path(path.removeprefix("file:"))
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def go_on(load):
    """Let a table be loaded: its container is there."""
    return True


class ClusterLostError(Exception):
    """Stands for the end of the driver: nothing after it is done."""


class Loads:
    """The load runs of one table."""

    def __init__(self, spark, account, table_of, folder):
        self.spark, self.folder, self.files = spark, f"file:{folder}", Files(folder)
        self.container = table_of("/pk").container
        self.request = LoadRequest(
            migration="m",
            table="Music",
            table_arn=TABLE_ARN,
            export_arn=EXPORT_ARN,
            stages=("assess", "load", "verify"),
            export_folder=f"{self.folder}/export",
            result_folder="",
            hash_key="pk",
            range_key=None,
            ttl_attribute=None,
            rules_history=({"numbers": "reject"},),
            max_rejected_items=len(INEXACT),
            verify="full",
            cosmos_endpoint=account.url,
            cosmos_auth="MasterKey",
            secret_scope="cosmos",
            database=self.container.container_link.split("/")[1],
            container=self.container.id,
            done_folder=f"{self.folder}/start-0-done",
        )

    def load(self, attempt):
        request = replace(self.request, result_folder=f"{self.folder}/start-0-{attempt}")
        dbutils = SimpleNamespace(fs=self.files, secrets=SimpleNamespace(get=lambda scope, name: KEY))
        return TableLoad(request, self.spark, dbutils)

    def run(self, attempt):
        """Run all stages; return the result as the app reads it."""
        run_stages(self.load(attempt), go_on, alone=True)
        return json.loads(self.files.head(f"{self.folder}/start-0-{attempt}/result.json", 2**24))

    def done(self, stage):
        """Return the data files that are done, by the names of their groups."""
        load = self.load(0)
        listed = {file.name: file for file in load.listed}
        names = [name.removesuffix(".json") for name in load.done_names if f".{stage}." in name]
        groups = [
            parse_group(name, load.read_done(f"{name}.json", 2**24), load.request, listed) for name in names
        ]
        return {group.name: group.files for group in groups}

    def etags(self):
        found = self.container.query_items("SELECT c.id, c._etag FROM c", enable_cross_partition_query=True)
        return {one["id"]: one["_etag"] for one in found}

    def rejected(self, attempt):
        folder = Path(f"{self.folder}/start-0-{attempt}/rejected".removeprefix("file:"))
        lines = [line for part in folder.glob("part-*") for line in part.read_text().splitlines()]
        return sorted(json.loads(line)["keys"]["pk"]["S"] for line in lines)


@pytest.fixture
def loads(spark, account, table_of, tmp_path, monkeypatch):
    monkeypatch.setattr(export_files, "ITEMS_PER_FILE", 60)
    monkeypatch.setattr(table_load, "SMALL_EXPORT_BYTES", 0)
    found = Loads(spark, account, table_of, tmp_path)
    put_export(found.files, str(tmp_path), [*ITEMS, *INEXACT])
    return found


def lost_after(monkeypatch, groups):
    """Let the driver end while a group of data files is written, after so many."""
    write, begun = writing._upsert_documents, []

    def upsert(*arguments):
        begun.append(1)
        number = len(begun)
        write(*arguments)
        if number > groups:
            raise ClusterLostError

    monkeypatch.setattr(writing, "_upsert_documents", upsert)


def test_another_run_goes_on_with_the_data_files_that_are_left(loads, monkeypatch):
    with monkeypatch.context() as patch:
        lost_after(patch, 1)
        with pytest.raises(ClusterLostError):
            loads.run(1)
    before, written = loads.done("load"), loads.etags()
    done = set().union(*before.values())
    assert 0 < len(done) < len(loads.load(0).listed)

    result = loads.run(2)
    assert result["state"] == "succeeded", result["error"]
    after = loads.done("load")
    repeated = [files for name, files in after.items() if name.startswith("start-0-2.")]
    assert done.isdisjoint(set().union(*repeated))
    assert set().union(*after.values()) == {file.name for file in loads.load(0).listed}
    # Assess was done, so nothing of it was repeated.
    assert [name for name in loads.done("assess") if name.startswith("start-0-2.")] == []
    kept = {name for name, etag in loads.etags().items() if written.get(name) == etag}
    documents = sum(
        json.loads(loads.files.head(f"{loads.folder}/start-0-done/groups/{name}.json", 2**24))["tallies"][n][
            "documents"
        ]
        for name, files in before.items()
        for n in range(len(files))
    )
    assert len(kept) == documents

    assert result["loaded"]["documents"] == len(ITEMS)
    assert (result["loaded"]["rejected"], loads.rejected(2)) == (7, [f"x{number}" for number in range(7)])
    counts = {name: result["verification"][name] for name in ("expected", "actual", "missing", "different")}
    assert counts == {"expected": 600, "actual": 600, "missing": 0, "different": 0}


def test_counts_census_and_rejected_items_are_those_of_a_run_that_was_not_lost(loads, monkeypatch):
    whole = loads.run(1)
    loads.request = replace(loads.request, done_folder=f"{loads.folder}/start-1-done")
    merged = writing._merged
    with monkeypatch.context() as patch:
        groups = []

        def lost(outcomes):
            groups.append(1)
            if len(groups) == 3:
                raise ClusterLostError
            return merged(outcomes)

        patch.setattr(writing, "_merged", lost)
        with pytest.raises(ClusterLostError):
            loads.run(2)
    assert loads.done("assess")
    resumed = loads.run(3)
    for name in ("assessed", "loaded", "files"):
        assert resumed[name] == whole[name]
    for name in ("document_bytes", "attributes", "write_ru", "longest_document_id_bytes"):
        assert resumed["census"][name] == whole["census"][name]
    assert loads.rejected(3) == loads.rejected(1)
    assert resumed["verification"]["different"] == 0


def test_the_times_of_the_first_run_are_kept(loads, monkeypatch):
    with monkeypatch.context() as patch:
        lost_after(patch, 1)
        with pytest.raises(ClusterLostError):
            loads.run(1)
    names = [
        f"{loads.folder}/start-0-done/groups/{name}.json"
        for name in (*loads.done("assess"), *loads.done("load"))
    ]
    for name in names:
        group = json.loads(loads.files.head(name, 2**24))
        loads.files.put(name, json.dumps({**group, "began_at": group["began_at"] - 1000}), True)
    first = {stage: min(began_at(loads, stage)) for stage in ("assess", "load")}
    result = loads.run(2)
    assert (result["assessed_at"], result["load_started_at"]) == (first["assess"], first["load"])


def began_at(loads, stage):
    for name in loads.done(stage):
        yield json.loads(loads.files.head(f"{loads.folder}/start-0-done/groups/{name}.json", 2**24))[
            "began_at"
        ]


def test_tasks_tell_how_far_they_are_while_they_run_and_of_load_no_more_than_the_container_has(
    loads, monkeypatch
):
    seen, too_many = {}, []
    often = functools.partial(counting.repeated, seconds=0.05)
    monkeypatch.setattr(counting, "repeated", often)
    load = loads.load(1)
    report = load.counts.report

    def noted(name, items):
        seen.setdefault(load.counts._stage, {})[name] = items
        report(name, items)
        if load.counts._stage == "load":
            told = load.counts.look()["done"]
            too_many.append(max(told - len(INEXACT) - len(loads.etags()), 0))

    monkeypatch.setattr(load.counts, "report", noted)
    run_stages(load, go_on, alone=True)
    files = {file.name: file.item_count for file in load.listed if file.item_count}
    assert {name: items for name, items in seen["verify"].items() if name in files} == files
    assert sum(items for name, items in seen["verify"].items() if name.startswith("documents ")) == 600
    assert set(too_many) == {0}
    assert loads.files.head(f"{loads.folder}/start-0-1/{PROGRESS_FILE}", 2**20)
