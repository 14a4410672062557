import orjson
import pytest

from d2c.mapping import (
    Document,
    KeySchema,
    compile_mapper,
    differences,
    digest,
    document_identity,
    fingerprint,
    identity_of,
    parse_rules,
)

from .corpus import NOW, POSITIONS, cases
from .helpers import line_of

SYSTEM = {"_rid": "a", "_self": "b", "_etag": "c", "_ts": 5, "_attachments": "d"}

ALIKE = [
    ({"a": 1}, {"a": 1.0}),
    ({"a": 0}, {"a": -0.0}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": [{"x": 1, "y": [2]}]}, {"a": [{"y": [2.0], "x": 1}]}),
    ({"a": 2**53}, {"a": 9007199254740992.0}),
    ({"a": 1e30}, {"a": 10**30}),
    ({"a": 1}, {"a": 1, **SYSTEM}),
]
UNLIKE = [
    ({"a": 1}, {"a": "1"}, ["a"]),
    ({"a": 1}, {"a": True}, ["a"]),
    ({"a": 0}, {"a": False}, ["a"]),
    ({"a": 0}, {"a": None}, ["a"]),
    ({"a": None}, {}, ["a"]),
    ({}, {"a": None}, ["a"]),
    ({"a": []}, {"a": {}}, ["a"]),
    ({"a": ""}, {"a": None}, ["a"]),
    ({"a": [1, 2]}, {"a": [2, 1]}, ["a[0]", "a[1]"]),
    ({"a": [1]}, {"a": [1, 1]}, ["a"]),
    ({"a": [1, 2]}, {"a": "12"}, ["a"]),
    ({"a": "12"}, {"a": [1, 2]}, ["a"]),
    ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, ["a.b[0].c"]),
    ({"a": {"_ts": 1}}, {"a": {"_ts": 2}}, ["a._ts"]),
    ({"a": 0.1}, {"a": 0.10000000000000002}, ["a"]),
    ({"a": "é"}, {"a": "e\u0301"}, ["a"]),
    ({"ttl": 5}, {"ttl": 6}, ["ttl"]),
    ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a", "b"]),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_json_stores_changes_change_no_fingerprint(one, other):
    assert fingerprint(one) == fingerprint(other)
    assert differences(one, other) == []


def test_a_fingerprint_has_16_bytes():
    assert len(fingerprint({"a": 1})) == 16


@pytest.mark.parametrize(("one", "other", "paths"), UNLIKE)
def test_everything_else_changes_the_fingerprint_and_is_named(one, other, paths):
    assert fingerprint(one) != fingerprint(other)
    assert differences(one, other) == paths


def test_ttl_is_ignored_only_where_asked_and_only_at_the_top():
    assert fingerprint({"ttl": 5}, ignore_ttl=True) == fingerprint({}, ignore_ttl=True)
    assert differences({"ttl": 5}, {}, ignore_ttl=True) == []
    assert differences({"a": {"ttl": 5}}, {"a": {}}, ignore_ttl=True) == ["a.ttl"]


def test_no_more_differences_are_named_than_asked_for():
    many = {f"p{index:02}": 1 for index in range(50)}
    assert differences(many, {}, limit=3) == ["p00", "p01", "p02"]
    assert len(differences(many, {})) == 20


def test_identities_differ_exactly_where_those_of_cosmos_db_differ():
    keys = [["1"], [1], [True], [None], ["1", "2"], ["1|2"], [""], [0], [False]]
    identities = [document_identity(key, name) for key in keys for name in ("a", "b", "1")]
    assert len(set(identities)) == len(identities)
    assert document_identity([1], "a") == document_identity([1.0], "a")
    assert document_identity([0], "a") == document_identity([-0.0], "a")
    assert document_identity(["a"], "b") != document_identity(["a", "b"], "")


def test_a_stored_document_has_the_identity_it_was_written_under():
    stored = {"id": "x", "pk": 5.0, "year": None, **SYSTEM}
    assert identity_of(stored, ["pk", "year"]) == document_identity([5, None], "x")


def test_a_lacking_partition_key_property_is_not_null():
    assert identity_of({"id": "x"}, ["pk"]) != identity_of({"id": "x", "pk": None}, ["pk"])


@pytest.mark.parametrize("place", POSITIONS)
def test_a_canonical_mapper_gives_what_is_digested_of_every_value(place):
    for content, table in cases(place):
        keys, options = KeySchema(*table.keys), {"ttl_attribute": table.ttl_attribute}
        rules = parse_rules(table.rules, keys, **options)
        written = compile_mapper(rules).map_line(line_of(content), NOW)
        mapped = compile_mapper(rules, is_canonical=True).map_line(line_of(content), NOW)
        if isinstance(written, Document):
            document = orjson.loads(written.body)
            assert digest(mapped.body) == fingerprint(document, ignore_ttl=rules.container_has_ttl)
            assert mapped[1:] == written[1:]
        else:
            assert mapped == written
