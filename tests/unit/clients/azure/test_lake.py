import json
from xml.sax.saxutils import escape

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerClient

from d2c.clients.azure.data_lake import connect_data_lake
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.outside import SignedIn, replace_outside
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

BLOB_HEADERS = {
    "ETag": '"1"',
    "Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT",
    "x-ms-blob-type": "BlockBlob",
}
WRITTEN = Answer(201, b"", {"ETag": '"1"', "Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT"})
SIGNATURE = "sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D"


def lake(*answers):
    service = StubService(*answers)
    client = ContainerClient.from_container_url(
        f"https://lakeaccount.blob.core.windows.net/lake?sv=2026-01-01&{SIGNATURE}",
        transport=service.transport,
        retry_total=0,
    )
    return Lake(client), service


def refusal(status, code):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>because</Message></Error>".encode()
    return Answer(status, body, {"x-ms-error-code": code, "Content-Type": "application/xml"})


def content(data):
    size = len(data)
    return Answer(206, data, {**BLOB_HEADERS, "Content-Range": f"bytes 0-{size - 1}/{size}"})


def listing(call, entries, following=""):
    """Answer as List Blobs does: metadata are told only to a caller who asks for them."""
    told = "metadata" in call.query.get("include", "")
    blobs = "".join(
        f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{size or 0}</Content-Length>"
        "<BlobType>BlockBlob</BlobType></Properties>"
        + ("<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>" if told and size is None else "")
        + "</Blob>"
        for name, size in entries
    )
    body = (
        "<?xml version='1.0' encoding='utf-8'?><EnumerationResults>"
        f"<Prefix>{escape(call.query['prefix'])}</Prefix><Blobs>"
        f"{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
    )
    return Answer(200, body.encode(), {"Content-Type": "application/xml"})


def test_a_file_is_read_whole():
    here, service = lake(content(b"text"))
    assert here.read("a/b.json") == b"text"
    assert service.calls[0].path == "/lake/a/b.json"


def test_of_a_file_that_is_too_large_one_byte_more_than_allowed_is_asked_for():
    here, service = lake(content(b"12345"))
    error = error_of(lambda: here.read("exports/a.json", most_bytes=4))
    assert type(error) is PermanentError
    assert "lake/exports/a.json has more than 4 bytes" in error.detail
    assert service.calls[0].headers["x-ms-range"] == "bytes=0-4"
    assert lake(content(b"1234"))[0].read("a", most_bytes=4) == b"1234"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a": 1}\x00',
        b"\xff",
        b"[1]",
        b"null",
        b'{"a":1},{"b":2}',
        b'{"a":[1\n2]}',
    ],
)
def test_a_log_with_a_line_that_no_append_writes_is_read_again_later(text):
    here, _ = lake(content(b'{"a": 1}\n' + text + b"\n"))
    error = error_of(lambda: here.read_log("m/queue.jsonl"))
    assert type(error) is TransientError
    assert "lake/m/queue.jsonl line 2 is not" in error.detail


def test_a_version_of_a_file_that_is_no_json_is_read_again_later():
    here, _ = lake(content(b"{"))
    assert type(error_of(lambda: here.read_version("containers/a"))) is TransientError


def test_a_file_that_is_not_there_is_none():
    here, _ = lake(refusal(404, "BlobNotFound"))
    assert here.read_json("a/b.json") is None


def test_a_file_system_that_is_not_there_is_no_missing_file():
    here, _ = lake(refusal(404, "ContainerNotFound"))
    error = error_of(lambda: here.read("a/b.json"))
    assert type(error) is PermanentError
    assert "lake/a/b.json" in error.detail


@pytest.mark.parametrize(
    "call",
    [
        lambda here: here.read_version("a"),
        lambda here: here.replace("a", b"", '"1"'),
        lambda here: here.append("a", {}),
    ],
)
def test_neither_is_it_for_what_changes_a_file(call):
    here, _ = lake(refusal(404, "ContainerNotFound"))
    error = error_of(lambda: call(here))
    assert type(error) is PermanentError
    assert "lake/a" in error.detail


def test_a_json_file_is_read_as_its_value():
    here, _ = lake(content(b'{"a": [1]}'))
    assert here.read_json("a") == {"a": [1]}


def test_a_json_file_that_is_just_being_written_is_read_again_later():
    here, _ = lake(content(b'{"a": '))
    error = error_of(lambda: here.read_json("p/progress.json"))
    assert type(error) is TransientError
    assert "lake/p/progress.json is not JSON" in error.detail


def test_a_file_is_written_over_one_that_may_be_there():
    here, service = lake(WRITTEN)
    here.write_json("a", {"b": 1})
    (call,) = service.calls
    assert call.method == "PUT"
    assert "If-None-Match" not in call.headers
    assert json.loads(call.body) == {"b": 1}


def test_a_part_of_a_file_is_read_alone():
    part = Answer(206, b"cde", {**BLOB_HEADERS, "Content-Range": "bytes 2-4/9"})
    here, service = lake(part)
    assert here.read_range("m/f", 2, 3) == b"cde"
    (call,) = service.calls
    assert call.headers["x-ms-range"] == "bytes=2-4"


def test_creating_writes_only_where_nothing_is():
    here, service = lake(WRITTEN)
    assert here.create("a", b"x") is True
    assert service.calls[0].headers["If-None-Match"] == "*"


def test_creating_tells_that_a_file_is_there():
    here, _ = lake(refusal(409, "BlobAlreadyExists"))
    assert here.create("a", b"x") is False


def test_creating_in_a_file_system_that_is_being_deleted_is_no_file_that_is_there():
    here, _ = lake(refusal(409, "ContainerBeingDeleted"))
    assert type(error_of(lambda: here.create("a", b"x"))) is PermanentError


def test_a_file_is_there_or_not():
    here, service = lake(Answer(200, b"", BLOB_HEADERS), refusal(404, "BlobNotFound"))
    assert here.exists("a") is True
    assert here.exists("a") is False
    assert service.calls[0].method == "HEAD"


def test_sizes_are_of_files_below_the_folder_on_every_page_and_not_of_folders():
    def answer(call):
        assert call.query["prefix"] == "exports/m/"
        if "marker" in call.query:
            return listing(call, [("exports/m/data/b.json.gz", 0)])
        entries = [
            ("exports/m/data", None),
            ("exports/m/data/a.json.gz", 20),
            ("exports/m/manifest-summary.json", 3),
        ]
        return listing(call, entries, following="more")

    here, _ = lake(answer)
    expected = {"data/a.json.gz": 20, "manifest-summary.json": 3, "data/b.json.gz": 0}
    assert here.sizes("exports/m") == expected
    assert here.sizes("exports/m/") == expected


def test_names_come_page_by_page_with_a_token_for_the_next():
    def answer(call):
        assert call.query["maxresults"] == "2"
        if call.query.get("marker") == "more":
            return listing(call, [("i/3", 0)])
        return listing(call, [("i/1", 0), ("i/2", 0)], following="more")

    here, _ = lake(answer)
    assert here.page("i/", 2, None) == (["i/1", "i/2"], "more")
    assert here.page("i/", 2, "more") == (["i/3"], None)


def test_names_after_one_are_found_over_the_services_own_pages():
    def answer(call):
        assert "maxresults" not in call.query
        if call.query.get("marker") == "more":
            return listing(call, [("i/3", 0), ("i/4", 0), ("i/5", 0)])
        return listing(call, [("i/1", 0), ("i/2", 0)], following="more")

    here, _ = lake(answer)
    assert here.paths_after("i/", "i/2", 2) == ["i/3", "i/4"]
    assert here.paths_after("i/", "i/4.5", 2) == ["i/5"]
    assert here.paths_after("i/", "i/9", 2) == []


def test_the_first_names_are_asked_for_alone():
    here, service = lake(lambda call: listing(call, [("i/1", 0), ("i/2", 0)], following="more"))
    assert here.paths_after("i/", None, 2) == ["i/1", "i/2"]
    (call,) = service.calls
    assert call.query["maxresults"] == "2"


def test_a_page_of_nothing_is_empty():
    here, _ = lake(lambda call: listing(call, []))
    assert here.page("i/", 2, None) == ([], None)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refusal(403, "AuthorizationPermissionMismatch"), PermanentError, "docs/install/permissions.md"),
        (refusal(403, "AuthenticationFailed"), PermanentError, "docs/install/permissions.md"),
        (refusal(503, "ServerBusy"), TransientError, "Retrying"),
        (
            requests.ConnectionError(f"HTTPSConnectionPool: /lake/a/b?{SIGNATURE}"),
            TransientError,
            "Retrying",
        ),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda here: here.read("a/b"),
        lambda here: here.write("a/b", b"x"),
        lambda here: here.create("a/b", b"x"),
        lambda here: here.sizes("a/b"),
        lambda here: here.page("a/b", 1, None),
    ],
)
def test_what_the_lake_refuses_is_told_with_the_file_and_without_the_signature(answer, kind, words, call):
    here, _ = lake(answer)
    error = error_of(lambda: call(here))
    assert type(error) is kind
    assert "lake/a/b" in error.detail
    assert words in error.next_step
    assert SIGNATURE not in str(error)


def test_a_connection_string_that_is_none_is_told_without_its_text():
    text = "AccountName=lake;AccountKey"
    error = error_of(lambda: connect_lake(local_settings(D2C_LAKE=text)))
    assert "D2C_LAKE" in error.detail
    assert text not in str(error)


def test_the_lake_is_connected_by_its_address_or_by_a_connection_string():
    by_address = connect_lake(local_settings(D2C_LAKE_FILE_SYSTEM="lake"))
    assert by_address._client.url == "https://lakeaccount.blob.core.windows.net/lake"
    text = "BlobEndpoint=http://127.0.0.1:9/account;AccountName=account;AccountKey=c2VjcmV0"
    by_string = connect_lake(local_settings(D2C_LAKE=text, D2C_LAKE_FILE_SYSTEM="lake"))
    assert by_string._client.url == "http://127.0.0.1:9/account/lake"


@pytest.mark.parametrize(
    ("headers", "known"),
    [({"x-ms-namespace-enabled": "true"}, True), ({"x-ms-namespace-enabled": "false"}, False), ({}, None)],
)
def test_the_data_role_suffices_to_tell_the_hierarchical_namespace(monkeypatch, headers, known):
    service = replace_outside(monkeypatch, Answer(200, b"", headers))
    url = "https://lakeaccount.blob.core.windows.net"
    container = BlobServiceClient(url, credential=SignedIn()).get_container_client("lake")
    assert Lake(container, connect_data_lake(url, SignedIn())).has_hierarchical_namespace() is known
    (call,) = service.calls
    assert call.url == "https://lakeaccount.dfs.core.windows.net/lake?resource=filesystem"
    assert call.headers["Authorization"].startswith("Bearer ")


def test_a_lake_that_refuses_to_tell_its_kind_is_an_error(monkeypatch):
    replace_outside(monkeypatch, Answer(403, b"", {"x-ms-error-code": "AuthorizationPermissionMismatch"}))
    url = "https://lakeaccount.blob.core.windows.net"
    container = BlobServiceClient(url, credential=SignedIn()).get_container_client("lake")
    here = Lake(container, connect_data_lake(url, SignedIn()))
    assert type(error_of(here.has_hierarchical_namespace)) is PermanentError


def test_what_signs_in_with_a_connection_string_does_not_ask(monkeypatch):
    service = replace_outside(monkeypatch, Answer(500))
    text = "BlobEndpoint=http://127.0.0.1:9/account;AccountName=account;AccountKey=c2VjcmV0"
    here = connect_lake(local_settings(D2C_LAKE=text, D2C_LAKE_FILE_SYSTEM="lake"))
    assert here.has_hierarchical_namespace() is None
    assert service.calls == []


def test_an_empty_file_is_read_though_the_service_has_no_range_of_it():
    here = Lake(SubstituteFileSystem())
    here.write("queue.jsonl", b"")
    assert here.read("queue.jsonl") == b""
    assert here.read_log("queue.jsonl") == []
