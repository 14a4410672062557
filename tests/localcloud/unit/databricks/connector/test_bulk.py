import json

from localcloud.databricks.connector.bulk import batches_of
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


def document(name, size=0, etag=None):
    return Document(json.dumps({"id": name, "pk": "a", "s": "x" * size}).encode(), name, '["a"]', etag)


def batches(documents, strategy="ItemOverwrite", **more):
    return list(batches_of(documents, STRATEGIES[strategy], options(**more)))


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
