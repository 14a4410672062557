"""Stored documents have the same digests with the kernel and without it, whoever wrote their JSON."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.load_run import comparing

from ..unit.mapping.oracle import Table
from .sides import request_of, rows_of, without_kernel

PLAIN, FADING = request_of(Table(["pk"])), request_of(Table(["pk"], {}, "until"))
SHARED = request_of(Table(["pk"], {"partition_key": ["kind", "pk"], "set": {"kind": "song"}}))
NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "100",
    "1e2",
    "1E+2",
    "0.1",
    "-1.50",
    "1e20",
    "123456789012345678",
    "5e-324",
]
NUMBERS += [
    "12345678901234567890",
    "9007199254740993",
    "0.30000000000000004",
    "1e-7",
    "1e300",
    "123456.7e-3",
    "1e16",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**64)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.text(max_size=5) | st.sampled_from(["pk", "ttl", "kind", "_rid", "_self", "_attachments", 'a"b'])


def same(request, *texts):
    rows = pa.RecordBatch.from_pydict({"_rawBody": pa.array(texts, pa.string())})
    with without_kernel():
        expected = rows_of(comparing.actual_documents(request), rows)
    return rows_of(comparing.actual_documents(request), rows) == expected


@given(st.dictionaries(names, values, max_size=5), st.text(min_size=1), st.booleans(), st.booleans())
def test_any_document(document, identifier, is_escaped, has_blanks):
    separators = (", ", ": ") if has_blanks else (",", ":")
    text = json.dumps(
        {**document, "id": identifier, "_ts": 5, "ttl": 7}, ensure_ascii=is_escaped, separators=separators
    )
    assert all(same(request, text) for request in (PLAIN, FADING, SHARED))


@pytest.mark.parametrize("number", NUMBERS)
def test_any_number(number):
    text = f'{{"id":"x","_ts":5,"pk":{number},"v":[{number},{{"w":{number}}}]}}'
    assert same(PLAIN, text, text.replace("[", " [ ").replace(":", " : "))


def test_documents_of_other_tables_are_left_out_and_rows_keep_their_order():
    texts = [
        f'{{"id":"{n}","_ts":{n},"pk":"p","kind":"{kind}"}}' for n, kind in enumerate(["song", "x", "song"])
    ]
    odd = '{"id":"y","_ts":1,"pk":{"a":1},"kind":"song"}'
    assert same(SHARED, texts[0], odd, *texts[1:])
    rows = pa.RecordBatch.from_pydict({"_rawBody": pa.array([texts[0], odd, *texts[1:]], pa.string())})
    assert [row[0][-5:] for row in rows_of(comparing.actual_documents(SHARED), rows.slice(1))] == [
        ',"y"]',
        ',"2"]',
    ]
