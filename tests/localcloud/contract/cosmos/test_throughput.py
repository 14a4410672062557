"""Throughput that is spent: charges, throttling, recovery."""

import uuid

import pytest
from azure.cosmos import PartitionKey, ThroughputProperties

from tests.contract.polling import wait_until


def upserts(count, size=10):
    return [
        {
            "operationType": "Upsert",
            "partitionKey": '["a"]',
            "resourceBody": {"id": str(n), "pk": "a", "s": "x" * size},
            "minimalReturnPreference": True,
        }
        for n in range(count)
    ]


def test_charges_grow_with_size_and_shrink_without_indexing(account, bulk):
    indexed = account.container()
    plain = account.container(indexing_policy={"indexingMode": "none", "automatic": False})
    small, large, unindexed = (
        float(bulk(container, upserts(1, size)).headers["x-ms-request-charge"])
        for container, size in ((indexed, 10), (indexed, 100_000), (plain, 10))
    )
    assert small == 10
    assert 90 < large < 110
    assert unindexed == pytest.approx(small / 2, abs=0.01)


def test_more_than_is_provisioned_is_throttled_and_the_wait_is_told(account, bulk):
    container = account.container(ru=400)
    results = bulk(container, upserts(40, size=40_000)).json()
    throttled = [one for one in results if one["statusCode"] == 429]
    # One second's worth of 400 RU holds eight such writes, and as many fit for each second that the batch takes.
    assert 10 <= len(throttled) <= 32
    assert all(one["subStatusCode"] == 3200 and one["retryAfterMilliseconds"] > 0 for one in throttled)
    assert account.statistics(container)["throttled"] == len(throttled)


def test_a_throttled_call_tells_when_to_come_again_and_then_it_works(account, bulk, call):
    container = account.container(ru=400)
    bulk(container, upserts(1, size=2_000_000))  # overdraws the budget by three seconds
    path = f"{container.container_link}/docs/0"
    answer = call("GET", path, key=["a"])
    wait_ms = int(answer.headers["x-ms-retry-after-ms"])
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (429, "3200")
    assert 0 < wait_ms < 3500
    container.replace_throughput(100_000)
    answer = call("GET", path, key=["a"])
    assert int(answer.headers.get("x-ms-retry-after-ms", 0)) < 50
    wait_until(lambda: call("GET", path, key=["a"]).status_code == 200)


def test_containers_that_share_their_databases_throughput_spend_from_one_budget(account, bulk, call):
    database = account.client().create_database(f"d{uuid.uuid4().hex[:8]}", offer_throughput=400)
    first, second = (database.create_container(name, PartitionKey("/pk")) for name in ("a", "b"))
    own = database.create_container("own", PartitionKey("/pk"), offer_throughput=400)
    bulk(first, upserts(1, size=2_000_000))
    answers = [call("GET", f"{one.container_link}/docs/0", key=["a"]).status_code for one in (second, own)]
    assert answers == [429, 404]
    assert account.statistics(second)["request_units"] == 0 < account.statistics(first)["request_units"]
    database.replace_throughput(100_000)
    wait_until(lambda: call("GET", f"{first.container_link}/docs/0", key=["a"]).status_code == 200)


def test_the_sdk_gets_through_by_waiting(account):
    container = account.container(ru=400)
    container.upsert_item({"id": "1", "pk": "a", "s": "x" * 700_000})  # a debt of half a second
    container.upsert_item({"id": "2", "pk": "a"})
    assert account.statistics(container)["throttled"] > 0
    assert sorted(one["id"] for one in container.read_all_items()) == ["1", "2"]


def test_a_transactional_batch_is_throttled_as_a_whole_so_that_the_sdk_sends_it_again(account):
    container = account.container(ru=400)
    batch = [("upsert", ({"id": str(n), "pk": "a", "s": "x" * 3000},)) for n in range(100)]
    for _ in range(2):
        assert len(container.execute_item_batch(batch, "a")) == 100
    # Each refused call counts once, not once per operation.
    assert 1 <= account.statistics(container)["throttled"] < 10


def test_autoscale_allows_its_maximum(account, bulk):
    container = account.container(ru=ThroughputProperties(auto_scale_max_throughput=6_000))
    assert bulk(container, upserts(100)).status_code == 200


def test_queries_and_reads_are_charged(account, call):
    container = account.container()
    container.upsert_item({"id": "1", "pk": "a"})
    before = account.statistics(container)["request_units"]
    read = call("GET", f"{container.container_link}/docs/1", key=["a"])
    query = call("GET", f"{container.container_link}/docs")
    charges = [float(answer.headers["x-ms-request-charge"]) for answer in (read, query)]
    assert charges == [1.0, pytest.approx(2.57, abs=0.1)]
    assert account.statistics(container)["request_units"] - before == pytest.approx(sum(charges), abs=0.02)


def test_statistics_outlive_a_change_of_throughput(account, bulk):
    container = account.container(ru=400)
    bulk(container, upserts(100))
    before = account.statistics(container)
    container.replace_throughput(1000)
    assert account.statistics(container) == before
