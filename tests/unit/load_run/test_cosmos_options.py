import pytest

from d2c.load_run.cosmos_options import (
    count_options,
    documents_on_their_way,
    partitioning_options,
    pending_operations,
    query_options,
    read_options,
    write_options,
)
from d2c.load_run.request import BY_PARTITION, WITH_ALL_CORES

MB = 2**20


@pytest.mark.parametrize(
    ("documents", "document_bytes", "pending"),
    [
        (0, 0, 10_688),
        (1_000_000, 1_000_000_000, 10_688),
        (1_000, 1_000 * 64 * 1024, 4_096),
        (1_000, 1_000 * MB, 256),
        (10, 10 * 2 * MB, 128),
        (10, 10 * 400 * MB, 100),
    ],
)
def test_pending_documents_of_a_task_take_256_mb_at_the_most(documents, document_bytes, pending):
    assert pending_operations(documents, document_bytes) == pending
    options = write_options(documents, document_bytes)
    assert options["spark.cosmos.write.bulk.maxPendingOperations"] == str(pending)


@pytest.mark.parametrize(
    ("documents", "document_bytes", "on_their_way"),
    [
        (0, 0, 10_688 + 4 * MB),
        (1_000, 1_000 * 1024, 10_688 + 4 * 1024),
        (1_000, 1_000 * MB, 256 + 4),
        (10, 0, 10_688 + 4 * MB),
    ],
)
def test_documents_on_their_way_are_those_that_are_pending_and_4_mb_on_the_way_to_the_connector(
    documents, document_bytes, on_their_way
):
    assert documents_on_their_way(documents, document_bytes) == on_their_way


@pytest.mark.parametrize("options", [read_options(), count_options({}), query_options(["a"])])
def test_what_is_verified_is_what_was_committed_last(options):
    assert options["spark.cosmos.read.consistencyStrategy"] == "LatestCommitted"


@pytest.mark.parametrize(
    ("reads_with", "physical", "cores", "parts"),
    [
        (WITH_ALL_CORES, 1, 32, "64"),
        (WITH_ALL_CORES, 31, 32, "64"),
        (WITH_ALL_CORES, 32, 32, None),
        (BY_PARTITION, 1, 32, None),
    ],
)
def test_a_container_with_fewer_partitions_than_cores_is_read_in_parts(reads_with, physical, cores, parts):
    options = partitioning_options(reads_with, physical, cores)
    assert options.get("spark.cosmos.partitioning.targetedCount") == parts
    assert options.get("spark.cosmos.read.partitioning.strategy") == (parts and "Custom")


def test_documents_are_counted_by_the_index_of_each_physical_partition():
    options = count_options({})
    assert options["spark.cosmos.read.customQuery"] == "SELECT COUNT(0) AS Count FROM c"
    assert options["spark.cosmos.read.partitioning.strategy"] == "Restrictive"


def test_of_a_shared_container_the_tables_documents_are_counted():
    query = count_options({"kind": 'a "song"', "a b": 1})["spark.cosmos.read.customQuery"]
    assert query == r'SELECT COUNT(0) AS Count FROM c WHERE c["kind"] = "a \"song\"" AND c["a b"] = 1'


def test_documents_with_a_property_are_counted():
    query = count_options({"kind": "song"}, having="operationType")["spark.cosmos.read.customQuery"]
    assert query.endswith(' WHERE c["kind"] = "song" AND IS_DEFINED(c["operationType"])')


def test_documents_are_found_by_ids_of_any_characters():
    query = query_options(["a", '"\\', "é"])["spark.cosmos.read.customQuery"]
    assert query == r'SELECT * FROM c WHERE c.id IN ("a", "\"\\", "\u00e9")'
