import pickle
import sys

import orjson
import pytest

from d2c.mapping import Document, Expired, Mapper, Rejected

from .helpers import NOW, document_of, item_with, line_of, map_item, mapper_of, n, s

ITEM = {"pk": s("p"), "sk": s("s")}


def test_a_document_is_compact_json_with_its_identity():
    mapped = map_item({"pk": s("p#1"), "sk": s("a/b"), "total": n("12.5")})
    assert mapped == Document(
        body=b'{"id":"a~2Fb","pk":"p#1","sk":"a/b","total":12.5}',
        document_id="a~2Fb",
        partition_key=("p#1",),
        expires_at=None,
    )


def functions_called(call):
    """Return the names of the functions that a call calls."""
    names = set()
    sys.setprofile(lambda frame, event, _: names.add(frame.f_code.co_name) if event == "call" else None)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names


@pytest.mark.parametrize("rules", [{}, {"drop": ["x"]}])
def test_an_item_is_read_a_second_time_only_if_it_has_a_fault(rules):
    item = {**ITEM, "m": {"M": {"a": n("1"), "b": {"L": [{"BOOL": True}]}}}, "x": {"SS": ["a", "b"]}}
    assert Mapper._read_carefully.__name__ not in functions_called(lambda: map_item(item, rules))
    faulty = {**item, "y": {"N": "x"}}
    assert Mapper._read_carefully.__name__ in functions_called(lambda: map_item(faulty, rules))


def test_text_is_written_as_utf8_and_not_escaped():
    mapped = map_item({**ITEM, "city": s("Köln")})
    assert isinstance(mapped, Document)
    assert "Köln".encode() in mapped.body


@pytest.mark.parametrize("name", ["_rid", "_self", "_etag", "_ts", "_attachments", "id", "ttl"])
def test_an_attribute_with_a_reserved_name_is_renamed(name):
    document = document_of({**ITEM, name: s("mine")})
    assert document == {"pk": "p", "sk": "s", "id": "s", f"dynamodb_{name}": "mine"}


def test_names_inside_values_are_not_touched():
    assert document_of({**ITEM, "m": {"M": {"id": s("x"), "_ts": n("1")}}})["m"] == {"id": "x", "_ts": 1}


class TestTheAttributeId:
    def test_is_the_property_id_if_it_alone_is_the_document_id(self):
        mapped = map_item({"id": s("a")}, keys=("id",))
        assert isinstance(mapped, Document)
        assert orjson.loads(mapped.body) == {"id": "a"}
        assert mapper_of(keys=("id",)).partition_key_paths == ("/id",)

    @pytest.mark.parametrize(
        ("tagged", "document_id", "value"),
        [
            (n("5"), "5", 5),
            (s("a/b"), "a~2Fb", "a/b"),
            ({"B": "+/8="}, "-_8", "+/8="),
            ({"B": "AQI="}, "AQI", "AQI="),
        ],
    )
    def test_is_kept_too_where_its_value_is_not_the_document_id(self, tagged, document_id, value):
        mapped = map_item({"id": tagged}, keys=("id",))
        assert isinstance(mapped, Document)
        assert orjson.loads(mapped.body) == {"id": document_id, "dynamodb_id": value}
        assert mapped.partition_key == (document_id,)

    def test_is_kept_apart_where_the_document_id_is_made_of_another(self):
        item = {"id": s("a"), "sk": s("b")}
        assert document_of(item, keys=("id", "sk")) == {"id": "b", "dynamodb_id": "a", "sk": "b"}
        assert mapper_of(keys=("id", "sk")).partition_key_paths == ("/dynamodb_id",)

    def test_is_a_separate_property_if_the_document_id_has_another_attribute(self):
        item = {"id": s("a"), "sk": s("b"), "t": s("c")}
        document = document_of(item, {"partition_key": ["t"]}, keys=("id", "sk"))
        assert document == {"id": "a|b", "dynamodb_id": "a", "sk": "b", "t": "c"}

    def test_is_the_property_id_as_a_sort_key(self):
        assert document_of({"pk": s("p"), "id": s("a")}, keys=("pk", "id")) == {"pk": "p", "id": "a"}

    def test_takes_its_new_name_where_the_rules_rename_it(self):
        mapper = mapper_of({"rename": {"id": "number"}}, keys=("id",))
        mapped = mapper.map_line(line_of({"id": n("5")}), NOW)
        assert isinstance(mapped, Document)
        assert orjson.loads(mapped.body) == {"id": "5", "number": 5}
        assert mapper.partition_key_paths == ("/number",)

    def test_collides_with_an_attribute_dynamodb_id_only_where_both_are_written(self):
        alike = {"id": s("a"), "dynamodb_id": s("mine")}
        assert document_of(alike, keys=("id",)) == {"id": "a", "dynamodb_id": "mine"}
        unlike = map_item({"id": n("5"), "dynamodb_id": s("mine")}, keys=("id",))
        assert isinstance(unlike, Rejected)
        assert unlike.reason == "name_collision"


class TestRules:
    def test_drop_acts_before_rename(self):
        document = document_of({**ITEM, "a": s("1"), "b": s("2")}, {"drop": ["a"], "rename": {"b": "a"}})
        assert document == {"pk": "p", "sk": "s", "id": "s", "a": "2"}

    def test_renames_act_all_at_once_so_that_names_can_be_swapped(self):
        document = document_of({**ITEM, "a": s("1"), "b": s("2")}, {"rename": {"a": "b", "b": "a"}})
        assert (document["a"], document["b"]) == ("2", "1")

    def test_a_name_of_cosmos_db_that_is_renamed_needs_no_prefix(self):
        assert document_of({**ITEM, "_ts": n("5")}, {"rename": {"_ts": "written"}})["written"] == 5

    def test_a_constant_of_any_json_value_is_added(self):
        constants = {"type": "order", "meta": {"v": [1, None, True, 0.5]}}
        document = document_of(ITEM, {"set": constants})
        assert {name: document[name] for name in constants} == constants

    def test_a_renamed_partition_key_attribute_is_renamed_in_the_path(self):
        mapper = mapper_of({"rename": {"pk": "customer", "t": "year"}, "partition_key": ["pk", "t"]})
        assert mapper.partition_key_paths == ("/customer", "/year")
        mapped = mapper.map_line(line_of({**ITEM, "t": n("1")}), NOW)
        assert isinstance(mapped, Document)
        assert mapped.partition_key == ("p", 1)

    def test_dropped_attributes_are_not_examined(self):
        item = {**ITEM, "x": {"N": "no number"}, "y": {"ZZ": 1}, "z": 5}
        assert document_of(item, {"drop": ["x", "y", "z"]}) == {"pk": "p", "sk": "s", "id": "s"}


@pytest.mark.parametrize(
    ("item", "rules", "name"),
    [
        ({"a": s("1"), "b": s("2")}, {"rename": {"a": "b"}}, "b"),
        ({"a": s("1"), "b": s("2")}, {"rename": {"a": "c", "b": "c"}}, "c"),
        ({"_ts": s("1"), "dynamodb__ts": s("2")}, {}, "dynamodb__ts"),
        ({"a": s("1"), "_ts": s("2")}, {"rename": {"a": "dynamodb__ts"}}, "dynamodb__ts"),
        ({"type": s("1")}, {"set": {"type": "x"}}, "type"),
        ({"a": s("1")}, {"rename": {"a": "type"}, "set": {"type": "x"}}, "type"),
    ],
)
def test_two_things_under_one_name_are_a_name_collision_that_names_it(item, rules, name):
    mapped = map_item({**ITEM, **item}, rules)
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "name_collision"
    assert mapped.detail.endswith(name)


@pytest.mark.parametrize(
    ("item", "rules"),
    [
        ({"pk": s("p")}, {}),
        ({"sk": s("s")}, {}),
        ({}, {}),
        ({"pk": s(""), "sk": s("s")}, {}),
        ({"pk": {"B": ""}, "sk": s("s")}, {}),
        ({"pk": {"BOOL": True}, "sk": s("s")}, {}),
        ({"pk": s("p"), "sk": {"NULL": True}}, {}),
        ({"pk": s("p"), "sk": {"M": {}}}, {}),
        ({"pk": s("p"), "sk": {"ZZ": "s"}}, {}),
        (ITEM, {"partition_key": ["x"]}),
        ({**ITEM, "x": s("")}, {"partition_key": ["x"]}),
        ({**ITEM, "x": {"L": []}}, {"partition_key": ["x"]}),
        ({**ITEM, "x": {"SS": ["a"]}}, {"partition_key": ["x"]}),
        ({"pk": {"BOOL": True}, "sk": s("s")}, {"partition_key": ["pk", "sk"]}),
    ],
)
def test_an_absent_empty_or_mistyped_key_is_a_missing_key(item, rules):
    mapped = map_item(item, rules)
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "missing_key"


@pytest.mark.parametrize("tagged", [5, {}, {"S": "a", "N": "1"}])
def test_a_key_without_one_type_tag_is_a_malformed_line(tagged):
    mapped = map_item({"pk": tagged, "sk": s("s")})
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "malformed_line"


def test_a_key_that_cannot_be_used_is_told_with_its_name_and_what_it_lacks():
    for tagged, told in (
        ({"BOOL": True}, "the attribute's type cannot be a key (allowed: B, N, S)"),
        (s(""), "the attribute is empty"),
        (None, "the attribute is absent"),
    ):
        mapped = map_item({"sk": s("s"), **({"pk": tagged} if tagged else {})})
        assert isinstance(mapped, Rejected)
        assert mapped.detail == f"pk: {told}"


def test_partition_keys_fit_up_to_2048_bytes_over_all_levels():
    rules = {"partition_key": ["pk", "n", "type"], "set": {"type": "ü"}}
    fits = map_item({"pk": s("x" * 2044), "n": n("12"), "sk": s("s")}, rules)
    assert isinstance(fits, Document)
    too_long = map_item({"pk": s("x" * 2044), "n": n("123"), "sk": s("s")}, rules)
    assert isinstance(too_long, Rejected)
    assert too_long.reason == "partition_key_too_long"
    assert "2049" in too_long.detail


def test_documents_of_two_million_bytes_fit_and_larger_ones_do_not():
    overhead = len(b'{"id":"s","pk":"p","sk":"s","v":""}')
    fits = map_item(item_with(s("x" * (2_000_000 - overhead))))
    assert isinstance(fits, Document)
    assert len(fits.body) == 2_000_000
    too_large = map_item(item_with(s("x" * (2_000_001 - overhead))))
    assert isinstance(too_large, Rejected)
    assert too_large.reason == "document_too_large"


def test_escapes_count_for_the_size_of_a_document():
    control = map_item(item_with(s("\x01" * 400_000)))
    assert isinstance(control, Rejected)
    assert control.reason == "document_too_large"


FAULTS_IN_ORDER = [
    ("malformed_line", {"bad": n("x")}),
    ("missing_key", {"t": {"L": []}}),
    ("unknown_type", {"odd": {"ZZ": 1}}),
    ("expired", {"until": n(str(NOW - 5))}),
    ("name_collision", {"a": s("1"), "b": s("2")}),
    ("inexact_number", {"exact": n("0.10000000000000000001")}),
    ("partition_key_too_long", {"t": s("x" * 2049)}),
    ("document_too_large", {"large": s("x" * 2_000_000)}),
]


@pytest.mark.parametrize("first", range(len(FAULTS_IN_ORDER)))
@pytest.mark.parametrize("backwards", [False, True])
def test_the_first_reason_wins_in_any_order_of_attributes(first, backwards):
    parts = [{**ITEM, "t": s("t"), "until": n(str(NOW + 5))}]
    for _, part in reversed(FAULTS_IN_ORDER[first:]):
        parts.append(part)
    item = {name: tagged for part in parts for name, tagged in part.items()}
    if backwards:
        item = dict(reversed(item.items()))
    rules = {"partition_key": ["t"], "rename": {"a": "b"}, "numbers": "reject"}
    mapped = map_item(item, rules, ttl_attribute="until")
    found = "expired" if isinstance(mapped, Expired) else mapped.reason  # type: ignore[union-attr]
    assert found == FAULTS_IN_ORDER[first][0]


def test_the_first_reason_wins_inside_one_value_too():
    value = {"L": [n("0.10000000000000000001"), {"ZZ": 1}, {"M": {"a": n("x")}}]}
    mapped = map_item(item_with(value), {"numbers": "reject"})
    assert isinstance(mapped, Rejected)
    assert (mapped.reason, mapped.detail) == ("malformed_line", "v[2].a: N is not a number")


def test_an_inexact_number_is_told_where_names_do_not_collide_although_they_might():
    item = {"id": s("a"), "dynamodb_id": s("mine"), "v": n("0.10000000000000000001")}
    mapped = map_item(item, {"numbers": "reject"}, keys=("id",))
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "inexact_number"


def test_an_inexact_key_is_rejected_by_the_rule_reject():
    mapped = map_item({"pk": n("9007199254740993"), "sk": s("s")}, {"numbers": "reject"})
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "inexact_number"


def test_a_mapper_that_was_sent_to_a_worker_maps_alike():
    mapper = mapper_of({"rename": {"a": "b"}, "set": {"type": "x"}}, ttl_attribute="t")
    line = line_of({**ITEM, "a": n("0.1"), "t": n(str(NOW + 7))})
    first = mapper.map_line(line, NOW)
    assert pickle.loads(pickle.dumps(mapper)).map_line(line, NOW) == first
    assert isinstance(first, Document)
