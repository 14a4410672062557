import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.cosmos.exceptions import CosmosClientTimeoutError, CosmosHttpResponseError
from azure.identity import CredentialUnavailableError

from d2c.clients.azure.identity import azure_credential
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.settings import local_settings

THING = "Cosmos DB container shop/music"


def translated(error):
    def call():
        with azure_errors(THING):
            raise error

    found = error_of(call)
    assert found.detail.startswith(THING)
    return found


def with_status(status, message="because", kind=HttpResponseError):
    error = kind(message)
    error.status_code = status
    return error


@pytest.mark.parametrize("status", [408, 429, 449, 500, 502, 503, 504])
def test_load_and_trouble_of_a_service_may_heal(status):
    error = translated(with_status(status))
    assert type(error) is TransientError
    assert f"answered {status}: because" in error.detail


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "docs/install/permissions.md"), (404, "Check the name"), (400, "documentation")],
)
def test_a_refusal_does_not_heal_and_is_told_with_what_to_do(status, words):
    error = translated(with_status(status))
    assert type(error) is PermanentError
    assert words in error.next_step


@pytest.mark.parametrize("status", [409, 412])
def test_another_operation_on_the_account_is_waited_for(status):
    message = "There is another user operation in progress which requires an exclusive lock on [account]."
    assert type(translated(with_status(status, message))) is TransientError
    assert type(translated(with_status(status, "The etag does not match."))) is PermanentError


@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("connection refused"),
        ServiceResponseError("connection reset"),
        ServiceResponseTimeoutError("timed out"),
        IncompleteReadError("broke off"),
        CosmosClientTimeoutError(),
    ],
)
def test_an_answer_that_did_not_come_or_broke_off_may_come_at_the_next_try(error):
    assert type(translated(error)) is TransientError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CredentialUnavailableError("no managed identity endpoint found"), "Assign a managed identity"),
        (with_status(401, "AADSTS700016", ClientAuthenticationError), "AZURE_CLIENT_ID"),
        (with_status(401, "because", ClientAuthenticationError), "docs/install/permissions.md"),
    ],
)
def test_an_identity_that_is_not_accepted_does_not_heal(error, words):
    found = translated(error)
    assert type(found) is PermanentError
    assert words in found.next_step


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_sign_in_that_met_trouble_of_the_service_may_heal(status):
    assert type(translated(with_status(status, kind=ClientAuthenticationError))) is TransientError


def test_an_operation_that_was_accepted_and_then_failed_is_not_told_as_an_answer_of_200():
    error = translated(with_status(200, "(BadRequest) throughput too high"))
    assert type(error) is PermanentError
    assert "answered 200" not in error.detail
    assert "(BadRequest) throughput too high" in error.detail


def test_of_an_answer_only_the_first_line_is_told():
    message = "(Unauthorized) The token is not valid.\r\nServer used this to sign: get\ndocs\nActivityId: 1"
    assert "Server used" not in translated(CosmosHttpResponseError(status_code=401, message=message)).detail


def test_an_answer_without_text_is_told_by_its_kind():
    assert "ResourceNotFoundError" in translated(with_status(404, "  ", ResourceNotFoundError)).detail


def test_the_app_signs_in_for_the_management_endpoint():
    settings = local_settings(D2C_MANAGEMENT_ENDPOINT="https://management.azure.com/")
    arguments = management_arguments(settings)
    assert arguments["credential"] is azure_credential()
    assert arguments["credential_scopes"] == ["https://management.azure.com/.default"]
