import botocore.exceptions as aws
import pytest

from d2c.clients.aws.dynamodb import connect_dynamodb
from d2c.clients.aws.errors import NEXT_STEPS, TRANSIENT_CODES, aws_errors
from d2c.clients.aws.s3 import connect_bucket
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.settings import local_settings

THING = "DynamoDB table Music in eu-west-1"


def answered(code, status=400, message="because"):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(answer, "DescribeTable")


def translated(error):
    def call():
        with aws_errors(THING):
            raise error

    return error_of(call)


@pytest.mark.parametrize("code", sorted(NEXT_STEPS))
def test_an_answer_that_a_user_can_mend_names_thing_call_cause_and_what_to_do(code):
    error = translated(answered(code))
    assert type(error) is PermanentError
    assert error.detail == f"{THING}: DescribeTable answered {code}: because"
    assert error.next_step == NEXT_STEPS[code]


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_load_and_trouble_of_a_service_may_heal(code):
    assert type(translated(answered(code))) is TransientError


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_answer_may_heal_by_its_status_whatever_its_code(status):
    assert type(translated(answered("Unheard", status))) is TransientError


def test_an_unknown_refusal_does_not_heal():
    assert type(translated(answered("ValidationException"))) is PermanentError


def test_an_answer_without_a_code_or_a_status_is_told_all_the_same():
    assert "answered unknown" in translated(aws.ClientError({"Error": {}}, "GetObject")).detail


@pytest.mark.parametrize(
    "error",
    [
        aws.EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-9.amazonaws.com/"),
        aws.ReadTimeoutError(endpoint_url="https://s3.eu-west-1.amazonaws.com/"),
        aws.ConnectionClosedError(endpoint_url="https://s3.eu-west-1.amazonaws.com/"),
        aws.ResponseStreamingError(error="connection reset"),
        aws.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        aws.CredentialRetrievalError(provider="assume-role", error_msg="no answer"),
    ],
)
def test_an_answer_that_did_not_come_or_broke_off_may_come_at_the_next_try(error):
    assert type(translated(error)) is TransientError
    assert THING in translated(error).detail


@pytest.mark.parametrize(
    "error",
    [
        aws.NoCredentialsError(),
        aws.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
    ],
)
def test_an_app_without_credentials_is_told_to_get_some(error):
    found = translated(error)
    assert type(found) is PermanentError
    assert "credentials" in found.next_step


def test_a_request_that_the_sdk_refuses_does_not_heal():
    assert type(translated(aws.ParamValidationError(report="Invalid length"))) is PermanentError


@pytest.mark.parametrize("connect", [connect_dynamodb, connect_bucket])
def test_a_profile_that_is_not_there_is_told_as_such_when_connecting(connect, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    settings = local_settings(WEBSITE_SITE_NAME="no-such-profile")
    error = error_of(lambda: connect(settings, None, "eu-west-1"))
    assert type(error) is PermanentError
    assert "no-such-profile" in error.detail
