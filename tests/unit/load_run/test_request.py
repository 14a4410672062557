import json
from dataclasses import replace

import pytest

from d2c.errors import PermanentError
from d2c.load_run.request import (
    REQUEST_BYTES,
    LoadRequest,
    RequestList,
    parse_request,
    read_requests,
    sample_fraction,
)

REQUEST = LoadRequest(
    migration="m",
    table="Music",
    table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Music",
    export_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Music/export/01780000000123-a1b2c3d4",
    stages=("assess", "load"),
    export_folder="abfss://lake@a.dfs.core.windows.net/e",
    result_folder="abfss://lake@a.dfs.core.windows.net/r",
    hash_key="Artist",
    range_key=None,
    ttl_attribute=None,
    rules_history=({"numbers": "string"}, {"numbers": "exact"}),
    max_rejected_items=0,
    verify="full",
    cosmos_endpoint="https://a.documents.azure.com:443/",
    cosmos_auth="ManagedIdentity",
    secret_scope="d2c",
    database="shop",
    container="music",
)


def test_a_request_comes_back_from_its_file():
    assert parse_request(REQUEST.to_json().decode()) == REQUEST


@pytest.mark.parametrize(
    "change",
    [
        {"colour": 1},
        {"colour" * 100_000: 1},
        {"stages": ["dance" * 100_000]},
        {"stages": None},
        {"stages": "load"},
        {"stages": [5]},
        {"hash_key": None},
        {"range_key": 5},
        {"max_rejected_items": "0"},
        {"max_rejected_items": True},
        {"load_started_at": 1.5},
        {"rules_history": []},
        {"rules_history": [None]},
        {"rules_history": {"numbers": "exact"}},
        {"verify": "samples"},
        {"verify": "sample:x"},
        {"verify": "sample:nan"},
        {"verify": "sample:0"},
        {"verify": "sample:1.01"},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_request_of_another_version_is_refused(change):
    text = json.dumps({**json.loads(REQUEST.to_json()), **change})
    with pytest.raises(PermanentError) as refused:
        parse_request(text)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", "[" * 100_000])
def test_an_invalid_request_is_rejected(text):
    with pytest.raises(PermanentError):
        parse_request(text)


def test_a_request_of_which_only_a_part_was_read_is_refused_for_its_size():
    whole = REQUEST.to_json().decode()
    fits = whole + " " * (REQUEST_BYTES - 1 - len(whole))
    assert parse_request(fits) == REQUEST
    with pytest.raises(PermanentError, match="1,048,576 bytes or more"):
        parse_request(fits + " ")


@pytest.mark.parametrize(
    ("verify", "fraction"), [("full", 1.0), ("counts", 1.0), ("sample:1", 1.0), ("sample:0.01", 0.01)]
)
def test_a_sample_says_which_part_is_compared(verify, fraction):
    assert sample_fraction(verify) == fraction


class TestReadRequests:
    def test_a_list_has_the_requests_in_order_and_their_log(self):
        asked = RequestList(requests=("b", "a"), log="g.jsonl")
        other = replace(REQUEST, table="Orders")
        files = {"list": asked.to_json(), "a": REQUEST.to_json(), "b": other.to_json()}
        found = read_requests("list", lambda path: files[path].decode())
        assert found == ([other, REQUEST], "g.jsonl")

    def test_a_list_may_have_one_request(self):
        files = {"list": RequestList(("a",), "g.jsonl").to_json(), "a": REQUEST.to_json()}
        assert read_requests("list", lambda path: files[path].decode()) == ([REQUEST], "g.jsonl")

    def test_a_request_that_is_no_list_is_rejected(self):
        with pytest.raises(PermanentError):
            read_requests("r", lambda _: REQUEST.to_json().decode())

    @pytest.mark.parametrize(
        "text",
        [
            '{"requests": ["a"]}',
            '{"requests": [5], "log": "g"}',
            '{"requests": "a", "log": "g"}',
            '{"requests": 7, "log": "g"}',
            '["requests"]',
            '"requests"',
        ],
    )
    def test_what_is_no_list_is_rejected(self, text):
        with pytest.raises(PermanentError):
            read_requests("r", lambda _: text)
