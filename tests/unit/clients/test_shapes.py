"""Requests and replies as the services document them, or as they were captured: what we send, and how we read it.

A stand-in is written by those who wrote the client, and may share their error; these shapes come from the services.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from . import shape_calls, shape_calls_of_checks, shape_calls_of_publishing
from .http import Answer, Call
from .outside import replace_outside
from .shape_calls import Wire, readable, seen

AWS = shape_calls.AWS | shape_calls_of_checks.AWS
AZURE = shape_calls.AZURE | shape_calls_of_checks.AZURE | shape_calls_of_publishing.AZURE
COSMOS = shape_calls.COSMOS | shape_calls_of_checks.COSMOS
SHAPES: dict[str, Any] = {
    call: shape
    for path in sorted((Path(__file__).parent / "shapes").glob("*.json"))
    for call, shape in json.loads(path.read_text()).items()
}


def requests_of(shape):
    return [exchange["request"] for exchange in shape["exchanges"]]


def answer_of(exchange):
    reply = exchange["reply"]
    body = reply["body"].encode() if isinstance(reply["body"], str) else reply["body"]
    return Answer(reply["status"], body, reply.get("headers", {}))


def seen_in(calls):
    return [seen(call.method, call.url, call.headers, call.body) for call in calls]


@pytest.fixture
def managed_identity(monkeypatch):
    """Make this process look like an app on Azure, which asks App Service for its tokens."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "invented-identity-header")


def test_every_shape_is_of_a_call_that_is_made_here_and_the_other_way_round():
    assert SHAPES.keys() == AWS.keys() | AZURE.keys() | COSMOS.keys()


@pytest.mark.parametrize("call", AWS)
def test_aws_is_asked_as_it_documents_and_understood(call):
    shape = SHAPES[call]
    wire = Wire(shape["exchanges"])
    assert readable(AWS[call](wire)) == shape["read_as"]
    assert wire.requests == requests_of(shape)


@pytest.mark.parametrize("call", AZURE)
def test_azure_and_databricks_are_asked_as_they_document_and_understood(call, monkeypatch, managed_identity):
    shape = SHAPES[call]
    service = replace_outside(monkeypatch, *map(answer_of, shape["exchanges"]))
    assert readable(AZURE[call]()) == shape["read_as"]
    assert seen_in(service.calls) == requests_of(shape)


@pytest.mark.parametrize("call", COSMOS)
def test_cosmos_dbs_data_plane_is_asked_as_it_documents_and_understood(call, monkeypatch):
    shape = SHAPES[call]

    def answer(asked: Call) -> Answer:
        (told,) = seen_in([asked])
        return answer_of(next(each for each in shape["exchanges"] if each["request"] == told))

    service = replace_outside(monkeypatch, answer)
    assert readable(COSMOS[call](service.transport)) == shape["read_as"]
    asked = seen_in(list(service.calls))
    assert all(request in asked for request in requests_of(shape))


@pytest.mark.parametrize("call", SHAPES)
def test_a_shape_says_where_it_comes_from_and_holds_no_real_credentials(call):
    assert SHAPES[call]["source"].startswith("https://")
    assert "AKIA" not in json.dumps(SHAPES[call])
