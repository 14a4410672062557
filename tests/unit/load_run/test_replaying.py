import json

import pyarrow as pa
import pytest

from d2c.errors import PermanentError
from d2c.load_run.accounting import FileTally
from d2c.load_run.mappers import request_mapper
from d2c.load_run.replaying import decide, write
from d2c.mapping import Rejected

from .batches import lines_of, request, rows_of

INEXACT = "12345678901234567890.5"
NOW = 1_780_000_000
REJECTING = {"numbers": "reject", "rename": {"a": "b"}}


def rejected_by(rules, *lines):
    """Return the JSON lines of lines that assess rejects by rules, each checked to be rejected."""
    mapper = request_mapper(request(rules))
    found = []
    for number, line in enumerate(lines, start=1):
        mapped = mapper.map_line(line, NOW)
        assert isinstance(mapped, Rejected), line
        found.append(mapped.to_json_line("f.json.gz", number).decode())
    return found


def batch(*texts, part="part-0@0"):
    return pa.RecordBatch.from_pydict({"part": [part] * len(texts), "value": list(texts)})


def replayed(rows):
    """Return the rows of each kind, and the tallies by their part."""
    found = {"document": [], "rejected": []}
    tallies = {}
    for kind, body in rows:
        if kind == "file":
            tally = FileTally(**json.loads(body))
            tallies[tally.file] = tally
        else:
            found[kind].append(json.loads(body))
    return found["document"], found["rejected"], tallies


CURABLE = lines_of(
    {"pk": {"S": "inexact"}, "n": {"N": INEXACT}},
    {"pk": {"S": "clash"}, "a": {"S": "x"}, "b": {"S": "y"}},
)


def test_newly_mapped_items_are_written_and_the_others_stay_rejected():
    before = rejected_by(REJECTING, *CURABLE)
    asked = request(REJECTING, {**REJECTING, "numbers": "exact"})
    documents, rejected, tallies = replayed(rows_of(decide(asked, NOW), batch(*before)))
    assert (documents, rejected) == ([], [json.loads(before[1])])
    assert (tallies["part-0@0"].documents, tallies["part-0@0"].rejected) == (1, {"name_collision": 1})
    documents, rejected, again = replayed(rows_of(write(asked, NOW), batch(*before)))
    assert (documents, rejected) == ([{"id": "inexact", "n": INEXACT, "pk": "inexact"}], [])
    assert again == tallies


def test_the_same_rules_again_give_the_same_rejected_items_byte_by_byte():
    before = rejected_by(REJECTING, *CURABLE, b"no json", b'{"Item":{"pk":{"S":"a"},"n":{"N":"x"}}}')
    rows = rows_of(decide(request(REJECTING), NOW), batch(*before))
    assert [body for kind, body in rows if kind == "rejected"] == before


def test_an_item_rejected_again_has_the_new_rules_reason():
    (line,) = lines_of({"pk": {"S": "k"}, "a": {"S": "x"}, "b": {"N": INEXACT}})
    asked = request(REJECTING, {"numbers": "reject"})
    _, (rejected,), _ = replayed(rows_of(decide(asked, NOW), batch(*rejected_by(REJECTING, line))))
    assert (rejected["reason"], rejected["line"]) == ("inexact_number", 1)


def test_a_malformed_value_is_cured_by_dropping_its_attribute():
    line = b'{"Item":{"pk":{"S":"k"},"n":{"N":"x"}}}'
    asked = request({}, {"drop": ["n"]})
    documents, _, _ = replayed(rows_of(write(asked, NOW), batch(*rejected_by({}, line))))
    assert documents == [{"id": "k", "pk": "k"}]


NEVER = {
    "bytes that are no UTF-8": b'{"Item":{"pk":{"S":"a\xff"}}}',
    "such bytes after a backslash, which their text hides": b'{"Item":{"pk":{"S":"a\\\xff"}}}',
    "another name next to the item": b'{"Item":{"pk":{"S":"k"}},"more":1}',
    "another name next to a malformed item": b'{"Item":{"pk":{"S":"k"},"n":{"N":"x"}},"more":1}',
    "a duplicate name": b'{"Item":{"pk":{"S":"k"},"n":{"S":"1"},"n":{"S":"2"}}}',
    "a duplicate item": b'{"Item":{"pk":{"S":"k"}},"Item":{"pk":{"S":"k"}}}',
    "no JSON": b"{{",
    "an incremental export": b'{"Keys":{"pk":{"S":"k"}},"NewImage":{}}',
}


@pytest.mark.parametrize("line", NEVER.values(), ids=NEVER)
@pytest.mark.parametrize("history", [({},), ({}, {"drop": ["n"]})])
def test_items_beyond_any_rules_stay_rejected_unchanged(line, history):
    before = rejected_by({}, line)
    asked = request(*history)
    documents, rejected, tallies = replayed(rows_of(decide(asked, NOW), batch(*before)))
    assert (documents, rejected) == ([], [json.loads(before[0])])
    assert tallies["part-0@0"].rejected == {"malformed_line": 1}
    assert replayed(rows_of(write(asked, NOW), batch(*before)))[0] == []


def test_replayed_documents_are_those_that_verification_expects():
    """Replaying the kept items and mapping the export's own lines by the same rules must never differ."""
    lines = [*CURABLE, *NEVER.values(), b'{"Item":{"pk":{"S":"cured"},"n":{"N":"x"}}}']
    asked = request(REJECTING, {"numbers": "string", "drop": ["n"]})
    documents, _, _ = replayed(rows_of(write(asked, NOW), batch(*rejected_by(REJECTING, *lines))))
    mapper = request_mapper(asked)
    expected = [mapped for line in lines if not isinstance(mapped := mapper.map_line(line, NOW), Rejected)]
    assert documents == [json.loads(document.body) for document in expected]
    assert len(documents) == 3


def test_an_item_that_has_expired_is_counted_as_such():
    (line,) = lines_of({"pk": {"S": "k"}, "n": {"N": INEXACT}, "until": {"N": str(NOW + 5)}})
    before = rejected_by({"numbers": "reject"}, line)
    asked = request({"numbers": "reject"}, {}, ttl_attribute="until")
    documents, rejected, tallies = replayed(rows_of(decide(asked, NOW + 10), batch(*before)))
    assert (documents, rejected, tallies["part-0@0"].expired) == ([], [], 1)


def test_each_part_of_a_file_has_a_tally_of_its_own():
    first, second = rejected_by(REJECTING, *CURABLE)
    rows = rows_of(
        decide(request(REJECTING), NOW), batch(first, part="a@0"), batch(first, second, part="a@9")
    )
    assert {part: tally.lines for part, tally in replayed(rows)[2].items()} == {"a@0": 1, "a@9": 2}


def test_digits_that_parsing_loses_are_kept():
    line = b'{"Item":{"pk":{"S":"k"},"a":{"S":"x"},"b":{"S":"y"}, "c":{"NULL":true}}}'
    (before,) = rejected_by(REJECTING, line)
    odd = before.replace('"NULL":true', '"NULL":1.00000000000000000001')
    (row,) = [
        body for kind, body in rows_of(decide(request(REJECTING), NOW), batch(odd)) if kind == "rejected"
    ]
    assert "1.00000000000000000001" in row


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + " ",
        lambda text: " " + text,
        lambda text: "[]",
        lambda text: "null",
        lambda text: "[" * 2_000,
        lambda text: text.replace('"reason":"name_collision"', '"reason":"odd"'),
        lambda text: text.replace('"reason":"name_collision"', '"reason":[]'),
        lambda text: text.replace('"detail"', '"details"'),
        lambda text: text.replace('"line":1', '"line":1,"line":1'),
        lambda text: text.replace('"item":', '"more":1,"item":'),
        lambda text: text.replace('"item":', '"item":"a","item":'),
        lambda text: text * 2,
        lambda text: "x" * 100_000,
    ],
)
def test_a_rejected_item_that_no_load_run_wrote_stops_the_replay(change):
    (text,) = rejected_by(REJECTING, CURABLE[1])
    with pytest.raises(PermanentError, match="a rejected item that no load run wrote") as stopped:
        rows_of(decide(request(REJECTING), NOW), batch(change(text)))
    assert len(stopped.value.detail) < 500
