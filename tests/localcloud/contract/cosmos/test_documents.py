"""Documents by the SDK: keys, ids, limits, etags, time to live."""

import json

import pytest
from azure.core import MatchConditions
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from azure.cosmos.partition_key import NonePartitionKeyValue, NullPartitionKeyValue

from tests.contract.polling import wait_until


def status_of(call, *arguments, **options):
    with pytest.raises(CosmosHttpResponseError) as caught:
        call(*arguments, **options)
    return caught.value.status_code


def is_gone(container, name, key):
    try:
        container.read_item(name, key)
    except CosmosResourceNotFoundError:
        return True
    return False


def test_a_document_is_created_replaced_upserted_and_deleted(container):
    container.create_item({"id": "1", "pk": "a", "v": 1})
    with pytest.raises(CosmosResourceExistsError):
        container.create_item({"id": "1", "pk": "a", "v": 2})
    assert container.replace_item("1", {"id": "1", "pk": "a", "v": 3})["v"] == 3
    assert container.upsert_item({"id": "1", "pk": "a", "v": 4})["v"] == 4
    assert container.read_item("1", "a")["v"] == 4
    container.delete_item("1", "a")
    for gone in (container.read_item, container.delete_item):
        with pytest.raises(CosmosResourceNotFoundError):
            gone("1", "a")
    with pytest.raises(CosmosResourceNotFoundError):
        container.replace_item("1", {"id": "1", "pk": "a"})


def test_an_upsert_says_whether_it_created(container, call):
    path, document = f"{container.container_link}/docs", {"id": "1", "pk": "a"}
    headers = {"key": ["a"], "x_ms_documentdb_is_upsert": "true"}
    assert [call("POST", path, document, **headers).status_code for _ in range(2)] == [201, 200]


def test_keys_keep_their_types(container):
    values = [1, "1", True, "true", False, 0, "", "None", 1.5, -1]
    for value in values:
        container.upsert_item({"id": "x", "pk": value, "v": repr(value)})
    container.upsert_item({"id": "x", "pk": None, "v": "null"})
    container.upsert_item({"id": "x", "v": "undefined"})
    assert [container.read_item("x", value)["v"] for value in values] == list(map(repr, values))
    assert container.read_item("x", NullPartitionKeyValue)["v"] == "null"
    assert container.read_item("x", NonePartitionKeyValue)["v"] == "undefined"
    assert len(list(container.read_all_items())) == len(values) + 2


def test_a_number_is_the_same_key_with_and_without_fraction(container):
    container.upsert_item({"id": "x", "pk": 1})
    container.upsert_item({"id": "x", "pk": 1.0})
    assert len(list(container.read_all_items())) == 1


def test_documents_that_differ_in_one_level_of_a_hierarchical_key_are_two(account):
    container = account.container("/a", "/b/c", '/"d e"')
    for b in ("u", "w", None, 1):
        container.upsert_item({"id": "x", "a": "1", "b": {"c": b}, "d e": True, "v": repr(b)})
    assert container.read_item("x", ["1", "u", True])["v"] == "'u'"
    container.delete_item("x", ["1", "u", True])
    assert is_gone(container, "x", ["1", "u", True])
    assert container.read_item("x", ["1", "w", True])["v"] == "'w'"
    assert len(list(container.read_all_items())) == 3


def test_a_key_with_another_number_of_levels_is_refused(account, call):
    container = account.container("/a", "/b")
    container.upsert_item({"id": "x", "a": "1", "b": "2"})
    answer = call("GET", f"{container.container_link}/docs/x", key=["1"])
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (400, "1001")


def test_a_key_beside_the_document_must_be_its_own(container, call):
    answer = call("POST", f"{container.container_link}/docs", {"id": "x", "pk": 1}, key=["1"])
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (400, "1001")
    assert call("POST", f"{container.container_link}/docs", {"id": "x", "pk": 1}).status_code == 400


@pytest.mark.parametrize("key", [b"x", b"[NaN]", b"[[1]]", b'[{"a":1}]', b'{"a":1}', b'["'])
def test_a_key_that_is_none_is_refused(container, call, key):
    answer = call("GET", f"{container.container_link}/docs/x", x_ms_documentdb_partitionkey=key.decode())
    assert answer.status_code == 400


def test_a_key_has_up_to_2048_bytes(container):
    container.upsert_item({"id": "x", "pk": "ü" * 1024})
    assert status_of(container.upsert_item, {"id": "x", "pk": "ü" * 1024 + "x"}) == 400


@pytest.mark.parametrize("name", ["", None, 5, True, "a/b", "a\\b", "i" * 1024, "あ" * 342, [], "missing"])
def test_an_impossible_id_is_refused(container, call, name):
    document = {"pk": "a"} if name == "missing" else {"id": name, "pk": "a"}
    answer = call("POST", f"{container.container_link}/docs", document, key=["a"])
    assert answer.status_code == 400


def test_ids_have_up_to_1023_bytes_and_any_other_letter(container, call):
    container.create_item({"id": "i" * 1023, "pk": "a"})
    container.create_item({"id": "ü-日本-🎉 ~2F%", "pk": "a"})
    assert container.read_item("ü-日本-🎉 ~2F%", "a")["pk"] == "a"
    path = f"{container.container_link}/docs"
    # These the SDK refuses by itself, and the service does not.
    assert call("POST", path, {"id": "CUST#1?", "pk": "a"}, key=["a"]).status_code == 201
    assert call("GET", f"{path}/CUST#1?", key=["a"]).json()["id"] == "CUST#1?"


def test_an_id_that_looks_escaped_is_stored_and_found_by_a_query_only(container):
    document = container.create_item({"id": "a%2Fb", "pk": "a"})
    assert container.upsert_item(document)["id"] == "a%2Fb"
    assert status_of(container.read_item, "a%2Fb", "a") == 401
    assert status_of(container.replace_item, "a%2Fb", document) == 401
    assert status_of(container.delete_item, "a%2Fb", "a") == 401
    assert [found["id"] for found in container.query_items("SELECT * FROM c", partition_key="a")] == ["a%2Fb"]


def test_a_document_has_up_to_two_megabytes(container):
    assert len(container.create_item({"id": "1", "pk": "a", "s": "x" * 2_090_000})["s"]) == 2_090_000
    assert status_of(container.create_item, {"id": "2", "pk": "a", "s": "x" * 2_097_152}) == 413


def test_a_body_beyond_every_limit_is_refused_as_too_large(container, call):
    answer = call("POST", f"{container.container_link}/docs", b" " * (9 * 2**20), key=["a"])
    assert (answer.status_code, answer.json()["code"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b'"x"', b'{"id":"1","pk":"a","n":NaN}', b'{"id":"1","pk":"a","n":1e400}']
)
def test_a_body_that_is_no_document_is_refused(container, call, body):
    answer = call("POST", f"{container.container_link}/docs", body, key=["a"])
    assert answer.status_code == 400
    assert list(container.read_all_items()) == []


def test_numbers_come_back_as_binary64(container):
    document = {"id": "1", "pk": "a", "n": [2**53, 2**53 + 1, -(2**53) - 1, 2**63, 0.1, 1e308, 10**30, 7]}
    container.create_item(document)
    found = container.read_item("1", "a")["n"]
    assert found == [2**53, 2**53, -(2**53), 2**63, 0.1, 1e308, 1e30, 7]


def test_text_comes_back_as_it_was(container):
    document = {
        "id": "1",
        "pk": "ключ",
        "v": '\U0001d4b3 \u2028 \x00 \\ " 12345678901234567890',
        "": {"é": [None, {}]},
    }
    container.create_item(document)
    found = container.read_item("1", "ключ")
    assert {name: found[name] for name in document} == document


def test_the_service_sets_its_own_properties(container):
    container.create_item({"id": "1", "pk": "a", "_ts": 5, "_etag": "mine", "_rid": "mine", "_self": "mine"})
    first = container.read_item("1", "a")
    assert first["_ts"] > 1_700_000_000
    assert "mine" not in (first["_etag"], first["_rid"], first["_self"])
    second = container.upsert_item({"id": "1", "pk": "a"})
    assert second["_rid"] == first["_rid"]
    assert second["_etag"] != first["_etag"]


def test_a_stale_etag_is_refused(container):
    etag = container.create_item({"id": "1", "pk": "a", "v": 1})["_etag"]
    container.upsert_item({"id": "1", "pk": "a", "v": 2})
    options = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    with pytest.raises(CosmosAccessConditionFailedError):
        container.replace_item("1", {"id": "1", "pk": "a", "v": 3}, **options)
    with pytest.raises(CosmosAccessConditionFailedError):
        container.upsert_item({"id": "1", "pk": "a", "v": 3}, **options)
    with pytest.raises(CosmosAccessConditionFailedError):
        container.delete_item("1", "a", **options)
    current = container.read_item("1", "a")
    assert current["v"] == 2
    container.delete_item("1", "a", etag=current["_etag"], match_condition=MatchConditions.IfNotModified)


def test_a_read_of_what_the_caller_knows_is_a_304(container, call):
    etag = container.create_item({"id": "1", "pk": "a"})["_etag"]
    path = f"{container.container_link}/docs/1"
    assert call("GET", path, key=["a"], if_none_match=etag).status_code == 304
    assert call("GET", path, key=["a"], if_none_match='"other"').status_code == 200


def test_a_document_is_patched(container):
    container.create_item({"id": "1", "pk": "a", "n": 1, "m": {"a": 1}, "l": [1, 2]})
    operations = [
        {"op": "set", "path": "/q", "value": 5},
        {"op": "incr", "path": "/n", "value": 2},
        {"op": "remove", "path": "/m/a"},
        {"op": "add", "path": "/l/-", "value": 9},
        {"op": "replace", "path": "/l/0", "value": 0},
    ]
    found = container.patch_item("1", "a", operations)
    assert [found[name] for name in "qnml"] == [5, 3, {}, [0, 2, 9]]


def test_a_patch_whose_condition_does_not_hold_is_refused(container):
    container.create_item({"id": "1", "pk": "a", "n": 1})
    set_q = [{"op": "set", "path": "/q", "value": 5}]
    with pytest.raises(CosmosAccessConditionFailedError):
        container.patch_item("1", "a", set_q, filter_predicate="from c where c.n = 2")
    assert container.patch_item("1", "a", set_q, filter_predicate="from c where c.n = 1")["q"] == 5


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "set", "path": "/id", "value": "2"},
        {"op": "set", "path": "/pk", "value": "b"},
        {"op": "remove", "path": "/missing"},
        {"op": "move", "path": "/x", "from": "/missing"},
    ],
)
def test_an_impossible_patch_changes_nothing(container, operation):
    before = container.create_item({"id": "1", "pk": "a", "n": 1})
    assert status_of(container.patch_item, "1", "a", [operation]) == 400
    assert container.read_item("1", "a") == before


def test_documents_vanish_when_their_time_to_live_is_over(account):
    container = account.container(default_ttl=-1)
    container.upsert_item({"id": "short", "pk": "a", "ttl": 1})
    container.upsert_item({"id": "ever", "pk": "a"})
    container.upsert_item({"id": "never", "pk": "a", "ttl": -1})
    assert container.read_item("short", "a")["ttl"] == 1
    wait_until(lambda: is_gone(container, "short", "a"))
    assert sorted(one["id"] for one in container.read_all_items()) == ["ever", "never"]
    counts = container.query_items("SELECT VALUE COUNT(1) FROM c", enable_cross_partition_query=True)
    assert list(counts) == [2]
    # What has expired is no longer in the way.
    container.create_item({"id": "short", "pk": "a"})


def test_the_containers_default_holds_for_documents_without_their_own(account):
    container = account.container(default_ttl=1)
    container.upsert_item({"id": "default", "pk": "a"})
    container.upsert_item({"id": "own", "pk": "a", "ttl": 600})
    wait_until(lambda: is_gone(container, "default", "a"))
    assert not is_gone(container, "own", "a")


@pytest.mark.parametrize("ttl", [0, -2, None, 1.5, "60", True, 2**31])
def test_an_impossible_time_to_live_is_refused_where_the_container_has_one(account, ttl):
    container = account.container(default_ttl=-1)
    assert status_of(container.upsert_item, {"id": "1", "pk": "a", "ttl": ttl}) == 400
    without = account.container()
    assert without.upsert_item({"id": "1", "pk": "a", "ttl": ttl})["ttl"] == ttl


def test_a_property_ttl_from_before_the_container_had_one_does_no_harm(account):
    database = account.database()
    key = {"paths": ["/pk"], "kind": "Hash", "version": 2}
    container = database.create_container("c", key)
    container.upsert_item({"id": "1", "pk": "a", "ttl": "soon"})
    database.replace_container(container, key, default_ttl=-1)
    assert container.read_item("1", "a")["ttl"] == "soon"


def test_all_documents_of_a_key_are_deleted_at_once(container):
    for name, key in (("1", "a"), ("2", "a"), ("3", "b")):
        container.upsert_item({"id": name, "pk": key})
    container.delete_all_items_by_partition_key("a")
    assert [one["id"] for one in container.read_all_items()] == ["3"]


def test_a_container_that_was_replaced_is_not_written_to_by_who_means_the_old_one(container, call):
    path = f"{container.container_link}/docs"
    answer = call("POST", path, {"id": "1", "pk": "a"}, key=["a"], x_ms_cosmos_intended_collection_rid="old")
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (400, "1024")


def test_a_minimal_answer_has_no_body(container, call):
    path = f"{container.container_link}/docs"
    answer = call("POST", path, {"id": "1", "pk": "a"}, key=["a"], prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")
    assert json.loads(answer.headers["etag"])
