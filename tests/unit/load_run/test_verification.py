import json

import pytest

from d2c.errors import PermanentError
from d2c.load_run.verification import (
    check_compared_something,
    check_kept,
    check_keys_once,
    compare_counts,
    counts_after_second_look,
    describe,
    mismatch_sql,
    needs_second_look,
    should_have,
)


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


def side_counts(expected, actual, missing=0, unexpected=0, different=0):
    kinds = {"missing": missing, "unexpected": unexpected, "different": different}
    return {"expected": expected, "actual": actual, **kinds}


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        # What a replica did not have yet is there.
        (side_counts(5, 5), side_counts(100, 98)),
        (side_counts(5, 3, missing=2), side_counts(100, 96, missing=2)),
        (side_counts(5, 6, unexpected=1, different=1), side_counts(100, 99, unexpected=1, different=1)),
        # One that was missing has expired meanwhile.
        (side_counts(4, 4), side_counts(99, 97)),
    ],
)
def test_a_second_look_corrects_the_counts_of_what_seemed_wrong(again, counts):
    first = side_counts(100, 97, missing=3, unexpected=2, different=2)
    assert counts_after_second_look(first, again) == counts


@pytest.mark.parametrize(
    ("counts", "needed"),
    [
        (side_counts(5, 5), False),
        (side_counts(5, 4, missing=1), True),
        (side_counts(5, 6, unexpected=1, different=None), True),
        (side_counts(9_000, 5_000, missing=600, different=400), True),
        # So many are no delay.
        (side_counts(9_000, 5_000, missing=600, different=401), False),
    ],
)
def test_a_few_mismatches_are_looked_at_again(counts, needed):
    assert needs_second_look(counts) is needed


ASSESSED = {"rejected": 0, "expired": 0}
WITH_IT = {"attributes": [{"name": "operationType", "types": {"S": 3}}]}


@pytest.mark.parametrize(
    ("census", "assessed", "surely"),
    [
        (WITH_IT, ASSESSED, True),
        ({"attributes": [{"name": "other", "types": {"S": 3}}]}, ASSESSED, False),
        # Perhaps those that have it were not written.
        (WITH_IT, {**ASSESSED, "rejected": 1}, False),
        (WITH_IT, {**ASSESSED, "expired": 1}, False),
        (None, None, False),
    ],
)
def test_a_property_is_looked_for_if_some_document_must_have_it(census, assessed, surely):
    assert should_have("operationType", census, assessed) is surely


def test_a_property_that_the_connector_removed_is_told():
    check_kept("operationType", 1)
    with pytest.raises(PermanentError, match="No document in the container has the property operationType"):
        check_kept("operationType", 0)


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
        return {identity: [json.dumps(document)] for identity, document in (documents or {}).items()}

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


def test_of_a_long_path_of_a_property_only_the_beginning_is_told():
    (found,) = described({"a": "different"}, {"a": {"x" * 60_000: 1}}, {"a": {}})
    assert found["properties"] == ["x" * 199 + "…"]


def test_of_two_lines_of_a_key_the_properties_that_differ_are_named():
    expected = {"a": ['{"x":1,"y":1}', '{"x":2,"y":1,"z":0}']}
    (found,) = describe({"a": "different"}, expected, {"a": ['{"x":1,"y":1}']}, ignore_ttl=True)
    assert found["properties"] == ["x", "z"]


def test_an_export_with_several_lines_for_a_key_fails_with_an_example():
    check_keys_once(keys=0, unlike=0, example=None)
    with pytest.raises(PermanentError) as raised:
        check_keys_once(keys=3, unlike=1, example='["p","s"]')
    error = raised.value
    assert error.title == "The export has a key twice"
    assert 'each of 3 keys, such as ["p","s"]; for 1 of them with different values' in error.detail
    assert "export the table again" in error.next_step


def test_a_document_that_expires_during_reading_is_not_missing():
    assert (
        mismatch_sql("missing", 1000) == "mismatch = 'missing' and (expires_at is null or expires_at > 1120)"
    )
    assert mismatch_sql("different", 1000) == "mismatch = 'different'"
