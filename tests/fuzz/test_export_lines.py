"""Whatever an export's line holds, it becomes a document within all limits, or a rejected item that a replay reads."""

import json
from dataclasses import replace

import orjson
import pyarrow as pa
from hypothesis import strategies as st

from d2c.load_run.accounting import FileTally
from d2c.load_run.census.counts import Census
from d2c.load_run.mappers import request_mapper
from d2c.load_run.replaying import decide
from d2c.mapping import REASONS, Document, Expired, MappedShape, Rejected
from d2c.mapping.keys import MAX_ID_BYTES
from d2c.mapping.mapper import MAX_DOCUMENT_BYTES, MAX_PARTITION_KEY_BYTES
from tests.unit.load_run.batches import request, rows_of
from tests.unit.mapping import strategies

from .fuzzing import fuzzed, odd_texts, odd_values, spoilt, torn, within_bounds

NOW = 1_800_000_000
UNSAFE_IN_IDS = set("/\\?#%") | {chr(code) for code in (*range(32), 127)}
REQUESTS = (
    request({}),
    request({"numbers": "reject", "rename": {"a": "b", "b": "a"}, "drop": ["t"]}, range_key="sk"),
    request(
        {"numbers": "string", "set": {"kind": 1}, "partition_key": ["kind", "pk"]}, ttl_attribute="until"
    ),
    replace(
        request({"numbers": "reject"}, {"numbers": "exact", "drop": ["b"]}),
        hash_key="id",
        ttl_attribute="ttl",
    ),
)

odd_tagged = st.dictionaries(
    st.sampled_from(["S", "N", "B", "M", "L", "SS", "NS", "BS", "ZZ"]), odd_values, max_size=2
)
odd_item = st.dictionaries(odd_texts | strategies.name, odd_tagged | odd_values, max_size=6)
item = strategies.any_item | strategies.item | odd_item
record = st.builds(lambda item: {"Item": item}, item)
forms = st.sampled_from([{}, {"separators": (",", ":")}, {"separators": (",", ":"), "ensure_ascii": False}])
# Python writes lone surrogates and NaN too, which are no JSON of an export.
text = st.builds(
    lambda value, form: json.dumps(value, **form).encode(errors="surrogatepass"),
    spoilt(record) | record | odd_values,
    forms,
)
# Around the depths up to which JSON is written, read and compared.
depth = st.integers(25, 40) | st.integers(245, 260) | st.integers(985, 1030)
nesting = st.sampled_from([(b"[", b"]"), (b'{"L":[', b"]}"), (b'{"M":{"a":', b"}}")])
deep = st.builds(
    lambda name, nesting, depth: b'{"Item":{"%s":%s{}%s}}' % (name, nesting[0] * depth, nesting[1] * depth),
    st.sampled_from([b"pk", b"id", b"a"]),
    nesting,
    depth,
)
line = torn(text) | text | deep | torn(deep) | st.binary(max_size=100)


@fuzzed(line, st.sampled_from(REQUESTS))
def test_a_line_becomes_a_document_within_the_limits_or_a_rejected_item(line, asked):
    mapped_shape = MappedShape()
    mapper = request_mapper(asked, mapped_shape)
    census = Census(mapped_shape, mapper.rules.drop, mapper.rules.ttl_attribute)
    with within_bounds():
        mapped = mapper.map_line(line, NOW)
        census.add(mapped)
        json.dumps(census.to_json())
    assert mapper.map_line(line, NOW) == mapped
    if isinstance(mapped, Document):
        check_document(mapped, mapper)
    elif isinstance(mapped, Rejected):
        check_rejected(mapped, asked)
    else:
        assert isinstance(mapped, Expired)
        assert mapped.expires_at <= NOW


def check_document(mapped, mapper):
    document = orjson.loads(mapped.body)
    assert len(mapped.body) <= MAX_DOCUMENT_BYTES
    assert orjson.dumps(document, option=orjson.OPT_SORT_KEYS) == mapped.body
    assert document["id"] == mapped.document_id
    assert 0 < len(mapped.document_id.encode()) <= MAX_ID_BYTES
    assert UNSAFE_IN_IDS.isdisjoint(mapped.document_id)
    assert mapped.document_id.strip(" ") == mapped.document_id
    assert mapped.document_id not in (".", "..")
    assert tuple(document[name] for name in mapper.partition_key_properties) == mapped.partition_key
    assert sum(len(str(level).encode()) for level in mapped.partition_key) <= MAX_PARTITION_KEY_BYTES + 16
    assert not {"_rid", "_self", "_etag", "_ts", "_attachments"} & document.keys()
    assert ("ttl" in document) == (mapped.expires_at is not None)


def check_rejected(mapped, asked):
    """Check that a rejected item is one line of JSON, which a replay by the same rules rejects alike."""
    kept = mapped.to_json_line("f.json.gz", 7)
    assert mapped.reason in REASONS
    assert b"\n" not in kept
    assert orjson.loads(kept)["reason"] == mapped.reason
    rows = pa.RecordBatch.from_pydict({"part": ["p"], "value": [kept.decode()]})
    with within_bounds():
        again = rows_of(decide(asked, NOW), rows)
    assert again[0] == ("rejected", kept.decode())
    assert FileTally(**json.loads(again[1][1])).rejected == {mapped.reason: 1}
