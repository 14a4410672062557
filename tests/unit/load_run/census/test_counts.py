"""The census of generated tables, compared with the known content of their items."""

import json
import math
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.load_run.census.counts import Census, merged, summarise
from d2c.load_run.throughput.request_units import SYSTEM_PROPERTIES_BYTES, write_ru
from d2c.mapping import Document, KeySchema, MappedShape, Rejected, compile_mapper, parse_rules
from tests.unit.mapping import strategies
from tests.unit.mapping.helpers import NOW, line_of, n, s

BIG = "12345678901234567890"
lines = st.lists(
    st.builds(line_of, strategies.any_item) | st.binary(max_size=20) | st.builds(line_of, strategies.item),
    max_size=8,
)


def taken(items, rules=None, keys=("pk", "sk"), ttl_attribute=None):
    """Take the census of items like an assess worker."""
    parsed = parse_rules(rules or {}, KeySchema(*keys), ttl_attribute=ttl_attribute)
    mapped_shape = MappedShape()
    mapper = compile_mapper(parsed, mapped_shape)
    census = Census(mapped_shape, parsed.drop, parsed.ttl_attribute)
    mapped = []
    for item in items:
        mapped.append(mapper.map_line(item if isinstance(item, bytes) else line_of(item), NOW))
        census.add(mapped[-1])
    return census, mapped


def sent(census):
    """Return a census in the form that the driver receives."""
    return json.loads(json.dumps(census.to_json()))


def report_of(*tables, **options):
    return summarise(merged([sent(taken(items, **options)[0]) for items in tables]))


def music(artist, song, **attributes):
    return {"pk": s(artist), "sk": s(song), **attributes}


def test_types_and_inexact_numbers_are_counted_by_attribute():
    report = report_of(
        [music("a", "1", year=n("1999")), music("a", "2", year=s("1999"))],
        [music("b", "1", year=n(BIG), plays={"L": [n(BIG), n("2"), {"NS": [BIG]}]})],
    )
    assert report["attributes"] == [
        {"name": "pk", "types": {"S": 3}, "inexact_numbers": 0},
        {"name": "plays", "types": {"L": 1}, "inexact_numbers": 2},
        {"name": "sk", "types": {"S": 3}, "inexact_numbers": 0},
        {"name": "year", "types": {"N": 2, "S": 1}, "inexact_numbers": 1},
    ]
    assert report["values_of_other_attributes"] == 0


@pytest.mark.parametrize("rule", ["exact", "string", "reject"])
def test_inexact_numbers_are_counted_under_any_rule(rule):
    report = report_of([music("a", "1", v=n(BIG), w={"M": {"x": n(BIG)}})], rules={"numbers": rule})
    assert [entry["inexact_numbers"] for entry in report["attributes"]] == [0, 0, 1, 1]


def test_dropped_attributes_are_not_counted_wherever_the_item_goes():
    items = [music("a", "1", gone=n(BIG)), {"pk": s("no sort key"), "gone": n(BIG)}]
    report = report_of(items, rules={"drop": ["gone"]})
    assert [entry["name"] for entry in report["attributes"]] == ["pk", "sk"]


def test_expired_items_have_attributes_and_no_size():
    report = report_of([music("a", "1", until=n(str(NOW - 1)))], ttl_attribute="until")
    assert [entry["name"] for entry in report["attributes"]] == ["pk", "sk", "until"]
    assert report["document_bytes"]["total"] == 0
    assert report["document_bytes"]["max"] is None
    assert report["logical_partitions"]["largest"] == []


UNTIL = [
    {},
    {"until": n(str(NOW + 60))},
    {"until": n(str(NOW - 1))},
    {"until": n(str(10**11 - 1))},
    {"until": n(str(10**11))},
    {"until": n(str(NOW * 1000))},
    {"until": n(str(NOW * 1000)), "over": {"S": "N"}},
    {"until": n("0")},
    {"until": s("2027-01-01T00:00:00Z")},
    {"until": {"NULL": True}},
    {"until": {"M": {"days": n("3")}}},
]


def test_items_that_their_time_to_live_attribute_never_expires_are_counted_by_cause():
    items = [music("a", str(place), **until) for place, until in enumerate(UNTIL)]
    expected = {"milliseconds": 3, "long_past": 1, "not_a_number": 3}
    assert report_of(items, ttl_attribute="until")["never_expiring"] == expected
    assert report_of(items[:4], items[4:], ttl_attribute="until")["never_expiring"] == expected
    assert report_of(items)["never_expiring"] == {}
    assert report_of(items, ttl_attribute="until", rules={"ttl": "off"})["never_expiring"] == {}


def test_the_longest_document_id_is_measured_in_bytes():
    assert report_of([music("a", "straße"), music("a", "street")])["longest_document_id_bytes"] == 7


def test_documents_close_to_the_limit_are_counted():
    near = music("a", "near", text=s("x" * 1_900_000))
    report = report_of([near, music("a", "far", text=s("x" * 1_700_000))])
    assert report["documents_near_2_mb"] == 1
    assert report["document_bytes"]["max"] > 1_900_000


def test_a_load_costs_what_each_of_its_documents_does():
    small, large = music("a", "small"), music("a", "large", text=s("x" * 9_000))
    _, (document,) = taken([large])
    report = report_of([small, small], [large])
    assert report["write_ru"] == math.ceil(2 * 5 + round(write_ru(len(document.body)), 3))


def test_the_largest_partitions_come_first_and_include_system_properties():
    table = [music("small", "1"), *[music("large", str(number)) for number in range(3)]]
    census, mapped = taken(table)
    found = summarise(census)["logical_partitions"]
    size = sum(len(document.body) + SYSTEM_PROPERTIES_BYTES for document in mapped[1:])
    assert [entry["partition_key"] for entry in found["largest"]] == [["large"], ["small"]]
    first = found["largest"][0]
    assert (first["at_least_bytes"], first["at_most_bytes"]) == (size, size)
    assert found["others_at_most_bytes"] == 0


def test_partition_keys_of_other_types_are_other_partitions():
    items = [music("a", str(place), kind=kind) for place, kind in enumerate([n("1"), {"BOOL": True}, s("1")])]
    report = report_of(items, rules={"partition_key": ["pk", "kind"]})
    keys = [entry["partition_key"] for entry in report["logical_partitions"]["largest"]]
    assert sorted(map(json.dumps, keys)) == ['["a", "1"]', '["a", 1]', '["a", true]']


@given(st.lists(lines, max_size=4), st.randoms(use_true_random=False))
def test_a_census_is_exact_or_within_its_stated_bounds(files, source):
    results = [taken(file) for file in files]
    found = [sent(census) for census, _ in results]
    mapped = [one for _, outcomes in results for one in outcomes]
    once = summarise(merged(found))
    source.shuffle(found)
    again = summarise(merged(found))
    assert {**again, "logical_partitions": None} == {**once, "logical_partitions": None}
    documents = [one for one in mapped if isinstance(one, Document)]
    assert once["document_bytes"]["total"] == sum(len(document.body) for document in documents)
    assert once["longest_document_id_bytes"] == max(
        (len(document.document_id.encode()) for document in documents), default=0
    )
    weights = Counter()
    for document in documents:
        weights[orjson.dumps(document.partition_key)] += len(document.body) + SYSTEM_PROPERTIES_BYTES
    for entry in once["logical_partitions"]["largest"]:
        weight = weights.pop(orjson.dumps(entry["partition_key"]))
        assert entry["at_least_bytes"] <= weight <= entry["at_most_bytes"]
    assert all(weight <= once["logical_partitions"]["others_at_most_bytes"] for weight in weights.values())


def test_the_census_of_many_small_partitions_has_few_kilobytes():
    census, mapped = taken([music(f"{number:05}", "song", text=s("x" * 60)) for number in range(20_000)])
    assert not [one for one in mapped if isinstance(one, Rejected)]
    assert len(json.dumps(sent(census))) < 5_000
    partitions = summarise(census)["logical_partitions"]
    assert partitions["others_at_most_bytes"] < sum(len(one.body) + 200 for one in mapped) / 500
