import pytest

from d2c.mapping import Document, Rejected

from .helpers import NOW, mapper_of

GOOD = b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"}}}'


def map_line(line):
    return mapper_of().map_line(line, NOW)


@pytest.mark.parametrize(
    "line",
    [
        GOOD + b"\n",
        GOOD + b"\r\n",
        b'{ "Item" : { "pk":{"S":"p"}, "sk":{"S":"s"} } }',
        GOOD.replace(b"Item", b"\\u0049tem"),
    ],
)
def test_a_line_may_have_its_end_and_any_spelling_of_json(line):
    assert map_line(line) == map_line(GOOD)
    assert isinstance(map_line(line), Document)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b" ",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + GOOD,
        b"null",
        b"5",
        b'"Item"',
        b"[]",
        b"{}",
        b'{"Item":null}',
        b'{"Item":[]}',
        b'{"item":{"pk":{"S":"p"},"sk":{"S":"s"}}}',
        GOOD[:-1],
        GOOD + GOOD,
        GOOD[:-1] + b',"More":1}',
        rb'{"Item":{"pk":{"S":"p"},"sk":{"S":"\u0022"}},"More":1}',
        b'{"Item":{"pk":{"S":"\xff"},"sk":{"S":"s"}}}',
        b'{"Item":{"pk":{"S":"\\ud800"},"sk":{"S":"s"}}}',
        b'{"Item":{"pk":{"S":"\xed\xa0\x80"},"sk":{"S":"s"}}}',
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":1' + b"0" * 400 + b"}}}",
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":' + b"9" * 300 + b"}}}",
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":NaN}}}',
        b'{"Item":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"Item":{"a":' + b'{"L":[' * 300 + b"]}" * 300 + b"}}",
        b'{"Item":{"a":' + b'{"M":{"a":' * 500 + b'{"S":""}' + b"}}" * 500 + b"}}",
    ],
)
def test_any_other_json_than_an_export_line_is_malformed(line):
    mapped = map_line(line)
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "malformed_line"
    assert b"malformed_line" in mapped.to_json_line("f", 1)


@pytest.mark.parametrize("depth", [300, 500])
def test_a_line_that_is_too_deep_for_a_library_is_told_to_be_too_deep(depth):
    inner = b'{"M":{"a":' * depth + b'{"S":""}' + b"}}" * depth
    mapped = map_line(b'{"Item":{"a":' + inner + b"}}")
    assert isinstance(mapped, Rejected)
    assert mapped.detail.endswith("nested more than 32 levels deep")


@pytest.mark.parametrize(
    "line",
    [
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"1"},"a":{"S":"2"}}}',
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s","S":"t"}}}',
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"m":{"M":{"a":{"S":"1"},"a":{"S":"1"}}}}}',
        b'{"Item":{"pk":{"S":"q"},"sk":{"S":"s"}},"Item":{"pk":{"S":"p"},"sk":{"S":"s"}}}',
        rb'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"\u0022"},"a":{"S":"2"}}}',
        rb'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"\u0022"},"m":{"L":[{"M":{"a":{"S":"1"},"\u0061":{"S":"1"}}}]}}}',
        rb'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"\""},"a":{"S":"2"}}}',
    ],
)
def test_a_duplicate_name_is_rejected_because_one_value_would_be_lost(line):
    mapped = map_line(line)
    assert isinstance(mapped, Rejected)
    assert (mapped.reason, mapped.detail) == ("malformed_line", "a JSON object has the same name twice")


def test_a_line_of_an_incremental_export_is_named_as_such():
    mapped = map_line(b'{"Metadata":{},"Keys":{"pk":{"S":"p"}},"NewImage":{"pk":{"S":"p"}}}')
    assert isinstance(mapped, Rejected)
    assert "incremental" in mapped.detail


@pytest.mark.parametrize("text", [rb"\u0022", rb"\"", rb"\u0022:\"", rb"\\u0022"])
def test_quotes_in_texts_are_no_duplicate_names(text):
    mapped = map_line(
        b'{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"%s"},"b":{"S":"%s"}}}' % (text, text)
    )
    assert isinstance(mapped, Document)


@pytest.mark.parametrize("line", [b'{"Key":{"pk":{"S":"p"}}}', GOOD[:-1] + b',"More":1}'])
def test_a_line_of_another_form_is_rejected_with_the_form_that_it_lacks(line):
    mapped = map_line(line)
    assert isinstance(mapped, Rejected)
    assert mapped.detail == 'the line is not of the form {"Item": {...}}'
