import orjson
import pytest

from d2c.mapping import REASONS, Rejected
from d2c.mapping.rejected import shown

from .helpers import NOW, item_with, line_of, mapper_of, n, s


def reject(line, **options):
    mapped = mapper_of(**options).map_line(line, NOW)
    assert isinstance(mapped, Rejected)
    return orjson.loads(mapped.to_json_line("data/a.json.gz", 7))


def test_a_rejected_item_has_its_place_reason_and_content():
    item = item_with(n("x"))
    assert reject(line_of(item)) == {
        "file": "data/a.json.gz",
        "line": 7,
        "reason": "malformed_line",
        "detail": "v: N is not a number",
        "keys": {"pk": s("p"), "sk": s("s")},
        "item": item,
    }


def test_the_fields_have_a_fixed_order():
    assert list(reject(b"x")) == ["file", "line", "reason", "detail", "keys", "item"]


def test_a_line_that_holds_no_object_is_kept_as_text():
    rejected = reject('kein JSON: "ü"\n'.encode())
    assert rejected["item"] == 'kein JSON: "ü"\n'
    assert rejected["keys"] is None


def test_bytes_that_are_no_text_stay_readable():
    assert reject(b"\xff\x00")["item"] == "\\xff\x00"


@pytest.mark.parametrize(
    ("item", "keys"),
    [
        ({"pk": s("p")}, {"pk": s("p")}),
        ({"v": s("x")}, None),
        ({"pk": 5, "sk": s("s")}, {"pk": 5, "sk": s("s")}),
    ],
)
def test_keys_are_the_key_attributes_that_the_item_has(item, keys):
    assert reject(line_of(item))["keys"] == keys


def test_an_item_is_kept_as_exported_to_the_last_digit():
    line = b'{"Item": {"pk":{"S":"p"}, "n":{"N":123456789012345678901234567890}}}'
    mapped = mapper_of().map_line(line, NOW)
    assert isinstance(mapped, Rejected)
    assert mapped.item == b'{"pk":{"S":"p"}, "n":{"N":123456789012345678901234567890}}'


def test_a_duplicate_name_is_kept_twice():
    mapped = mapper_of().map_line(b'{"Item":{"a":{"S":"1"},"a":{"S":"2"}}}', NOW)
    assert isinstance(mapped, Rejected)
    assert mapped.item == b'{"a":{"S":"1"},"a":{"S":"2"}}'


def test_an_item_is_kept_without_other_names_of_its_line():
    assert reject(b'{"Item":{"pk":{"S":"p"}},"More":1}')["item"] == {"pk": s("p")}


def test_an_item_that_parsing_would_change_is_kept_as_text():
    line = b'{"Item":{"pk":{"S":"p"},"n":{"N":123456789012345678901234567890}},"More":1}'
    assert reject(line)["item"] == line.decode()


def test_of_two_items_in_one_line_none_is_lost():
    line = b'{"Item":{"pk":{"S":"p"}},"Item":{"pk":{"S":"q"}}}'
    assert reject(line)["item"] == line.decode()


def test_an_item_too_deep_to_be_written_again_is_kept_as_text():
    line = b'{"Item":{"pk":{"L":' + b"[" * 400 + b"]" * 400 + b'}},"More":1}'
    assert reject(line)["item"] == line.decode()


def test_a_key_too_deep_to_be_written_is_left_out_of_keys():
    line = b'{"Item":{"pk":' + b"[" * 400 + b"]" * 400 + b"}}"
    assert reject(line)["keys"] is None


def test_the_detail_does_not_depend_on_the_order_of_attributes():
    faults = {"b": n("x"), "a": {"BOOL": 1}, "c": {"M": {"d": 5}}}
    one = reject(line_of(faults))
    other = reject(line_of(dict(reversed(faults.items()))))
    assert one["detail"] == other["detail"] == "a: BOOL is neither true nor false"


def test_the_detail_does_not_repeat_values():
    assert "secret" not in reject(line_of(item_with(n("secret"))))["detail"]
    assert "secret" not in reject(line_of({"pk": s("p"), "sk": {"ZZ": "secret"}}))["detail"]


def test_a_rejected_item_can_be_replayed_under_other_rules():
    rejected = reject(line_of(item_with(n("9007199254740993"))), rules={"numbers": "reject"})
    replayed = mapper_of().map_line(line_of(rejected["item"]), NOW)
    assert replayed == mapper_of().map_line(line_of(item_with(n("9007199254740993"))), NOW)


def test_the_reasons_are_those_that_are_documented():
    assert REASONS == (
        "malformed_line",
        "missing_key",
        "unknown_type",
        "name_collision",
        "inexact_number",
        "partition_key_too_long",
        "document_too_large",
    )


@pytest.mark.parametrize("depth", range(250, 257))
def test_a_key_nested_as_deep_as_json_is_written_or_deeper_is_rejected_like_any_other(depth):
    line = b'{"Item":{"pk":' + b"[" * depth + b"]" * depth + b',"sk":{"S":"s"}}}'
    mapped = mapper_of().map_line(line, NOW)
    assert isinstance(mapped, Rejected)
    kept = orjson.loads(mapped.to_json_line("f", 1))
    assert (kept["reason"], kept["item"]) == ("malformed_line", orjson.loads(line)["Item"])
    assert kept["keys"] in (None, kept["item"])


def test_a_detail_shows_200_characters_of_an_items_text():
    assert shown("x" * 200) == "x" * 200
    assert shown("x" * 201) == "x" * 199 + "…"
