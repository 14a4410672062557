import json

import pytest

from d2c.errors import PermanentError
from d2c.load_run.verification import check_compared_something, compare_counts, describe, mismatch_sql


@pytest.mark.parametrize(
    ("actual", "surely", "possibly", "expected", "missing", "unexpected"),
    [
        (7, 7, 7, 7, 0, 0),
        (5, 7, 7, 7, 2, 0),
        (9, 7, 7, 7, 0, 2),
        (8, 7, 9, 8, 0, 0),
        (6, 7, 9, 7, 1, 0),
        (10, 7, 9, 9, 0, 1),
        (0, 0, 0, 0, 0, 0),
    ],
)
def test_numbers_of_documents_are_compared_and_no_documents(
    actual, surely, possibly, expected, missing, unexpected
):
    assert compare_counts(actual, surely, possibly) == {
        "expected": expected,
        "actual": actual,
        "missing": missing,
        "unexpected": unexpected,
        "different": None,
    }


NOTHING = {"expected": 0, "actual": 0}


def test_a_verification_that_compared_nothing_of_something_fails():
    with pytest.raises(PermanentError, match="no documents, although 5 were written"):
        check_compared_something(NOTHING, 5)


@pytest.mark.parametrize(
    ("counts", "written"), [(NOTHING, 0), ({**NOTHING, "actual": 1}, 5), ({**NOTHING, "expected": 5}, 5)]
)
def test_a_verification_that_compared_all_there_was_passes(counts, written):
    check_compared_something(counts, written)


def described(kinds, expected=None, actual=None, ignore_ttl=False):
    def texts(documents):
        return {identity: json.dumps(document) for identity, document in (documents or {}).items()}

    return describe(kinds, texts(expected), texts(actual), ignore_ttl=ignore_ttl)


def test_mismatches_name_the_properties_that_differ():
    found = described(
        {"b": "different", "a": "missing"}, {"b": {"x": {"y": 1}, "z": 1}}, {"b": {"x": {"y": 2}, "z": 1.0}}
    )
    assert found == [
        {"kind": "missing", "document": "a", "properties": []},
        {"kind": "different", "document": "b", "properties": ["x.y"]},
    ]


def test_a_time_to_live_is_named_only_where_nothing_else_differs():
    (first,) = described({"a": "different"}, {"a": {"x": 1, "ttl": 9}}, {"a": {"x": 2, "ttl": 5}}, True)
    assert first["properties"] == ["x"]
    (second,) = described({"a": "different"}, {"a": {"ttl": 9}}, {"a": {"ttl": 5}}, True)
    assert second["properties"] == ["ttl"]


def test_a_document_that_expires_during_reading_is_not_missing():
    assert (
        mismatch_sql("missing", 1000) == "mismatch = 'missing' and (expires_at is null or expires_at > 1120)"
    )
    assert mismatch_sql("different", 1000) == "mismatch = 'different'"
