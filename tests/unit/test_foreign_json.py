import json

import pytest

from d2c.foreign_json import MOST_LEVELS, ForeignJsonError, json_value, quoted

MOST = 2**20


def faults_of(content, most=MOST):
    with pytest.raises(ForeignJsonError) as refused:
        json_value(content, "the plan", most)
    return refused.value.faults


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b' {"a": [1, -2.5, "x", true, null]} ', {"a": [1, -2.5, "x", True, None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\ud83d\\ude00 \xc3\xa9"}', {"a": "\U0001f600 \u00e9"}),
        (b"[9223372036854775807, -9223372036854775807]", [2**63 - 1, 1 - 2**63]),
        (b'["\\\\\\"[[[", "[", "]]"]', ['\\"[[[', "[", "]]"]),
        (b"[" * MOST_LEVELS + b"]" * MOST_LEVELS, json.loads("[" * MOST_LEVELS + "]" * MOST_LEVELS)),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
    ],
)
def test_the_value_of_json_text_is_returned(content, value):
    assert json_value(content, "the plan", MOST) == value


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the plan is not JSON: Expecting value (line 1, column 1)"),
        (b'{"a":\n 1', "the plan is not JSON: Expecting ',' delimiter (line 2, column 3)"),
        ('{"a": 1}'.encode("utf-16"), "the plan is UTF-16, not UTF-8; save it as UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "the plan is UTF-16, not UTF-8; save it as UTF-8"),
        ('{"a": 1}'.encode("utf-32"), "the plan is UTF-32, not UTF-8; save it as UTF-8"),
        (b'{"a": "\xe4"}', "the plan is not UTF-8 (the byte 0xe4 at 7); save it as UTF-8"),
        (b'["\\ud800"]', "the plan has half a surrogate pair in a text, such as \\ud800"),
        (b"[NaN]", "the plan has NaN, which is not JSON"),
        (b"[-Infinity]", "the plan has -Infinity, which is not JSON"),
        (b"[1e999]", "the plan has the number 1e999, which is too large; write it as text"),
        (b"[-1e999]", "the plan has the number -1e999, which is too large; write it as text"),
        (
            b"[9223372036854775808]",
            "the plan has the number 9223372036854775808, which is too large; write it as text",
        ),
    ],
)
def test_text_that_is_not_json_for_every_reader_is_refused_with_the_cause(content, fault):
    assert faults_of(content) == (fault,)


def test_a_field_that_occurs_twice_is_named_with_its_place():
    text = b'{"a": 1, "b": [{"c": {}, "d": {"e": 1, "e": 2}}, {"f": 1, "f": 1}], "a": 2}'
    assert set(faults_of(text)) == {
        "the plan: the field 'a' occurs twice; keep one",
        "b.0.d: the field 'e' occurs twice; keep one",
        "b.1: the field 'f' occurs twice; keep one",
    }


def test_an_object_that_is_lost_to_a_later_field_is_named_with_the_text():
    assert set(faults_of(b'{"a": {"b": 1, "b": 2}, "a": 1}')) == {
        "the plan: the field 'a' occurs twice; keep one",
        "the plan: the field 'b' occurs twice; keep one",
    }


def test_text_over_its_bound_is_not_read():
    assert faults_of(b"[" * 11, 10) == ("the plan has 11 bytes, and may have at most 10",)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1),
        b"[" * MOST,
        b'{"a":' * 200_000,
        b'["\\\\", ' + b"[" * MOST_LEVELS,
    ],
)
def test_no_depth_reaches_the_stack(content):
    assert faults_of(content) == (f"the plan is nested more than {MOST_LEVELS} levels deep",)


def test_a_number_of_many_digits_is_refused_and_cut():
    (fault,) = faults_of(b"[" + b"9" * 100_000 + b"]")
    assert len(fault) < 200


def test_what_a_message_quotes_is_cut():
    assert quoted("a\n") == repr("a\n")
    assert quoted("x" * 101) == "'" + "x" * 100 + "'... (101 characters)"
    assert len(quoted(["x" * 5000])) < 200
