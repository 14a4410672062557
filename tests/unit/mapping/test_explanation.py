import json

import pytest

from d2c.mapping import KeySchema, compile_mapper, parse_rules
from d2c.mapping.explanation import explain

NOW = 1_700_000_000
MUSIC = KeySchema("Artist", "SongTitle")


def explained(item, rules=None, keys=MUSIC, ttl_attribute=None):
    """Return what is told of one item under rules."""
    mapper = compile_mapper(parse_rules(rules or {}, keys, ttl_attribute=ttl_attribute))
    line = json.dumps({"Item": item}).encode()
    return list(explain(line, mapper.map_line(line, NOW), mapper.rules))


def song(**attributes):
    return {"Artist": {"S": "Nina"}, "SongTitle": {"S": "Sinnerman"}, **attributes}


def test_nothing_is_told_where_the_defaults_changed_nothing():
    assert explained(song(Year={"N": "1965"})) == []


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"drop": ["Year"]}, [("drop", "Year left out")]),
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
def test_a_rule_is_told_where_it_acted_and_only_there(rules, told):
    assert explained(song(Year={"N": "1965"}), rules) == told


def test_names_of_cosmos_db_are_told_with_what_they_became():
    assert explained(song(_ts={"N": "1"}, id={"S": "x"})) == [
        ("names of Cosmos DB", "_ts became dynamodb__ts"),
        ("names of Cosmos DB", "id became dynamodb_id"),
    ]


def test_an_id_that_is_kept_beside_the_document_id_is_told():
    keys = KeySchema("id")
    told = ("names of Cosmos DB", "id is kept as dynamodb_id too, for its value is not the document id")
    assert explained({"id": {"N": "5"}}, keys=keys) == [told]
    assert explained({"id": {"S": "five"}}, keys=keys) == []
    assert explained({"id": {"S": "five"}, "dynamodb_id": {"S": "own"}}, keys=keys) == []


def test_numbers_inside_of_maps_lists_and_sets_are_told_one_by_one():
    deep = {"M": {"a": {"L": [{"N": "0.1234567890123456789"}, {"NS": ["1", "9007199254740993"]}]}}}
    assert explained(song(Deep=deep)) == [
        ("numbers: exact", "Deep: 0.1234567890123456789 became a string"),
        ("numbers: exact", "Deep: 9007199254740993 became a string"),
    ]


def test_time_to_live_is_told_for_what_is_written_and_for_what_is_over():
    assert explained(song(until={"N": str(NOW + 60)}), ttl_attribute="until") == [
        ("ttl", "until gave ttl 60 seconds")
    ]
    assert explained(song(until={"N": str(NOW)}), ttl_attribute="until") == [
        ("ttl", f"until was over at {NOW}, so the item is not written")
    ]


def test_a_document_id_that_was_escaped_or_hashed_is_told():
    assert explained({**song(), "SongTitle": {"S": "a/b"}}) == [
        ("document id escaped", "SongTitle became a%2Fb")
    ]
    ((rule, example),) = explained({**song(), "SongTitle": {"S": "a" * 1024}})
    assert rule == "document id hashed"
    assert example.startswith("SongTitle became sha256:")


def test_an_item_that_the_rule_on_numbers_rejects_is_told_and_any_other_rejected_one_is_not():
    ((rule, example),) = explained(song(Year={"N": "0.1234567890123456789"}), {"numbers": "reject"})
    assert rule == "numbers: reject"
    assert example.startswith("the item is rejected: ")
    assert explained({"Artist": {"S": "Nina"}}, {"numbers": "reject"}) == []
