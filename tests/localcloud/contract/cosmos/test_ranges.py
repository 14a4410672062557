"""Partition ranges: shares of the throughput, splits, and what a client sees of them."""

import pytest

from d2c.clients.azure.cosmos.data_plane import has_documents
from tests.localcloud.contract.cosmos_account import PLENTY_RU

HEADERS = {"a_im": "Incremental Feed"}


def ranges_of(call, container, **headers):
    return call("GET", f"{container.container_link}/pkranges", **HEADERS, **headers)


def keys_by_range(container, call):
    """One key of each range, by the range's id."""
    found = {}
    for number in range(50):
        container.upsert_item({"id": "probe", "pk": f"k{number}"})
    for each in ranges_of(call, container).json()["PartitionKeyRanges"]:
        answer = call(
            "GET", f"{container.container_link}/docs", x_ms_documentdb_partitionkeyrangeid=each["id"]
        )
        found[each["id"]] = answer.json()["Documents"][0]["pk"]
    return found


def upsert(key, size=10):
    return {"operationType": "Upsert", "partitionKey": f'["{key}"]', "resourceBody": document(key, size)}


def document(key, size=10):
    return {"id": "d", "pk": key, "s": "x" * size}


@pytest.mark.parametrize(("ru", "count"), [(400, 1), (6_000, 1), (6_100, 2), (60_000, 10)])
def test_a_container_begins_with_a_range_for_every_6000_ru(account, call, ru, count):
    ranges = ranges_of(call, account.container(ru=ru)).json()["PartitionKeyRanges"]
    assert len(ranges) == count
    assert [one["throughputFraction"] for one in ranges] == pytest.approx([1 / count] * count)
    assert [one["maxExclusive"] for one in ranges][:-1] == [one["minInclusive"] for one in ranges][1:]


def test_a_hot_range_is_throttled_while_the_others_are_not(account, call):
    container = account.container(ru=2 * PLENTY_RU)
    container.replace_throughput(800)  # two ranges of 400 RU/s each
    hot, cold = keys_by_range(container, call).values()
    link = f"{container.container_link}/docs"
    call("POST", link, document(hot, 1_000_000), key=[hot], x_ms_documentdb_is_upsert="true")
    assert call("GET", f"{link}/d", key=[hot]).status_code == 429
    assert call("POST", link, document(cold), key=[cold]).status_code == 201


def test_a_split_ends_a_range_and_a_client_that_knew_it_is_told(account, call):
    container = account.container()
    before = ranges_of(call, container)
    container.upsert_item({"id": "1", "pk": "a"})
    container.replace_throughput(2 * PLENTY_RU)
    after = ranges_of(call, container, if_none_match=before.headers["etag"])
    assert [(one["id"], one["parents"]) for one in after.json()["PartitionKeyRanges"]] == [
        ("1", ["0"]),
        ("2", ["0"]),
    ]
    gone = call("GET", f"{container.container_link}/docs", x_ms_documentdb_partitionkeyrangeid="0")
    assert (gone.status_code, gone.headers["x-ms-substatus"]) == (410, "1002")
    assert [one["id"] for one in container.read_all_items()] == ["1"]


def test_ranges_outlive_a_restart_and_less_throughput(own_account):
    container = own_account.container()
    container.replace_throughput(30_000)
    container.replace_throughput(400)
    before = list(container.read_feed_ranges())
    own_account.restart()
    assert list(container.read_feed_ranges()) == before
    assert len(before) == 3


def test_an_operation_of_a_batch_must_lie_in_the_range_of_the_batch(account, call):
    container = account.container(ru=2 * PLENTY_RU)
    (first, key), (_, other) = keys_by_range(container, call).items()
    answer = call(
        "POST",
        f"{container.container_link}/docs",
        [upsert(key), upsert(other)],
        x_ms_cosmos_is_batch_request="true",
        x_ms_cosmos_batch_continue_on_error="true",
        x_ms_documentdb_partitionkeyrangeid=first,
    )
    assert [one["statusCode"] for one in answer.json()] == [201, 400]


@pytest.mark.parametrize("marks", [{}, {"kind": "a"}])
def test_the_app_finds_documents_in_any_range(account, marks):
    container = account.container(ru=3 * PLENTY_RU)
    names = account.client(), *container.container_link.split("/")[1::2]
    assert not has_documents(*names, marks)
    for number in range(20):
        container.upsert_item({"id": "d", "pk": f"k{number}", "kind": "b"})
    assert has_documents(*names, marks) is not bool(marks)
    container.upsert_item({"id": "e", "pk": "k", "kind": "a"})
    assert has_documents(*names, marks)
