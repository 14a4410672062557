import json

import pytest
from azure.cosmos import CosmosClient

from d2c.clients.azure.cosmos.data_plane import INDEX_PROGRESS as PROGRESS
from d2c.clients.azure.cosmos.data_plane import connect_cosmos, has_documents, index_percent
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.settings import SECRETS, local_settings

ENDPOINT = "http://127.0.0.1:9/"
ACCOUNT = {
    "writableLocations": [{"name": "here", "databaseAccountEndpoint": ENDPOINT}],
    "readableLocations": [{"name": "here", "databaseAccountEndpoint": ENDPOINT}],
    "enableMultipleWriteLocations": False,
    "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
}
CONTAINER = {"id": "music", "_rid": "r", "partitionKey": {"paths": ["/Artist"], "kind": "Hash", "version": 2}}


def client(documents):
    """Return a client whose container answers queries by a function."""

    def answer(call):
        if call.method == "POST":
            return documents(call)
        if call.path.endswith("/pkranges"):
            ranges = [{"id": "0", "minInclusive": "", "maxExclusive": "FF", "_rid": "r", "parents": []}]
            return Answer(200, {"PartitionKeyRanges": ranges, "_count": 1}, {"etag": '"1"'})
        return Answer(200, CONTAINER if "/colls/" in call.path else ACCOUNT)

    service = StubService(answer)
    return CosmosClient(
        ENDPOINT,
        credential=SECRETS["D2C_COSMOS_KEY"],
        transport=service.transport,
        retry_total=0,
        retry_throttle_total=0,
    ), service


def found(*documents):
    body = {"Documents": list(documents), "_count": len(documents)}
    plan = {
        "partitionedQueryExecutionInfoVersion": 2,
        "queryInfo": {"top": 1, "hasSelectValue": True, "distinctType": "None"},
        "queryRanges": [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}],
    }

    def answer(call):
        asks_for_plan = call.headers.get("x-ms-cosmos-is-query-plan-request") == "True"
        return Answer(200, plan if asks_for_plan else body)

    return answer


@pytest.mark.parametrize(("documents", "expected"), [((), False), ((1,), True)])
def test_a_container_holds_documents_or_not(documents, expected):
    cosmos, service = client(found(*documents))
    assert has_documents(cosmos, "shop", "music", {}) is expected
    queries = [call for call in service.calls if call.method == "POST"]
    assert {call.path for call in queries} == {"/dbs/shop/colls/music/docs/"}


def test_only_documents_with_the_given_constants_count():
    cosmos, service = client(found())
    assert not has_documents(cosmos, "shop", "music", {"kind": "song", 'a "b"': 1})
    bodies = [json.loads(call.body) for call in service.calls if call.method == "POST"]
    assert bodies[-1]["query"] == 'SELECT TOP 1 VALUE 1 FROM c WHERE c["kind"] = @p0 AND c["a \\"b\\""] = @p1'
    assert bodies[-1]["parameters"] == [{"name": "@p0", "value": "song"}, {"name": "@p1", "value": 1}]


@pytest.mark.parametrize(("headers", "percent"), [({PROGRESS: "0"}, 0), ({PROGRESS: "63"}, 63), ({}, 100)])
def test_a_container_tells_how_far_its_index_transformation_is_if_there_is_one(headers, percent):
    cosmos, service = transforming(headers)
    assert index_percent(cosmos, "shop", "music") == percent
    asked = [call.headers.get("x-ms-documentdb-populatequotainfo") for call in service.calls]
    assert "True" in asked


@pytest.mark.parametrize("text", ["-1", "101", "half", "9" * 5000])
def test_any_other_progress_is_no_answer(text):
    cosmos, _ = transforming({PROGRESS: text})
    assert type(error_of(lambda: index_percent(cosmos, "shop", "music"))) is TransientError


def transforming(headers):
    service = StubService(lambda call: Answer(200, CONTAINER if "/colls/" in call.path else ACCOUNT, headers))
    return CosmosClient(ENDPOINT, credential=SECRETS["D2C_COSMOS_KEY"], transport=service.transport), service


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, PermanentError), (403, PermanentError), (404, PermanentError), (429, TransientError)],
)
def test_what_cosmos_db_refuses_is_told_with_the_container_and_without_the_key(status, kind):
    message = {"code": "Because", "message": "it is so\r\nActivityId: 1"}
    cosmos, _ = client(lambda call: Answer(status, message, {"x-ms-retry-after-ms": "1"}))
    error = error_of(lambda: has_documents(cosmos, "shop", "music", {}))
    assert type(error) is kind
    assert "Cosmos DB container shop/music" in error.detail
    assert SECRETS["D2C_COSMOS_KEY"] not in str(error)


def test_an_account_that_does_not_answer_is_named_when_connecting():
    error = error_of(lambda: connect_cosmos(local_settings()))
    assert type(error) is TransientError
    assert "http://127.0.0.1:9/" in error.detail
