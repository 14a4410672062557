import json

import orjson
import pyarrow as pa
import pytest

from d2c.load_run.comparing import (
    CLOCK_ALLOWANCE_SECONDS,
    actual_bodies,
    actual_documents,
    constants_of,
    count_expected,
    expected_bodies,
    expected_documents,
    id_of,
)
from d2c.load_run.mappers import request_mapper
from d2c.mapping import document_identity, fingerprint, mapper

from .batches import data_file, lines_of, request, rows_of

NOW = 1_780_000_000
ITEMS = [
    {"pk": {"S": "forever"}},
    {"pk": {"S": "long"}, "until": {"N": str(NOW + 10_000)}},
    {"pk": {"S": "soon"}, "until": {"N": str(NOW + 200)}},
    {"pk": {"S": "over"}, "until": {"N": str(NOW - 1)}},
    {"pk": {"N": "1"}, "broken": {"N": "x"}},
]
FILE, BATCH = data_file(lines_of(*ITEMS))
FADING = request({}, ttl_attribute="until")


def stored(*documents):
    texts = [json.dumps({"id": "x", "_ts": NOW, "_etag": "e", **document}) for document in documents]
    return pa.RecordBatch.from_pydict({"_rawBody": texts})


def counts(began_at, ended_at):
    (row,) = rows_of(count_expected(FADING, (FILE,), NOW, began_at, ended_at), BATCH)
    return row


def test_documents_that_must_be_there_and_that_may_be_are_counted():
    assert counts(NOW, NOW + 10) == (3, 3)


def test_documents_that_expire_during_counting_may_be_missing():
    assert counts(NOW, NOW + 100) == (2, 3)
    assert counts(NOW + 310, NOW + 330) == (2, 3)


def test_documents_that_expired_before_counting_must_be_missing():
    assert counts(NOW + 400, NOW + 410) == (2, 2)


def test_clocks_may_differ_by_the_allowance_and_no_more():
    expiry = NOW + 200
    began, ended = expiry + CLOCK_ALLOWANCE_SECONDS, expiry - CLOCK_ALLOWANCE_SECONDS
    assert (counts(NOW, ended - 1), counts(NOW, ended)) == ((3, 3), (2, 3))
    assert (counts(began - 1, began), counts(began, began)) == ((2, 3), (2, 2))


def test_the_constants_in_its_partition_key_distinguish_a_table_in_a_shared_container():
    shared = request({"partition_key": ["kind", "pk"], "set": {"kind": "song", "origin": "dynamodb"}})
    assert constants_of(request_mapper(shared)) == {"kind": "song"}
    assert constants_of(request_mapper(FADING)) == {}


def test_an_identity_has_the_documents_id():
    assert id_of(document_identity(["a", 1, None], 'x"/é')) == 'x"/é'


def test_a_stored_document_has_the_identity_and_digest_of_the_expected_one():
    (identity, digest, expires_at), *_ = rows_of(expected_documents(FADING, (FILE,), NOW), BATCH)
    assert rows_of(actual_documents(FADING), stored({"id": "forever", "pk": "forever"})) == [
        (identity, digest, None, NOW)
    ]
    assert (identity, expires_at) == ('["forever","forever"]', None)


def test_a_stored_ttl_is_told_where_the_container_has_time_to_live_and_is_a_property_elsewhere():
    document = {"id": "long", "pk": "long", "ttl": 5}
    ((_, without_it, ttl, _),) = rows_of(actual_documents(FADING), stored(document))
    assert (ttl, without_it) == (5, fingerprint(document, ignore_ttl=True))
    ((_, with_it, ttl, _),) = rows_of(actual_documents(request({})), stored(document))
    assert (ttl, with_it) == (None, fingerprint(document))


def test_documents_of_other_tables_in_a_shared_container_are_left_out():
    shared = request({"partition_key": ["kind", "pk"], "set": {"kind": "song"}})
    others = {"id": "b", "pk": "b", "kind": "film"}, {"id": "c", "pk": "c"}
    documents = stored({"id": "a", "pk": "a", "kind": "song"}, *others)
    assert [row[0] for row in rows_of(actual_documents(shared), documents)] == ['["song","a","a"]']
    wanted = frozenset(['["song","a","a"]', '["film","b","b"]'])
    assert [row[0] for row in rows_of(actual_bodies(shared, wanted), documents)] == ['["song","a","a"]']


def test_both_sides_choose_the_same_sample():
    names = [f"k{number}" for number in range(400)]
    file, batch = data_file(lines_of(*({"pk": {"S": name}} for name in names)))
    sampled = request({}, verify="sample:0.25")
    expected = {row[0] for row in rows_of(expected_documents(sampled, (file,), NOW), batch)}
    documents = stored(*({"id": name, "pk": name} for name in names))
    assert expected == {row[0] for row in rows_of(actual_documents(sampled), documents)}
    assert 60 < len(expected) < 140


def test_only_asked_bodies_are_returned_whole():
    wanted = frozenset(['["long","long"]'])
    ((identity, body),) = rows_of(expected_bodies(FADING, (FILE,), NOW, wanted), BATCH)
    assert (identity, json.loads(body)["ttl"]) == ('["long","long"]', 10_000)
    document = {"id": "long", "pk": "long"}
    ((identity, body),) = rows_of(actual_bodies(FADING, wanted), stored(document, {"id": "x", "pk": "y"}))
    assert document.items() <= json.loads(body).items()


@pytest.mark.parametrize("verify", ["full", "sample:0.99"])
def test_items_that_became_no_document_are_not_expected(verify):
    rows = rows_of(expected_documents(request({}, ttl_attribute="until", verify=verify), (FILE,), NOW), BATCH)
    assert {json.loads(row[0])[1] for row in rows} <= {"forever", "long", "soon"}


def test_a_document_near_a_limit_that_is_longer_as_it_is_digested_is_expected(monkeypatch):
    numbers = {"L": [{"N": "1"}] * 1_000}
    file, batch = data_file(lines_of({"pk": {"S": "x"}, "v": numbers}))
    body = orjson.dumps({"id": "x", "pk": "x", "v": [1] * 1_000})
    monkeypatch.setattr(mapper, "MAX_DOCUMENT_BYTES", len(body))
    ((_, digest, _),) = rows_of(expected_documents(request({}), (file,), NOW), batch)
    assert digest == fingerprint(orjson.loads(body))


def test_an_item_that_later_rules_had_has_the_digest_of_its_document():
    history = {"numbers": "reject"}, {"numbers": "string"}
    file, batch = data_file(
        lines_of({"pk": {"S": "x"}, "v": {"N": "0.12345678901234567890"}}, {"pk": {"S": "y"}})
    )
    rows = rows_of(expected_documents(request(*history), (file,), NOW), batch)
    stored = [{"id": "x", "pk": "x", "v": "0.1234567890123456789"}, {"id": "y", "pk": "y"}]
    assert [row[1] for row in rows] == [fingerprint(document) for document in stored]
