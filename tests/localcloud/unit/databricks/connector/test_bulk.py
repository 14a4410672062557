import json

from localcloud.cosmos.storage.keys import effective_key
from localcloud.databricks.connector.bulk import batches_of
from localcloud.databricks.connector.container import Container, KeyRange
from localcloud.databricks.connector.documents import Document
from localcloud.databricks.connector.options import parse_options
from localcloud.databricks.connector.strategies import STRATEGIES


def options(**more):
    return parse_options(
        {
            "spark.cosmos.accountEndpoint": "http://127.0.0.1:1",
            "spark.cosmos.accountKey": "a2V5",
            "spark.cosmos.database": "d",
            "spark.cosmos.container": "c",
            **{f"spark.cosmos.write.bulk.{name}": str(value) for name, value in more.items()},
        }
    )


ONE_RANGE = (KeyRange("0", "", "FF"),)


def document(name, size=0, etag=None, partition="a"):
    body = json.dumps({"id": name, "pk": partition, "s": "x" * size}).encode()
    return Document(body, name, json.dumps([partition]), etag)


def batches(documents, strategy="ItemOverwrite", ranges=ONE_RANGE, **more):
    container = Container("rid", {"paths": ["/pk"], "kind": "Hash", "version": 2}, ranges)
    return list(batches_of(documents, container, STRATEGIES[strategy], options(**more)))


def on_the_wire(strategy, etag=None):
    ((operation,),) = batches([document("1", etag=etag)], strategy)
    return json.loads(operation.text)


def test_a_batch_holds_up_to_100_operations():
    assert [len(batch) for batch in batches(document(str(n)) for n in range(250))] == [100, 100, 50]
    assert [len(batch) for batch in batches((document(str(n)) for n in range(5)), maxBatchSize=2)] == [
        2,
        2,
        1,
    ]


def test_a_batch_holds_up_to_220201_characters():
    sizes = [
        sum(len(one.text) for one in batch) for batch in batches(document(str(n), 9_000) for n in range(60))
    ]
    assert len(sizes) == 3
    assert max(sizes) <= 220_201


def test_one_document_larger_than_that_is_a_batch_of_its_own():
    found = batches([document("1"), document("2", 2_000_000), document("3")])
    assert [[one.document.id for one in batch] for batch in found] == [["1"], ["2"], ["3"]]


def test_each_batch_goes_to_the_one_physical_partition_that_holds_its_keys():
    halves = (KeyRange("1", "", "1FFFFFFF"), KeyRange("2", "1FFFFFFF", "FF"))
    found = batches([document(str(n), partition=f"p{n}") for n in range(300)], ranges=halves)
    assert {one.range_id for batch in found for one in batch} == {"1", "2"}
    assert all(len({one.range_id for one in batch}) == 1 for batch in found)
    whole = {one.document.partition_key: one.range_id for batch in found for one in batch}
    assert len(whole) == 300
    for place, one in ((halves[0], "1"), (halves[1], "2")):
        for key in (key for key, range_id in whole.items() if range_id == one):
            ring = effective_key({"paths": ["/pk"], "kind": "Hash", "version": 2}, json.loads(key))
            assert place.start <= ring < place.end


def test_an_upsert_carries_the_key_as_text_and_the_document():
    assert on_the_wire("ItemOverwrite") == {
        "operationType": "Upsert",
        "partitionKey": '["a"]',
        "minimalReturnPreference": True,
        "resourceBody": {"id": "1", "pk": "a", "s": ""},
    }


def test_a_delete_carries_the_id_and_no_document():
    assert on_the_wire("ItemDelete") == {
        "operationType": "Delete",
        "partitionKey": '["a"]',
        "id": "1",
        "minimalReturnPreference": True,
    }


def test_a_replace_carries_the_etag_and_without_one_it_is_a_create():
    replace = on_the_wire("ItemOverwriteIfNotModified", '"e"')
    assert (replace["operationType"], replace["id"], replace["ifMatch"]) == ("Replace", "1", '"e"')
    assert on_the_wire("ItemOverwriteIfNotModified")["operationType"] == "Create"
