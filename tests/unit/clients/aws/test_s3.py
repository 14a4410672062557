import io

import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody

from d2c.clients.aws.s3 import Bucket
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.aws.stubs import stubbed_client
from tests.unit.clients.errors import error_of


@pytest.fixture
def service():
    client, stubber = stubbed_client("s3")
    with stubber:
        yield Bucket(client, "exports"), stubber
    stubber.assert_no_pending_responses()


def body(content, length=None):
    return StreamingBody(io.BytesIO(content), len(content) if length is None else length)


def test_an_object_is_read_whole(service):
    bucket, stubber = service
    stubber.add_response("get_object", {"Body": body(b"text")}, {"Bucket": "exports", "Key": "a/b"})
    assert bucket.read("a/b", 4) == b"text"


def test_an_object_that_is_too_large_is_not_read(service):
    bucket, stubber = service
    content = body(b"12345")
    stubber.add_response("get_object", {"Body": content, "ContentLength": 5})
    error = error_of(lambda: bucket.read("a/b", 4))
    assert type(error) is PermanentError
    assert "s3://exports/a/b has 5 bytes" in error.detail
    assert content.tell() == 0


def test_an_object_that_is_not_there_is_none(service):
    bucket, stubber = service
    stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    assert bucket.read("a/b", 4) is None


def test_an_object_that_breaks_off_is_read_again_later(service):
    bucket, stubber = service
    stubber.add_response("get_object", {"Body": body(b"te", length=4)})
    error = error_of(lambda: bucket.read("a/b", 4))
    assert type(error) is TransientError
    assert isinstance(error.__cause__, IncompleteReadError)


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("NoSuchBucket", 404, PermanentError, "D2C_EXPORT_BUCKET"),
        ("AccessDenied", 403, PermanentError, "docs/install/permissions.md"),
        ("SlowDown", 503, TransientError, "Retrying"),
    ],
)
def test_what_s3_refuses_is_told_with_the_object_and_what_to_do(service, code, status, kind, words):
    bucket, stubber = service
    stubber.add_client_error("get_object", code, "no", http_status_code=status)
    error = error_of(lambda: bucket.read("a/b", 4))
    assert type(error) is kind
    assert "s3://exports/a/b" in error.detail
    assert words in error.next_step


def test_sizes_are_those_of_every_page(service):
    bucket, stubber = service
    asked = {"Bucket": "exports", "Prefix": "p/"}
    first = {"Contents": [{"Key": "p/a", "Size": 1}], "IsTruncated": True, "NextContinuationToken": "more"}
    stubber.add_response("list_objects_v2", first, asked)
    second = {"Contents": [{"Key": "p/b", "Size": 0}], "IsTruncated": False}
    stubber.add_response("list_objects_v2", second, {**asked, "ContinuationToken": "more"})
    assert bucket.sizes("p/") == {"p/a": 1, "p/b": 0}


def test_a_prefix_without_objects_has_no_sizes(service):
    bucket, stubber = service
    stubber.add_response("list_objects_v2", {"IsTruncated": False})
    assert bucket.sizes("p/") == {}
