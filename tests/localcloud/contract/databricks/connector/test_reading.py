"""Reads by Spark against a running local Cosmos DB."""

import json

import pytest


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


def test_custom_partitioning_needs_its_count(table_of):
    with pytest.raises(Exception, match="targetedCount is missing"):
        table_of().read(read__partitioning__strategy="Custom").count()


def test_a_custom_query_chooses_documents(table_of):
    table = filled(table_of())
    rows = table.read(read__customQuery="SELECT * FROM c WHERE c.n >= 57").collect()
    assert sorted(row.id for row in rows) == ["57", "58", "59"]


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
