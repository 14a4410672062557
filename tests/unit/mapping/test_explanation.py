import json

import pytest

from d2c.mapping import KeySchema, compile_mapper, parse_rules
from d2c.mapping.explanation import explain

NOW = 1_700_000_000
MUSIC = KeySchema("Artist", "SongTitle")


def explained(item, rules=None, keys=MUSIC, ttl_attribute=None):
    """Return the explanation of one item under rules."""
    mapper = compile_mapper(parse_rules(rules or {}, keys, ttl_attribute=ttl_attribute))
    line = json.dumps({"Item": item}).encode()
    return list(explain(line, mapper.map_line(line, NOW), mapper.rules))


def song(**attributes):
    return {"Artist": {"S": "Nina"}, "SongTitle": {"S": "Sinnerman"}, **attributes}


def test_defaults_that_change_nothing_need_no_explanation():
    assert explained(song(Year={"N": "1965"})) == []


@pytest.mark.parametrize(
    ("rules", "explanation"),
    [
        ({"drop": ["Year"]}, [("drop", "Year omitted")]),
        ({"drop": ["Label"]}, []),
        ({"rename": {"Year": "year"}}, [("rename", "Year became year")]),
        ({"rename": {"Label": "label"}}, []),
        ({"set": {"kind": "song"}}, [("set", "kind added as 'song'")]),
        ({"numbers": "string"}, [("numbers: string", "Year: 1965 became a string")]),
        ({"numbers": "reject"}, []),
        ({"document_id": ["SongTitle"]}, []),
        (
            {"document_id": ["Artist", "SongTitle"]},
            [("document_id", "Artist, SongTitle gave the document id Nina|Sinnerman")],
        ),
        ({"partition_key": ["Artist"]}, []),
        (
            {"partition_key": ["Artist", "Year"]},
            [("partition_key", 'Artist, Year gave the partition key ["Nina",1965]')],
        ),
    ],
)
def test_only_rules_that_changed_the_item_are_explained(rules, explanation):
    assert explained(song(Year={"N": "1965"}), rules) == explanation


def test_several_names_are_explained_in_their_order():
    item = song(**{name: {"S": "x"} for name in ("d", "c", "b", "a", "ttl", "_ts", "_etag")})
    rules = {"drop": ["d", "c"], "rename": {"b": "y", "a": "x"}}
    assert [example for _, example in explained(item, rules)] == [
        "c omitted",
        "d omitted",
        "a became x",
        "b became y",
        "_etag became dynamodb__etag",
        "_ts became dynamodb__ts",
        "ttl became dynamodb_ttl",
    ]


def test_of_a_dropped_attribute_nothing_else_is_explained():
    item = song(_ts={"N": "0.1234567890123456789"})
    assert explained(item, {"drop": ["_ts"]}) == [("drop", "_ts omitted")]


def test_reserved_names_are_explained_with_their_new_names():
    assert explained(song(_ts={"N": "1"}, id={"S": "x"})) == [
        ("names of Cosmos DB", "_ts became dynamodb__ts"),
        ("names of Cosmos DB", "id became dynamodb_id"),
    ]


def test_an_id_kept_next_to_the_document_id_is_explained():
    keys = KeySchema("id")
    explanation = (
        "names of Cosmos DB",
        "id is also kept as dynamodb_id, because its value is not the document id",
    )
    assert explained({"id": {"N": "5"}}, keys=keys) == [explanation]
    assert explained({"id": {"S": "five"}}, keys=keys) == []
    assert explained({"id": {"S": "five"}, "dynamodb_id": {"S": "own"}}, keys=keys) == []


def test_numbers_in_maps_lists_and_sets_are_explained_one_by_one():
    deep = {"M": {"a": {"L": [{"N": "0.1234567890123456789"}, {"NS": ["1", "9007199254740993"]}]}}}
    assert explained(song(Deep=deep)) == [
        ("numbers: exact", "Deep: 0.1234567890123456789 became a string"),
        ("numbers: exact", "Deep: 9007199254740993 became a string"),
    ]


def test_time_to_live_is_explained_for_written_and_expired_items():
    assert explained(song(until={"N": str(NOW + 60)}), ttl_attribute="until") == [
        ("ttl", "until gave ttl 60 seconds")
    ]
    assert explained(song(until={"N": str(NOW)}), ttl_attribute="until") == [
        ("ttl", f"until expired at {NOW}, so the item is not written")
    ]
    assert explained(song(until={"N": "0"}), ttl_attribute="until") == []


def test_an_escaped_or_hashed_document_id_is_explained():
    assert explained({**song(), "SongTitle": {"S": "a/b"}}) == [
        ("document id escaped", "SongTitle became a~2Fb")
    ]
    ((rule, example),) = explained({**song(), "SongTitle": {"S": "a" * 1024}})
    assert rule == "document id hashed"
    assert example.startswith("SongTitle became sha256:")


def test_of_rejected_items_only_inexact_numbers_are_explained():
    ((rule, example),) = explained(song(Year={"N": "0.1234567890123456789"}), {"numbers": "reject"})
    assert rule == "numbers: reject"
    assert example.startswith("the item is rejected: ")
    assert explained({"Artist": {"S": "Nina"}}, {"numbers": "reject"}) == []
