"""Physical partitions that are split while they are written or read."""

import re
from threading import Event

import orjson
import pytest

from localcloud.databricks.connector import reading
from localcloud.databricks.connector.bulk import BulkSender, Operation
from localcloud.databricks.connector.container import look_up_container
from localcloud.databricks.connector.documents import Document
from localcloud.databricks.connector.gateway import Answer, Gateway
from localcloud.databricks.connector.reading import RingPart, _pages
from localcloud.databricks.connector.strategies import STRATEGIES

from .test_bulk import options

HALVES = [
    {"id": "1", "minInclusive": "", "maxExclusive": "1FFFFFFF"},
    {"id": "2", "minInclusive": "1FFFFFFF", "maxExclusive": "FF"},
]


class SplitContainer(Gateway):
    """A container whose range 0 has been split into two, which remembers what is asked of each range."""

    def __init__(self):
        super().__init__("http://127.0.0.1:1", "a2V5", "d", "c")
        self.asked = []

    def call(self, method, parts, headers, body=None):
        if parts == ():
            return Answer(200, 0, 0, None, b'{"_rid": "r", "partitionKey": {"paths": ["/pk"], "version": 2}}')
        if parts == ("pkranges",):
            return Answer(200, 0, 0, None, orjson.dumps({"PartitionKeyRanges": HALVES}))
        range_id = headers["x-ms-documentdb-partitionkeyrangeid"]
        if range_id == "0":
            return Answer(410, 1002, 0, None, b'{"message": "gone"}')
        self.asked.append((range_id, headers, body))
        if "x-ms-documentdb-isquery" in headers:
            return Answer(200, 0, 0, None, orjson.dumps({"Documents": [{"id": range_id}]}))
        return Answer(200, 0, 0, None, orjson.dumps([{"statusCode": 201}] * body.count(b"operationType")))


@pytest.fixture
def gateway():
    return SplitContainer()


def test_a_read_goes_on_in_the_halves(gateway):
    pages = list(_pages(gateway, options(), RingPart("0", "0AAA", "2BBB")))
    assert pages == [[{"id": "1"}], [{"id": "2"}]]
    bounds = [(headers["x-ms-start-epk"], headers["x-ms-end-epk"]) for _, headers, _ in gateway.asked]
    assert bounds == [("0AAA", "1FFFFFFF"), ("1FFFFFFF", "2BBB")]


def test_a_batch_is_sent_to_the_halves_that_hold_its_keys(gateway):
    texts = [f'["p{number}"]' for number in range(20)]
    batch = [Operation(Document(b"{}", "x", key, None), b'{"operationType":""}', "0") for key in texts]
    container = look_up_container(gateway)
    BulkSender(gateway, container, STRATEGIES["ItemOverwrite"], 10, Event()).send(batch)
    sent = {range_id: len(re.findall(b"operationType", body)) for range_id, _, body in gateway.asked}
    assert sent.keys() == {"1", "2"}
    assert sum(sent.values()) == 20


def test_a_replica_that_lags_lacks_the_latest_documents_but_no_counts(monkeypatch):
    monkeypatch.setattr(reading.time, "time", lambda: 100.0)
    assert reading._is_replicated({"_ts": 100 - reading.REPLICA_LAG_SECONDS})
    assert not reading._is_replicated({"_ts": 100 - reading.REPLICA_LAG_SECONDS + 1})
    assert reading._is_replicated({"Count": 5})
