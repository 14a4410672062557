"""Writes and reads while the service throttles, fails, or breaks connections."""

import json

import pytest

from tests.localcloud.contract.cosmos_account import KEY

both_modes = pytest.mark.parametrize("bulk", ["true", "false"], ids=["bulk", "point"])


def bodies(count, size=10):
    return [json.dumps({"id": str(n), "pk": f"p{n % 7}", "s": "x" * size}) for n in range(count)]


def test_a_container_with_little_throughput_throttles_and_still_gets_everything(table_of, account):
    table = table_of(ru=400)
    table.write(bodies(200))
    assert account.statistics(table.container)["throttled"] > 0
    table.container.replace_throughput(100_000)
    assert len(table.documents()) == 200


@both_modes
def test_throttling_is_endured_beyond_the_retry_count(table_of, account, bulk):
    table = table_of()
    table.write(bodies(1))  # looks the container up, so that the faults below meet writes alone
    account.fail_next(25, operation="POST", status=429, sub_status=3200, retry_after_ms=5)
    table.write(bodies(20), write__bulk__enabled=bulk, write__maxRetryCount="1")
    assert len(table.documents()) == 20


@both_modes
def test_passing_trouble_of_every_kind_is_tried_again(table_of, account, bulk):
    table = table_of()
    kinds = [(408, 0), (410, 1002), (500, 0), (503, 0), (404, 1002), (404, 0)]
    account.fail(
        *({"operation": "POST", "status": status, "sub_status": sub, "count": 1} for status, sub in kinds)
    )
    table.write(bodies(20), write__bulk__enabled=bulk)
    assert len(table.documents()) == 20


def test_operations_of_a_batch_that_fail_are_tried_again_alone(table_of, account):
    table = table_of()
    account.fail_next(7, scope="item", operation="Upsert", status=429, sub_status=3200, retry_after_ms=5)
    table.write(bodies(20))
    assert len(table.documents()) == 20
    account.fail_next(7, scope="item", operation="Upsert", status=503)
    table.write(bodies(30))
    assert len(table.documents()) == 30


@both_modes
@pytest.mark.parametrize("strategy", ["ItemOverwrite", "ItemAppend"])
def test_a_connection_that_breaks_is_tried_again(table_of, account, bulk, strategy):
    table = table_of()
    account.fail(
        *({"scope": scope, "operation": "POST", "count": 2} for scope in ("drop_before", "drop_after"))
    )
    table.write(bodies(20), strategy, write__bulk__enabled=bulk)
    assert len(table.documents()) == 20


@both_modes
def test_trouble_that_outlasts_the_retry_count_fails_the_job(table_of, account, bulk):
    table = table_of()
    account.fail_next(10_000, operation="POST", status=503)
    with pytest.raises(Exception, match="BulkOperationFailedException: status 503/0 for the item with id"):
        table.write(bodies(5), write__bulk__enabled=bulk, write__maxRetryCount="2")


def test_a_missing_document_is_no_reason_to_try_a_delete_again(table_of, account):
    table = table_of()
    before = account.posts()
    table.write(bodies(3), "ItemDelete")
    assert account.posts() - before == 1  # one batch


def test_a_status_that_cannot_heal_is_not_tried_again(table_of, account):
    table = table_of()
    account.fail_next(1, operation="POST", status=403)
    with pytest.raises(Exception, match="status 403/0 for the item with id '0'"):
        table.write(bodies(3))
    assert table.documents() == []


def test_a_read_goes_on_after_trouble_of_every_kind(table_of, account):
    table = table_of()
    table.write(bodies(300))
    kinds = (
        {"status": 429, "retry_after_ms": 5},
        {"status": 503},
        {"scope": "drop_before"},
        {"scope": "drop_after"},
    )
    account.fail(*({**kind, "operation": "POST", "count": 2} for kind in kinds))
    assert table.read(read__maxItemCount="50").count() == 300


def test_a_read_that_is_refused_fails_with_the_reason(table_of, account):
    table = table_of()
    account.fail_next(10_000, operation="POST", status=403)
    with pytest.raises(Exception, match=r"Reading the container .* failed with status 403"):
        table.read().count()


def test_the_lookup_of_the_container_goes_on_after_trouble(table_of, account):
    table = table_of()
    account.fail_next(3, operation="GET", status=503)
    table.write(bodies(3))
    assert len(table.documents()) == 3


def test_the_key_is_in_no_error(table_of, account):
    table = table_of()
    account.fail_next(1, operation="POST", status=400)
    with pytest.raises(Exception, match="status 400") as caught:
        table.write(bodies(1))
    assert KEY not in str(caught.value)
