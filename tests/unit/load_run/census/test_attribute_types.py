"""Types of attributes, held against a count of all of them."""

from collections import Counter, defaultdict

import orjson
from hypothesis import given
from hypothesis import strategies as st

from d2c.load_run.census.attribute_types import (
    LONGEST_NAME,
    MOST_CHARACTERS_IN_SHAPES,
    MOST_SHAPES,
    NO_TYPE,
    TAGS,
    AttributeTypes,
)
from tests.unit.mapping.strategies import any_item

KEPT = 3
name = st.text("ab", min_size=1, max_size=3)
item = st.dictionaries(name, st.sampled_from(sorted(TAGS)), max_size=5)
inexact = st.dictionaries(name, st.integers(1, 3), max_size=2)
items = st.lists(st.tuples(item, inexact), max_size=30)


def counted(rows, most=KEPT):
    counts = AttributeTypes(most)
    for tags, inexact in rows:
        counts.add((*tags, *tags.values()))
        counts.add_inexact({name: count for name, count in inexact.items() if name in tags})
    return counts


def exact_of(rows):
    types, inexact = defaultdict(Counter), Counter()
    for tags, numbers in rows:
        for name, tag in tags.items():
            types[name][tag] += 1
        inexact.update({name: count for name, count in numbers.items() if name in tags})
    first = sorted(types, key=lambda name: (len(name), name))[:KEPT]
    return {
        "values": sum(found.total() for found in types.values()),
        "types": {name: types[name] for name in first},
        "inexact": {name: inexact[name] for name in first if inexact[name]},
    }


@given(items)
def test_counts_of_the_attributes_that_are_kept_are_exact(rows):
    assert counted(rows).to_json() == exact_of(rows)


@given(items, items, items)
def test_merging_is_as_counting_all_in_any_order(one, two, three):
    left, right = counted(one), counted(three)
    left.merge(counted(two))
    left.merge(counted(three))
    right.merge(counted(one))
    right.merge(counted(two))
    assert left.to_json() == right.to_json() == exact_of([*one, *two, *three])


@given(items)
def test_counts_come_back_from_their_json(rows):
    found = counted(rows).to_json()
    assert AttributeTypes.from_json(orjson.loads(orjson.dumps(found))).to_json() == found


def test_items_that_all_differ_in_shape_need_bounded_memory():
    counts = AttributeTypes()
    for number in range(5 * MOST_SHAPES):
        counts.add(("pk", f"made up {number}", "S", "N"))
    found = counts.to_json()
    assert found["types"]["pk"] == {"S": 5 * MOST_SHAPES}
    assert found["values"] == 10 * MOST_SHAPES
    assert len(found["types"]) == 1_000


def test_an_item_of_many_attributes_is_counted_with_the_shortest_of_their_names():
    names = [str(number) for number in range(MOST_CHARACTERS_IN_SHAPES // 4)]
    counts = AttributeTypes(KEPT)
    counts.add((*names, *["S"] * len(names)))
    assert counts.to_json()["values"] == len(names)
    assert sorted(counts.to_json()["types"]) == ["0", "1", "2"]


def test_items_whose_names_are_long_are_counted_in_bounded_memory():
    counts = AttributeTypes()
    held = MOST_CHARACTERS_IN_SHAPES // 8
    for number in range(100):
        long = f"{number:0{held}}"
        counts.add((long, "S"))
        counts.add_inexact({long: 1})
        assert sum(len(name) for shape in counts._shapes for name in shape) <= MOST_CHARACTERS_IN_SHAPES
        assert not counts._inexact
    assert counts.to_json() == {"values": 100, "types": {}, "inexact": {}}


def test_a_name_too_long_to_be_shown_is_counted_with_the_others():
    long = "x" * (LONGEST_NAME + 1)
    counts = counted([({"pk": "S", long: "N"}, {long: 1})])
    assert counts.to_json() == {"values": 2, "types": {"pk": {"S": 1}}, "inexact": {}}


def test_untyped_attributes_of_rejected_items_are_counted():
    counts = AttributeTypes()
    number = {"N": "12345678901234567890"}
    counts.add_rejected({"a": {"S": "x"}, "b": {"ZZ": 1}, "c": None, "d": {}, "e": {"L": [number]}})
    assert counts.to_json() == {
        "values": 5,
        "types": {
            "a": {"S": 1},
            "b": {NO_TYPE: 1},
            "c": {NO_TYPE: 1},
            "d": {NO_TYPE: 1},
            "e": {"L": 1},
        },
        "inexact": {"e": 1},
    }


@given(any_item)
def test_any_rejected_item_is_counted_whole(content):
    counts = AttributeTypes()
    counts.add_rejected(content)
    assert counts.to_json()["values"] == len(content)
