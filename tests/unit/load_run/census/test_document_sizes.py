"""Sizes of documents, held against a list of all of them."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.load_run.census.document_sizes import (
    MOST_SIZES,
    NEAR_LIMIT_BYTES,
    PERCENTILE_ERROR,
    DocumentSizes,
    rounded_up,
)
from d2c.load_run.throughput.request_units import write_ru

size = st.integers(1, 3_000) | st.integers(1, 2_000_000)
sizes = st.lists(size, max_size=80)


def counted(numbers):
    found = DocumentSizes()
    for number in numbers:
        found.add(number)
    return found


@given(st.lists(size, min_size=1, max_size=80), st.sampled_from([1, 50, 90, 99, 100]))
def test_a_percentile_is_at_most_one_percent_too_large(numbers, percent):
    true = sorted(numbers)[math.ceil(len(numbers) * percent / 100) - 1]
    assert true <= counted(numbers).percentile(percent) < true * (1 + PERCENTILE_ERROR)
    assert PERCENTILE_ERROR < 0.01


@given(sizes)
def test_sums_and_the_largest_are_exact(numbers):
    found = counted(numbers).to_json()
    assert found["documents"] == len(numbers)
    assert found["total_bytes"] == sum(numbers)
    assert found["write_milli_ru"] == sum(round(write_ru(number) * 1000) for number in numbers)
    assert found["largest"] == max(numbers, default=0)
    assert found["near_limit"] == sum(number > NEAR_LIMIT_BYTES for number in numbers)


def test_only_a_document_beyond_1_8_mb_is_near_the_limit():
    assert counted([1_799_999, 1_800_000]).to_json()["near_limit"] == 0
    assert counted([1_800_001]).to_json()["near_limit"] == 1


@given(sizes, sizes, sizes)
def test_merging_is_as_counting_all_in_any_order(one, two, three):
    whole = counted([*one, *two, *three]).to_json()
    left, right = counted(one), counted(three)
    left.merge(counted(two))
    left.merge(counted(three))
    right.merge(counted(one))
    right.merge(counted(two))
    assert left.to_json() == right.to_json() == whole


def test_many_different_sizes_are_counted_in_bounded_memory():
    numbers = range(1, 3 * MOST_SIZES)
    found = counted(numbers)
    assert len(found.exact) <= MOST_SIZES
    assert found.to_json()["total_bytes"] == sum(numbers)
    assert len(found.rounded) < 1_000


def test_without_documents_there_is_no_percentile():
    assert DocumentSizes().percentile(50) is None


@given(sizes)
def test_sizes_come_back_from_their_json(numbers):
    found = counted(numbers).to_json()
    read = orjson.loads(orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS))
    assert DocumentSizes.from_json(read).to_json() == found


@pytest.mark.parametrize(("number", "rounded"), [(1, 1), (255, 255), (256, 256), (257, 258), (511, 512)])
def test_rounding_keeps_eight_bits_and_never_rounds_down(number, rounded):
    assert rounded_up(number) == rounded
    assert rounded_up(rounded) == rounded
