import hashlib

import pytest

from d2c.mapping import Document
from d2c.mapping.keys import document_id, escape, key_text

from .helpers import document_of, map_item, mapper_of, n, s


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        ("S", "ä b", "ä b"),
        ("N", "1E+2", "100"),
        ("N", "-0.50", "-0.5"),
        ("N", "-0", "0"),
        ("N", "12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("N", "1E-130", "0." + "0" * 129 + "1"),
        ("B", "+/8=", "-_8"),
    ],
)
def test_the_text_of_a_key_value_is_exact(tag, value, text):
    assert key_text(tag, value) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("~%/\\?#", "~7E~25~2F~5C~3F~23"),
        ("a\x00\x1f\x7fb\n", "a~00~1F~7Fb~0A"),
        ("  a b  ", "~20 a b ~20"),
        (" ", "~20"),
        ("\u0080ü|", "\u0080ü|"),
    ],
)
def test_an_id_has_no_character_that_cosmos_db_or_its_sdks_refuse(text, escaped):
    assert escape(text) == escaped


def test_the_separator_is_escaped_only_in_ids_of_several_attributes():
    assert document_id(["a|b"]) == "a|b"
    assert document_id(["a|b", "c"]) == "a~7Cb|c"


def test_an_id_of_1023_bytes_stays_and_a_longer_one_is_hashed():
    assert document_id(["x" * 1023]) == "x" * 1023
    too_long = "x" * 1024
    assert document_id([too_long]) == "sha256:" + hashlib.sha256(too_long.encode()).hexdigest()


def test_the_length_of_an_id_counts_bytes_after_escaping():
    assert document_id(["ü" * 511]) == "ü" * 511
    assert document_id(["ü" * 512]) == "sha256:" + hashlib.sha256(("ü" * 512).encode()).hexdigest()
    assert document_id(["#" * 342]) == "sha256:" + hashlib.sha256(b"~23" * 342).hexdigest()


def test_an_id_that_looks_hashed_is_hashed():
    assert document_id(["sha256:abc"]) == "sha256:" + hashlib.sha256(b"sha256:abc").hexdigest()


def test_an_id_that_clients_would_resolve_as_a_part_of_an_address_is_escaped():
    assert [document_id([text]) for text in (".", "..", "...", ".a")] == ["~2E", "~2E~2E", "...", ".a"]
    assert document_id(["..", "."]) == "..|."


def test_key_attributes_stay_in_the_document_when_the_id_is_hashed():
    document = document_of({"pk": s("p"), "sk": s("x" * 1024)})
    assert document["sk"] == "x" * 1024
    assert document["id"].startswith("sha256:")


def test_with_the_default_partition_key_the_id_is_the_sort_key():
    assert document_of({"pk": s("p"), "sk": n("7.50")})["id"] == "7.5"


def test_without_a_sort_key_the_id_is_the_hash_key():
    assert document_of({"pk": s("p")}, keys=("pk",))["id"] == "p"


def test_with_another_partition_key_the_id_has_all_key_attributes():
    item = {"pk": s("p"), "sk": {"B": "AQI="}, "tenant": s("t")}
    assert document_of(item, {"partition_key": ["tenant"]})["id"] == "p|AQI"
    assert document_of(item, {"partition_key": ["tenant", "pk"]})["id"] == "p|AQI"


def test_rules_can_choose_the_key_attributes_of_the_id():
    item = {"pk": s("p"), "sk": s("s"), "tenant": s("t")}
    rules = {"partition_key": ["tenant", "pk"], "document_id": ["sk"]}
    assert document_of(item, rules)["id"] == "s"
    assert document_of(item, {"document_id": ["sk", "pk"]})["id"] == "s|p"


def test_a_hierarchical_partition_key_has_one_mapped_value_per_level():
    rules = {"partition_key": ["type", "year", "blob"], "set": {"type": "order"}}
    mapped = map_item({"pk": s("p"), "sk": s("s"), "year": n("2024"), "blob": {"B": "AQ=="}}, rules)
    assert isinstance(mapped, Document)
    assert mapped.partition_key == ("order", 2024, "AQ==")


@pytest.mark.parametrize("tagged", [{"BOOL": False}, {"NULL": True}, {"N": "0"}])
def test_partition_key_attributes_of_the_rules_can_be_false_null_or_zero(tagged):
    mapped = map_item({"pk": s("p"), "sk": s("s"), "x": tagged}, {"partition_key": ["x"]})
    assert isinstance(mapped, Document)
    assert mapped.partition_key == ({"BOOL": False, "NULL": None, "N": 0}[next(iter(tagged))],)


def test_an_inexact_number_is_text_in_the_partition_key():
    mapped = map_item({"pk": n("9007199254740993"), "sk": s("s")})
    assert isinstance(mapped, Document)
    assert mapped.partition_key == ("9007199254740993",)


def test_paths_are_quoted_where_the_name_is_no_plain_word():
    rules = {"partition_key": ["plain_1", "a b", "1st"]}
    assert mapper_of(rules).partition_key_paths == ("/plain_1", '/"a b"', '/"1st"')
