"""Databases, containers, throughput: what the SDK does with them."""

import pytest
from azure.cosmos import CosmosClient, PartitionKey, ThroughputProperties
from azure.cosmos.exceptions import (
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from tests.contract.polling import wait_until


def status_of(call, *arguments, **options):
    with pytest.raises(CosmosHttpResponseError) as caught:
        call(*arguments, **options)
    return caught.value.status_code


def test_a_database_exists_once_and_is_gone_once_deleted(account):
    client = account.client()
    database = client.create_database("unique")
    with pytest.raises(CosmosResourceExistsError):
        client.create_database("unique")
    assert client.create_database_if_not_exists("unique").id == "unique"
    assert "unique" in [one["id"] for one in client.list_databases()]
    database.create_container("c", PartitionKey("/pk")).upsert_item({"id": "1", "pk": "a"})
    client.delete_database("unique")
    with pytest.raises(CosmosResourceNotFoundError):
        database.read()
    again = client.create_database("unique")
    assert list(again.list_containers()) == []


def test_a_container_keeps_its_definition(account):
    database = account.database()
    policy = {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": "/pk/?"}],
        "excludedPaths": [{"path": "/*"}],
    }
    key = PartitionKey(["/tenant", "/pk"], kind="MultiHash")
    container = database.create_container("c", key, indexing_policy=policy, default_ttl=-1)
    found = container.read()
    assert found["partitionKey"] == {"paths": ["/tenant", "/pk"], "kind": "MultiHash", "version": 2}
    assert (found["indexingPolicy"], found["defaultTtl"]) == (policy, -1)
    assert [one["id"] for one in database.list_containers()] == ["c"]
    with pytest.raises(CosmosResourceExistsError):
        database.create_container("c", key)


NOTHING = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [],
    "excludedPaths": [{"path": "/*"}],
}
EVERYTHING = {**NOTHING, "includedPaths": [{"path": "/*"}], "excludedPaths": []}
KEY = PartitionKey("/pk")


def progress_of(container):
    told = {}
    container.read(populate_quota_info=True, response_hook=lambda headers, _: told.update(headers))
    return int(told["x-ms-documentdb-collection-index-transformation-progress"])


def test_a_new_index_is_built_with_the_ru_that_nobody_uses_while_no_other_policy_is_taken(account):
    database = account.database()
    container = database.create_container(
        "c", KEY, indexing_policy=NOTHING, default_ttl=-1, offer_throughput=6_000
    )
    for number in range(10):
        container.upsert_item({"id": str(number), "pk": "a", "s": "x" * 1_900_000})
    container.replace_throughput(400)
    database.replace_container(container, KEY, indexing_policy=EVERYTHING, default_ttl=-1)
    assert progress_of(container) < 100
    assert (
        status_of(database.replace_container, container, KEY, indexing_policy=NOTHING, default_ttl=-1) == 400
    )
    database.replace_container(container, KEY, indexing_policy=EVERYTHING, default_ttl=-1)
    container.replace_throughput(100_000)
    wait_until(lambda: progress_of(container) == 100)
    assert len(list(container.query_items("SELECT * FROM c WHERE c.pk = 'a'", partition_key="a"))) == 10
    database.replace_container(container, KEY, indexing_policy=NOTHING, default_ttl=-1)
    assert progress_of(container) == 100


def test_indexing_and_time_to_live_of_a_container_can_be_changed_and_its_key_cannot(account):
    database = account.database()
    container = database.create_container("c", PartitionKey("/pk"), default_ttl=60)
    none = {"indexingMode": "none", "automatic": False}
    database.replace_container(container, PartitionKey("/pk"), indexing_policy=none)
    found = container.read()
    assert found["indexingPolicy"] == none
    assert "defaultTtl" not in found
    assert status_of(database.replace_container, container, PartitionKey("/other")) == 400


def test_a_deleted_container_takes_its_documents_along(account):
    database = account.database()
    database.create_container("c", PartitionKey("/pk")).upsert_item({"id": "1", "pk": "a"})
    database.delete_container("c")
    again = database.create_container("c", PartitionKey("/pk"))
    assert list(again.read_all_items()) == []


@pytest.mark.parametrize(
    "definition",
    [
        {"id": "a/b", "partitionKey": {"paths": ["/pk"]}},
        {"id": "", "partitionKey": {"paths": ["/pk"]}},
        {"id": "c"},
        {"id": "c", "partitionKey": {"paths": ["pk"]}},
        {"id": "c", "partitionKey": {"paths": ["/"]}},
        {"id": "c", "partitionKey": {"paths": ["/a", "/b"]}},
        {"id": "c", "partitionKey": {"paths": ["/a", "/b", "/c", "/d"], "kind": "MultiHash"}},
        {"id": "c", "partitionKey": {"paths": ["/a", "/b"], "kind": "MultiHash", "version": 1}},
        {"id": "c", "partitionKey": {"paths": ["/a"], "kind": "Range"}},
        {"id": "c", "partitionKey": {"paths": ["/a"]}, "defaultTtl": 0},
        {"id": "c", "partitionKey": {"paths": ["/a"]}, "defaultTtl": 1.5},
        {"id": "c", "partitionKey": {"paths": ["/a"]}, "defaultTtl": 2**31},
        {"id": "c", "partitionKey": {"paths": ["/a"]}, "indexingPolicy": "none"},
        {
            "id": "c",
            "partitionKey": {"paths": ["/a"]},
            "indexingPolicy": {"indexingMode": "none"},
            "defaultTtl": -1,
        },
        {
            "id": "c",
            "partitionKey": {"paths": ["/a"]},
            "indexingPolicy": {"includedPaths": [{"path": "/a/?"}]},
        },
        {
            "id": "c",
            "partitionKey": {"paths": ["/a"]},
            "uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["x"]}]},
        },
    ],
)
def test_an_impossible_container_is_refused(account, call, definition):
    database = account.database()
    assert call("POST", f"dbs/{database.id}/colls", definition).status_code == 400
    assert list(database.list_containers()) == []


def test_throughput_can_be_read_and_changed(account):
    container = account.container(ru=400)
    assert container.get_throughput().offer_throughput == 400
    container.replace_throughput(800)
    assert container.get_throughput().offer_throughput == 800
    autoscale = account.container(ru=ThroughputProperties(auto_scale_max_throughput=4000))
    assert autoscale.get_throughput().auto_scale_max_throughput == 4000
    autoscale.replace_throughput(ThroughputProperties(auto_scale_max_throughput=5000))
    assert autoscale.get_throughput().auto_scale_max_throughput == 5000


@pytest.mark.parametrize(
    "wrong",
    [300, 450, 1_000_100, ThroughputProperties(auto_scale_max_throughput=1500)],
    ids=["too little", "no hundreds", "too much", "no thousands"],
)
def test_impossible_throughput_is_refused(account, wrong):
    database = account.database()
    assert status_of(database.create_container, "c", PartitionKey("/pk"), offer_throughput=wrong) == 400


def test_throughput_changes_within_what_the_service_allows(account):
    container = account.container(ru=400)
    assert status_of(container.replace_throughput, 450) == 400
    assert status_of(container.replace_throughput, 300) == 400
    assert container.get_throughput().offer_throughput == 400


def test_the_java_sdk_finds_an_offer_by_the_containers_resource_id(account, call):
    container = account.container(ru=700)
    rid = container.read()["_rid"]
    query = {
        "query": "select * from c where c.offerResourceId = @resourceId",
        "parameters": [{"name": "@resourceId", "value": rid}],
    }
    found = call("POST", "offers", query, content_type="application/query+json").json()["Offers"]
    assert [offer["content"]["offerThroughput"] for offer in found] == [700]


def test_a_container_is_addressed_by_names_or_resource_ids(account, call):
    container = account.container()
    properties = container.read()
    ranges = call("GET", properties["_self"] + "pkranges").json()["PartitionKeyRanges"]
    assert [(one["id"], one["minInclusive"], one["maxExclusive"]) for one in ranges] == [("0", "", "FF")]
    answer = call("GET", container.container_link)
    # Without this header the Java SDK's change feed throws.
    assert answer.headers["x-ms-alt-content-path"] == f"dbs/{container.container_link.split('/')[1]}"


@pytest.mark.parametrize(("sent", "kept"), [("V2", 2), ("2", 2), (2, 2), ("V1", 1), (1, 1), (None, 1)])
def test_the_version_of_a_partition_key_may_be_spelled_as_any_client_does(account, call, sent, kept):
    database = account.database()
    key = {"paths": ["/pk"], "kind": "Hash", "version": sent}
    answer = call("POST", f"dbs/{database.id}/colls", {"id": "c", "partitionKey": key})
    assert answer.json()["partitionKey"] == {**key, "version": kept}


@pytest.mark.parametrize(
    ("method", "path", "sub_status"),
    [
        ("GET", "dbs/missing", None),
        ("GET", "dbs/missing/colls/c", "1003"),
        ("POST", "dbs/missing/colls", "1003"),
        ("GET", "dbs/{database}/colls/missing", None),
        ("GET", "dbs/{database}/colls/missing/pkranges", "1003"),
        ("GET", "dbs/{database}/colls/missing/docs/x", "1003"),
        ("POST", "dbs/{database}/colls/missing/docs", "1003"),
    ],
)
def test_what_is_within_a_missing_resource_is_missed_with_its_own_sub_status(
    account, call, method, path, sub_status
):
    answer = call(method, path.format(database=account.database().id), {"id": "x", "pk": "a"}, key=["a"])
    assert (answer.status_code, answer.headers.get("x-ms-substatus")) == (404, sub_status)


def test_partition_key_ranges_end_with_a_304(container, call):
    first = call("GET", f"{container.container_link}/pkranges", a_im="Incremental Feed")
    again = call(
        "GET",
        f"{container.container_link}/pkranges",
        a_im="Incremental Feed",
        if_none_match=first.headers["etag"],
    )
    assert (first.status_code, again.status_code) == (200, 304)


def test_another_key_than_the_accounts_is_refused(account):
    with pytest.raises(CosmosHttpResponseError) as caught:
        CosmosClient(account.url, "d3Jvbmcga2V5", retry_total=0).get_database_client("x").read()
    assert caught.value.status_code == 401


def test_a_call_without_signature_is_refused(account):
    assert account.http.get("/dbs").status_code == 401
    assert account.http.get("/dbs", headers={"authorization": "type=aad&ver=1.0&sig=x"}).status_code == 401


def test_a_call_that_is_not_supported_is_refused(container, call):
    assert call("GET", f"{container.container_link}/sprocs").status_code == 400
