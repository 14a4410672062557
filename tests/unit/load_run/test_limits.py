from collections import Counter

import pytest

from d2c.errors import PermanentError
from d2c.load_run.accounting import FileTally
from d2c.load_run.census.heavy_hitters import HeavyHitters
from d2c.load_run.limits import (
    ITEM_BYTES,
    KEPT_BEYOND_LIMIT,
    Allowance,
    check_limits,
    check_mapped_to_the_end,
)
from d2c.mapping import Rejected

PARTITIONS = HeavyHitters({'["small"]': 10, '["large",7]': 100, '["larger"]': 101}, error=1_000)


def check(rejected=None, partitions=PARTITIONS, *, items=0, partition_bytes=101):
    check_limits(
        rejected or {}, partitions, max_rejected_items=items, max_logical_partition_bytes=partition_bytes
    )


def error_of(*arguments, **limits):
    with pytest.raises(PermanentError) as raised:
        check(*arguments, **limits)
    return raised.value


def test_a_table_within_the_limits_passes():
    check({"missing_key": 2}, items=2)


def test_more_rejected_items_than_the_plan_allows_stop_the_table():
    error = error_of({"missing_key": 2, "inexact_number": 1}, items=2)
    assert error.title == "Too many rejected items"
    assert "3 items" in error.detail
    assert "inexact_number: 1, missing_key: 2" in error.detail
    assert "limits.max_rejected_items" in error.next_step


def test_a_partition_surely_above_the_limit_stops_the_table():
    error = error_of(partition_bytes=99)
    assert error.title == "A logical partition is too large"
    assert '"larger" would hold at least 101 bytes; the plan allows 99. 1 more' in error.detail
    assert "limits.max_logical_partition_bytes" in error.next_step


def test_a_partition_that_may_be_smaller_stops_nothing():
    check(partitions=HeavyHitters({'["a"]': 100}, error=1), partition_bytes=100)


def test_all_exceeded_limits_are_reported_at_once():
    error = error_of({"missing_key": 1}, partition_bytes=100)
    assert error.title == "Too many rejected items. A logical partition is too large"
    assert "missing_key: 1" in error.detail
    assert "101 bytes" in error.detail
    assert "max_rejected_items" in error.next_step
    assert "max_logical_partition_bytes" in error.next_step


def test_a_long_partition_key_is_cut():
    error = error_of(partitions=HeavyHitters({f'["{"x" * 2_000}"]': 100}), partition_bytes=1)
    assert len(error.detail) < 500


def rejected(size):
    return Rejected("malformed_line", "", None, b"x" * size)


def test_a_file_keeps_far_more_rejected_items_than_the_plan_allows():
    allowance = Allowance(5)
    assert all(allowance.covers(rejected(1)) for _ in range(5 + KEPT_BEYOND_LIMIT - 1))
    assert not allowance.covers(rejected(1))


def test_rejected_items_of_unusual_size_use_up_the_allowance_sooner():
    allowance, size = Allowance(0), 1000 * ITEM_BYTES
    assert all(allowance.covers(rejected(size)) for _ in range(KEPT_BEYOND_LIMIT // 1000 - 1))
    assert not allowance.covers(rejected(size))


def test_a_file_that_was_not_mapped_to_its_end_stops_the_table():
    whole = FileTally("a", lines=9, rejected=Counter(missing_key=9))
    check_mapped_to_the_end([whole], 0)
    stopped = FileTally("b", lines=12, rejected=Counter(missing_key=7, malformed_line=5), stopped=True)
    with pytest.raises(PermanentError) as raised:
        check_mapped_to_the_end([whole, stopped], 2)
    error = raised.value
    assert error.title == "Too many rejected items"
    assert error.detail.startswith("b alone has at least 12 items that cannot become faithful documents")
    assert "(malformed_line: 5, missing_key: 7); the plan allows 2" in error.detail
    assert "1 data files were mapped only up to that many" in error.detail
    assert "limits.max_rejected_items" in error.next_step
