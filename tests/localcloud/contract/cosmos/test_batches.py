"""Batches: transactional ones by the SDK, bulk ones as the Spark connector sends them."""

import json

import pytest
from azure.cosmos.exceptions import CosmosBatchOperationError


def upsert(name, key="a", **properties):
    return {
        "operationType": "Upsert",
        "partitionKey": json.dumps([key]),
        "resourceBody": {"id": name, "pk": key, **properties},
    }


def ids(container):
    return sorted(one["id"] for one in container.read_all_items())


def test_a_transactional_batch_does_all_its_operations(container):
    results = container.execute_item_batch(
        [
            ("create", ({"id": "1", "pk": "a"},)),
            ("upsert", ({"id": "2", "pk": "a"},)),
            ("read", ("1",)),
            ("replace", ("1", {"id": "1", "pk": "a", "v": 2})),
            ("patch", ("1", [{"op": "set", "path": "/w", "value": 1}])),
            ("delete", ("2",)),
        ],
        "a",
    )
    assert [one["statusCode"] for one in results] == [201, 201, 200, 200, 200, 204]
    assert container.read_item("1", "a")["w"] == 1
    assert ids(container) == ["1"]


def test_a_transactional_batch_that_fails_leaves_nothing_behind(container):
    container.upsert_item({"id": "there", "pk": "a", "v": 1})
    with pytest.raises(CosmosBatchOperationError) as caught:
        container.execute_item_batch(
            [
                ("create", ({"id": "new", "pk": "a"},)),
                ("upsert", ({"id": "there", "pk": "a", "v": 2},)),
                ("create", ({"id": "there", "pk": "a"},)),
                ("create", ({"id": "later", "pk": "a"},)),
            ],
            "a",
        )
    assert caught.value.error_index == 2
    assert [one["statusCode"] for one in caught.value.operation_responses] == [424, 424, 409, 424]
    assert ids(container) == ["there"]
    assert container.read_item("there", "a")["v"] == 1


def test_a_transactional_batch_in_a_hierarchical_key(account):
    container = account.container("/a", "/b")
    container.execute_item_batch([("upsert", ({"id": "1", "a": "x", "b": 2},))], ["x", 2])
    assert container.read_item("1", ["x", 2])["id"] == "1"


def test_a_bulk_answers_each_operation_for_itself(container, bulk):
    container.upsert_item({"id": "old", "pk": "b"})
    answer = bulk(
        container,
        [
            upsert("1"),
            upsert("1", v=2),
            upsert("1", key=1.0),
            {"operationType": "Create", "partitionKey": '["b"]', "resourceBody": {"id": "old", "pk": "b"}},
            {"operationType": "Delete", "partitionKey": '["b"]', "id": "old"},
            {"operationType": "Delete", "partitionKey": '["b"]', "id": "gone"},
            {"operationType": "Read", "partitionKey": '["a"]', "id": "1"},
        ],
    )
    results = answer.json()
    assert answer.status_code == 207
    assert [one["statusCode"] for one in results] == [201, 200, 201, 409, 204, 404, 200]
    assert all("eTag" in results[place] for place in (0, 1, 2, 6))
    assert results[6]["resourceBody"]["v"] == 2
    assert float(answer.headers["x-ms-request-charge"]) == pytest.approx(
        sum(one["requestCharge"] for one in results), abs=0.01
    )


def test_a_bulk_without_failures_is_a_200_and_echoes_no_document_that_nobody_wants(container, bulk):
    answer = bulk(container, [{**upsert("1"), "minimalReturnPreference": True}, upsert("2")])
    assert answer.status_code == 200
    assert ["resourceBody" in one for one in answer.json()] == [False, True]


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"operationType": "Upsert", "partitionKey": '["b"]', "resourceBody": {"id": "1", "pk": "a"}}, 400),
        ({"operationType": "Upsert", "partitionKey": '["a"]', "resourceBody": {"id": "a/b", "pk": "a"}}, 400),
        ({"operationType": "Upsert", "partitionKey": '["a"]', "resourceBody": {"pk": "a"}}, 400),
        ({"operationType": "Upsert", "partitionKey": '["a"]', "resourceBody": [1]}, 400),
        ({"operationType": "Upsert", "partitionKey": '["a"]'}, 400),
        ({"operationType": "Upsert", "partitionKey": ["a"], "resourceBody": {"id": "1", "pk": "a"}}, 400),
        ({"operationType": "Upsert", "resourceBody": {"id": "1", "pk": "a"}}, 400),
        ({"operationType": "Merge", "partitionKey": '["a"]', "resourceBody": {"id": "1", "pk": "a"}}, 400),
        ({**upsert("1"), "ifNoneMatch": "*"}, 400),
        ({**upsert("there"), "ifMatch": '"old"'}, 412),
        ({"operationType": "Replace", "partitionKey": '["a"]', "id": "x", "resourceBody": {"id": "x", "pk": "a"}}, 404),
        (upsert("1", s="x" * 2_097_152), 413),
    ],
)  # fmt: skip
def test_an_operation_that_is_refused_leaves_the_others_alone(container, bulk, operation, status):
    container.upsert_item({"id": "there", "pk": "a", "v": 1})
    results = bulk(container, [operation, {**upsert("other"), "minimalReturnPreference": True}]).json()
    assert [one["statusCode"] for one in results] == [status, 201]
    assert ids(container) == ["other", "there"]
    assert container.read_item("there", "a")["v"] == 1


def test_a_bulk_writes_documents_without_and_with_several_levels_of_key(account, bulk):
    plain = account.container()
    document = {"operationType": "Upsert", "partitionKey": "[{}]", "resourceBody": {"id": "1"}}
    assert bulk(plain, [document]).json()[0]["statusCode"] == 201
    levels = account.container("/a", "/b")
    operations = [
        {
            "operationType": "Upsert",
            "partitionKey": json.dumps([a, b]),
            "resourceBody": {"id": "1", "a": a, "b": b},
        }
        for a, b in (("x", "u"), ("x", "w"), (1, None))
    ]
    assert [one["statusCode"] for one in bulk(levels, operations).json()] == [201, 201, 201]


def test_a_batch_has_up_to_100_operations_and_two_megabytes(container, bulk):
    assert bulk(container, [upsert(str(n)) for n in range(101)]).status_code == 400
    assert bulk(container, [upsert(str(n), s="x" * 1_100_000) for n in range(2)]).status_code == 413
    assert ids(container) == []
    assert bulk(container, [upsert(str(n)) for n in range(100)]).status_code == 200
    assert bulk(container, [upsert("large", s="x" * 2_000_000)]).status_code == 200


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[", b"", b"\x81\x00"])
def test_a_body_that_is_no_batch_is_refused(container, bulk, body):
    assert bulk(container, body).status_code == 400


def test_a_bulk_for_another_container_or_range_is_refused(container, bulk, call):
    stale = bulk(container, [upsert("1")], x_ms_cosmos_intended_collection_rid="old")
    assert (stale.status_code, stale.headers["x-ms-substatus"]) == (400, "1024")
    gone = call(
        "POST",
        f"{container.container_link}/docs",
        [upsert("1")],
        x_ms_cosmos_is_batch_request="true",
        x_ms_documentdb_partitionkeyrangeid="7",
    )
    assert (gone.status_code, gone.headers["x-ms-substatus"]) == (410, "1002")
    assert ids(container) == []


def test_without_continuing_on_error_a_bulk_stops_at_the_first(container, call):
    wrong = {"operationType": "Upsert", "partitionKey": '["a"]', "resourceBody": {"pk": "a"}}
    results = call(
        "POST",
        f"{container.container_link}/docs",
        [upsert("1"), wrong, upsert("2")],
        x_ms_cosmos_is_batch_request="true",
    ).json()
    assert [one["statusCode"] for one in results] == [201, 400, 424]
    assert ids(container) == ["1"]
