"""The shapes that a mapper records for a census, which do not change its outcomes."""

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings

from d2c.mapping import Expired, KeySchema, MappedShape, Rejected, RulesError, compile_mapper, parse_rules
from d2c.mapping.mapped_shape import count_inexact

from .helpers import NOW, line_of, n, s
from .strategies import any_item, any_value, table

BIG = "12345678901234567890"


def compiled(made_up, mapped_shape=None):
    try:
        rules = parse_rules(made_up.rules, KeySchema(*made_up.keys), ttl_attribute=made_up.ttl_attribute)
    except RulesError:
        assume(False)
    return compile_mapper(rules, mapped_shape)


@given(any_item, table)
def test_recording_shapes_does_not_change_the_outcome(content, made_up):
    line = line_of(content)
    assert compiled(made_up, MappedShape()).map_line(line, NOW) == compiled(made_up).map_line(line, NOW)


# Most made-up items are rejected, and by chance nearly all of a run's first ones.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(any_item, table)
def test_it_records_the_type_and_exactness_of_each_attribute(content, made_up):
    mapped_shape = MappedShape()
    mapper = compiled(made_up, mapped_shape)
    mapped = mapper.map_line(line_of(content), NOW)
    assume(not isinstance(mapped, Rejected))
    kept = {name: tagged for name, tagged in content.items() if name not in mapper.rules.drop}
    assert mapped_shape.shape == (*kept, *[tag for tagged in kept.values() for tag in tagged])
    # An expired item is not rejected: its mapping ends at the first inexact number.
    if not (isinstance(mapped, Expired) and mapper.rules.numbers == "reject"):
        counts = {name: count for name, tagged in kept.items() if (count := count_inexact(tagged))}
        assert mapped_shape.inexact_by_attribute() == counts


@pytest.mark.parametrize("rule", ["exact", "string"])
@pytest.mark.parametrize(
    "tagged", [n(BIG), {"NS": ["1", BIG]}, {"L": [n(BIG)]}, {"M": {"a": {"NS": [BIG, "2"]}}}]
)
def test_inexact_numbers_count_at_any_depth_for_their_own_item(tagged, rule):
    mapped_shape = MappedShape()
    mapper = compile_mapper(parse_rules({"numbers": rule}, KeySchema("pk", None)), mapped_shape)
    seen = []
    for value in (tagged, n("1")):
        mapper.map_line(line_of({"pk": s(BIG), "v": value, "w": s(BIG)}), NOW)
        seen.append(mapped_shape.inexact_by_attribute())
    assert seen == [{"v": 1}, {}]


def test_the_tag_of_an_attribute_is_found_by_its_name_alone():
    mapped_shape = MappedShape()
    mapper = compile_mapper(parse_rules({"drop": ["x"]}, KeySchema("pk", None)), mapped_shape)
    mapper.map_line(line_of({"pk": s("a"), "v": n("1"), "x": s("b")}), NOW)
    tags = {name: mapped_shape.tag_of(name) for name in ("pk", "v", "x", "S", "N")}
    assert tags == {"pk": "S", "v": "N", "x": None, "S": None, "N": None}


@pytest.mark.parametrize(("key", "counts"), [("7", {"v": 1}), (BIG, {"id": 1, "v": 1})])
def test_a_number_that_became_the_document_id_counts_as_a_number(key, counts):
    mapped_shape = MappedShape()
    line = line_of({"id": n(key), "v": {"L": [n(BIG)]}})
    compile_mapper(parse_rules({}, KeySchema("id", None)), mapped_shape).map_line(line, NOW)
    assert mapped_shape.inexact_by_attribute() == counts


@pytest.mark.parametrize("tagged", [1, None, "text", {}, [[]], {"S": "a", "N": "1"}])
def test_values_without_a_tag_are_left_to_the_mapper(tagged):
    mapper = compile_mapper(parse_rules({}, KeySchema("pk", None)), MappedShape())
    assert isinstance(mapper.map_line(line_of({"pk": s("a"), "v": tagged}), NOW), Rejected)


@pytest.mark.parametrize(
    ("tagged", "count"),
    [
        (n("1"), 0),
        (n(BIG), 1),
        (s(BIG), 0),
        ({"NS": [BIG, "1", "0.1000000000000000055"]}, 2),
        ({"M": {"a": n(BIG), "b": {"L": [n(BIG), n("2")]}}}, 2),
        ({"N": "no number"}, 0),
        ({"N": 1}, 0),
        ({"NS": None}, 0),
        ({"M": [n(BIG)]}, 0),
        (None, 0),
    ],
)
def test_inexact_numbers_are_counted_at_any_depth(tagged, count):
    assert count_inexact(tagged) == count


@given(any_value)
def test_any_value_is_counted_without_an_error(tagged):
    assert count_inexact(orjson.loads(orjson.dumps(tagged))) >= 0


@pytest.mark.parametrize(("levels", "count"), [(0, 1), (31, 1), (32, 1), (33, 0), (500, 0)])
@pytest.mark.parametrize("nest", [lambda inner: {"L": [inner]}, lambda inner: {"M": {"a": inner}}])
def test_inexact_numbers_are_counted_as_deep_as_dynamodb_nests(nest, levels, count):
    tagged = {"N": "12345678901234567890"}
    for _ in range(levels):
        tagged = nest(tagged)
    assert count_inexact(tagged) == count
