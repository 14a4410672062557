"""Faults on demand, as the SDK meets them."""

import httpx
import pytest

# A connection that closes while a part of the request is unread is reset.
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.mark.parametrize(
    ("status", "sub_status"), [(408, 0), (410, 1002), (449, 0), (500, 0), (503, 0), (429, 3200), (404, 1002)]
)
def test_a_call_fails_as_often_as_was_asked_and_then_works(account, container, call, status, sub_status):
    path, document = f"{container.container_link}/docs", {"id": "1", "pk": "a"}
    account.fail_next(2, operation="POST", status=status, sub_status=sub_status, retry_after_ms=7)
    answers = [call("POST", path, document, key=["a"]) for _ in range(3)]
    assert [one.status_code for one in answers] == [status, status, 201]
    assert answers[0].headers["x-ms-retry-after-ms"] == "7"
    assert answers[0].headers.get("x-ms-substatus", "0") == str(sub_status)
    assert answers[0].json()["message"]


def test_a_fault_meets_its_kind_of_call_alone(account, container, call):
    account.fail_next(1, operation="DELETE", status=503)
    container.upsert_item({"id": "1", "pk": "a"})
    statuses = [call("DELETE", f"{container.container_link}/docs/1", key=["a"]).status_code for _ in range(2)]
    assert statuses == [503, 204]


def test_a_fault_of_an_item_meets_one_operation_of_a_batch(account, container, bulk):
    account.fail_next(1, scope="item", operation="Delete", status=429, sub_status=3200, retry_after_ms=9)
    key = {"partitionKey": '["a"]'}
    results = bulk(
        container,
        [
            {"operationType": "Upsert", **key, "resourceBody": {"id": "1", "pk": "a"}},
            {"operationType": "Delete", **key, "id": "1"},
            {"operationType": "Delete", **key, "id": "1"},
        ],
    ).json()
    assert [one["statusCode"] for one in results] == [201, 429, 204]
    assert (results[1]["subStatusCode"], results[1]["retryAfterMilliseconds"]) == (3200, 9)


@pytest.mark.parametrize(("scope", "is_done"), [("drop_before", False), ("drop_after", True)])
def test_a_connection_breaks_before_or_after_the_work_is_done(account, container, call, scope, is_done):
    account.fail_next(1, scope=scope, operation="POST")
    with pytest.raises(BROKEN):
        call("POST", f"{container.container_link}/docs", {"id": "1", "pk": "a"}, key=["a"])
    assert [one["id"] for one in container.read_all_items()] == (["1"] if is_done else [])


def test_whoever_sets_faults_does_not_meet_them(account, call):
    for scope in ("drop_before", "drop_after"):
        account.fail_next(1, scope=scope)
        assert account.http.get("/_localcloud/statistics").status_code == 200
        with pytest.raises(BROKEN):
            call("GET", "dbs")


def test_a_chance_of_a_fault_spares_some_calls(account, call):
    account.fail_next(10_000, status=503, probability=0.5)
    statuses = {call("GET", "dbs").status_code for _ in range(60)}
    assert statuses == {200, 503}


@pytest.mark.parametrize(
    "faults",
    [
        "x",
        5,
        ["x"],
        [{"scope": "request"}],
        [{"scope": "request", "count": 0}],
        [{"scope": "request", "count": 10_001}],
        [{"scope": "other", "count": 1}],
        [{"scope": "request", "count": 1, "unknown": 1}],
        [{"scope": "request", "count": 1, "status": "x"}],
        [{"scope": "request", "count": 1, "status": 200}],
        [{"scope": "request", "count": 1, "probability": 0}],
    ],
)
def test_an_impossible_fault_is_refused(account, call, faults):
    assert account.http.post("/_localcloud/faults", json=faults).status_code == 400
    assert call("GET", "dbs").status_code == 200


def test_faults_are_for_whoever_knows_the_key(account):
    assert httpx.get(f"{account.url}/_localcloud/statistics").status_code == 401
    answer = httpx.post(f"{account.url}/_localcloud/faults", json=[], headers={"x-localcloud-key": "x"})
    assert answer.status_code == 401
