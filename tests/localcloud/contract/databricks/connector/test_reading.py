"""Reads by Spark against a running local Cosmos DB."""

import json
import time

import pytest

from localcloud.databricks.connector.reading import REPLICA_LAG_SECONDS


def filled(table, count=60, size=10):
    table.write([json.dumps({"id": str(n), "pk": f"p{n}", "n": n, "s": "x" * size}) for n in range(count)])
    return table


def test_a_read_without_inference_has_the_connectors_columns(table_of):
    rows = table_of().read()
    assert [(field.name, field.dataType.simpleString(), field.nullable) for field in rows.schema.fields] == [
        ("_rawBody", "string", False),
        ("id", "string", False),
        ("_ts", "bigint", False),
    ]
    assert rows.collect() == []


def test_the_raw_body_is_the_whole_document_with_the_services_own_properties(table_of):
    table = filled(table_of(), 1)
    (row,) = table.read().select("_rawBody").collect()
    assert json.loads(row._rawBody) == table.container.read_item("0", "p0")


def test_pages_of_more_than_four_megabytes_are_read_whole(table_of):
    table = filled(table_of(), 12, size=1_500_000)
    assert table.read(read__partitioning__strategy="Restrictive").count() == 12


@pytest.mark.parametrize("strategy", ["Default", "Restrictive", "Aggressive"])
def test_every_way_to_partition_reads_each_document_once(table_of, strategy):
    table = filled(table_of())
    rows = table.read(read__partitioning__strategy=strategy, read__maxItemCount="7").collect()
    assert sorted(int(row.id) for row in rows) == list(range(60))


@pytest.mark.parametrize("paths", [("/pk",), ("/pk", "/n"), ("/n",)])
@pytest.mark.parametrize("version", [1, 2])
def test_every_kind_of_key_is_read_whole_in_many_parts(table_of, paths, version):
    if len(paths) > 1 and version == 1:
        pytest.skip("hierarchical keys have version 2 only")
    table = filled(table_of(*paths, version=version))
    rows = table.read(read__partitioning__strategy="Custom", partitioning__targetedCount="5")
    assert sorted(int(row.id) for row in rows.collect()) == list(range(60))
    assert rows.rdd.getNumPartitions() == 5


def test_by_default_a_task_reads_each_physical_partition_whatever_the_cores(table_of):
    table = filled(table_of(), 3)
    assert table.read().rdd.getNumPartitions() == 1
    assert table.read(read__partitioning__strategy="Restrictive").rdd.getNumPartitions() == 1


@pytest.mark.parametrize("version", [1, 2])
def test_a_container_of_several_physical_partitions_is_written_and_read_whole(table_of, version):
    table = filled(table_of(ru=18_000, version=version))
    rows = table.read()
    assert rows.rdd.getNumPartitions() == 3
    assert sorted(int(row.id) for row in rows.collect()) == list(range(60))
    count = table.read("Count bigint", read__customQuery="SELECT COUNT(0) AS Count FROM c")
    assert sum(row.Count for row in count.collect()) == 60


def test_throughput_control_holds_all_tasks_of_a_read_to_its_ru(account, table_of):
    table = filled(table_of(ru=6_000), 200, size=2_000)
    control = {"enabled": "true", "name": "n", "targetThroughput": "60"}
    control["globalControl__useDedicatedContainer"] = "false"
    options = {f"throughputControl__{name}": value for name, value in control.items()}
    before, began = account.statistics(table.container)["request_units"], time.monotonic()
    rows = table.read(read__maxItemCount="10", read__consistencyStrategy="LatestCommitted", **options)
    assert rows.count() == 200
    spent = account.statistics(table.container)["request_units"] - before
    # It has a second's worth from the beginning, and may overdraw it by one page.
    page = spent / 20
    assert time.monotonic() - began >= (spent - page - 60) / 60 > 0
    with pytest.raises(Exception, match="throughput control of reads only"):
        table.write([json.dumps({"id": "1", "pk": "a"})], **options)


@pytest.mark.parametrize("strategy", ["Eventual", "Session", "Default"])
def test_a_replica_that_lags_does_not_have_what_was_written_a_moment_ago(table_of, strategy):
    table = filled(table_of(), 3)
    rows = table.read(read__consistencyStrategy=strategy).count()
    assert rows < 3 or latest(table) <= time.time() - REPLICA_LAG_SECONDS
    assert table.read(read__consistencyStrategy="LatestCommitted").count() == 3


def latest(table):
    return max(document["_ts"] for document in table.container.read_all_items())


def test_custom_partitioning_needs_its_count(table_of):
    with pytest.raises(Exception, match="targetedCount is missing"):
        table_of().read(read__partitioning__strategy="Custom").count()


def test_a_custom_query_chooses_documents(table_of):
    table = filled(table_of())
    rows = table.read(read__customQuery="SELECT * FROM c WHERE c.n >= 57").collect()
    assert sorted(row.id for row in rows) == ["57", "58", "59"]


def test_a_custom_query_counts_without_reading_documents(table_of):
    table = filled(table_of())
    query = 'SELECT COUNT(0) AS Count FROM c WHERE c["pk"] = "p7" OR c["n"] < 3'
    rows = table.read("Count bigint", read__customQuery=query, read__partitioning__strategy="Restrictive")
    assert [row.Count for row in rows.collect()] == [4]
    everything = "SELECT COUNT(0) AS Count FROM c"
    assert table.read("Count bigint", read__customQuery=everything).collect()[0].Count == 60


def test_a_custom_query_finds_documents_by_their_ids(table_of):
    table = filled(table_of())
    rows = table.read(read__customQuery='SELECT * FROM c WHERE c.id IN ("5", "59", "none")').collect()
    assert sorted(row.id for row in rows) == ["5", "59"]


def test_a_custom_query_for_other_things_than_documents_is_refused(table_of):
    table = filled(table_of(), 1)
    with pytest.raises(Exception, match="returns other things than whole documents"):
        table.read(read__customQuery="SELECT c.n FROM c").collect()


def test_inference_of_the_schema_is_refused(table_of):
    with pytest.raises(Exception, match=r"infers no schema. Set spark\.cosmos\.read\.inferSchema\.enabled"):
        table_of().read(read__inferSchema__enabled="true")


def test_an_unknown_option_of_a_read_is_refused(table_of):
    with pytest.raises(Exception, match=r"Did you mean spark\.cosmos\.read\.maxItemCount"):
        table_of().read(read__maxItemsCount="5")
