import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from botocore import UNSIGNED

from d2c.clients.aws.sign_in import (
    APP_SESSION_SECONDS,
    TemporaryCredentials,
    WebIdentity,
    aws_client,
    web_identity,
)
from d2c.errors import PermanentError, TransientError
from tests.unit.app.test_aws_settings import ONE, ROLE, WITH_ROLES
from tests.unit.clients.aws.stubs import REGION, stubbed_client
from tests.unit.clients.errors import error_of
from tests.unit.clients.settings import local_settings

AUDIENCE = "api://d2c-aws"
CLAIMS = {"iss": "https://sts.windows.net/my-tenant/", "aud": AUDIENCE, "sub": "my-identity"}
SIGNATURE = "the-tokens-signature"
TOKEN = f"e30.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.{SIGNATURE}"
SECRET, SESSION_TOKEN = "secret-access-key-of-the-session", "session-token"


class Entra:
    """Stands for azure-identity's credential."""

    def __init__(self, answer=TOKEN):
        self.answer = answer
        self.scopes = []

    def get_token(self, *scopes, **_):
        self.scopes += scopes
        if isinstance(self.answer, Exception):
            raise self.answer
        return AccessToken(self.answer, 2**31)


def credentials(seconds=3600, number=1):
    return {
        "Credentials": {
            "AccessKeyId": f"ASIAEXAMPLEEXAMPLE{number:02}",
            "SecretAccessKey": SECRET,
            "SessionToken": SESSION_TOKEN,
            "Expiration": datetime.now(UTC) + timedelta(seconds=seconds),
        }
    }


@pytest.fixture
def sts():
    client, stubber = stubbed_client("sts")
    with stubber:
        yield client, stubber
    stubber.assert_no_pending_responses()


def take_on(client, entra=None, **arguments):
    identity = WebIdentity(client, entra or Entra(), AUDIENCE)
    return identity.take_on(ROLE, **{"session_name": "d2c", "seconds": 3600, **arguments})


class TestTakeOn:
    def expect(self, stubber, **changes):
        asked = {
            "RoleArn": ROLE,
            "RoleSessionName": "d2c",
            "WebIdentityToken": TOKEN,
            "DurationSeconds": 3600,
            **changes,
        }
        stubber.add_response("assume_role_with_web_identity", credentials(), asked)

    def test_a_token_for_the_audience_is_exchanged_for_credentials_of_the_role(self, sts):
        client, stubber = sts
        self.expect(stubber)
        entra = Entra()
        found = take_on(client, entra)
        assert entra.scopes == [f"{AUDIENCE}/.default"]
        assert (found.access_key_id, found.secret_access_key) == ("ASIAEXAMPLEEXAMPLE01", SECRET)
        assert found.session_token == SESSION_TOKEN

    def test_a_session_may_be_allowed_less_than_its_role_and_last_less_long(self, sts):
        client, stubber = sts
        policy = {"Version": "2012-10-17", "Statement": []}
        self.expect(stubber, DurationSeconds=900, Policy=json.dumps(policy, separators=(",", ":")))
        take_on(client, seconds=900, policy=policy)

    def test_the_text_of_credentials_holds_no_secret(self, sts):
        client, stubber = sts
        self.expect(stubber)
        text = repr(take_on(client))
        assert SECRET not in text
        assert SESSION_TOKEN not in text

    @pytest.mark.parametrize(
        ("code", "message", "words"),
        [
            ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "trust policy"),
            ("InvalidIdentityToken", "No OpenIDConnect provider found in your account", "identity provider"),
            ("IDPRejectedClaim", "The token was rejected", "managed identity still exists"),
            ("ExpiredTokenException", "Token expired: current date/time 1 must be before 0", "clock"),
            ("PackedPolicyTooLarge", "Packed policy consumes 120%", "Shorten D2C_EXPORT_PREFIX"),
            ("RegionDisabledException", "STS is not activated", "Activate STS"),
            ("MalformedPolicyDocument", "Syntax error", "D2C_EXPORT_BUCKET"),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                "D2C_AWS_SESSION_SECONDS",
            ),
        ],
    )
    def test_a_refusal_names_the_role_the_action_and_whose_token_it_was_but_not_the_token(
        self, sts, code, message, words
    ):
        client, stubber = sts
        stubber.add_client_error("assume_role_with_web_identity", code, message, http_status_code=403)
        error = error_of(lambda: take_on(client))
        assert type(error) is PermanentError
        for part in (ROLE, "sts:AssumeRoleWithWebIdentity", code, message, *CLAIMS.values()):
            assert part in error.detail
        assert words in error.next_step
        assert SIGNATURE not in str(error)
        assert TOKEN.split(".")[1] not in str(error)

    @pytest.mark.parametrize(
        ("code", "status"), [("IDPCommunicationError", 400), ("Throttling", 400), ("Odd", 500)]
    )
    def test_trouble_between_aws_and_entra_may_heal(self, sts, code, status):
        client, stubber = sts
        stubber.add_client_error("assume_role_with_web_identity", code, "", http_status_code=status)
        error = error_of(lambda: take_on(client))
        assert type(error) is TransientError
        assert ROLE in error.detail

    @pytest.mark.parametrize("token", ["opaque", "a.b.c", "e30.e30.x", "e30.W10.x"])
    def test_a_token_that_tells_nothing_is_told_as_such(self, sts, token):
        client, stubber = sts
        stubber.add_client_error("assume_role_with_web_identity", "InvalidIdentityToken", "No")
        assert "no readable claims" in error_of(lambda: take_on(client, Entra(token))).detail


CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable.
\tManagedIdentityCredential: AADSTS500011: The resource principal named api://d2c-aws was not found in the tenant
"""


class TestNoToken:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (ClientAuthenticationError(CHAIN), "ManagedIdentityCredential: AADSTS500011"),
            (CredentialUnavailableError("No managed identity"), "No managed identity"),
        ],
    )
    def test_an_app_without_a_token_is_told_role_audience_cause_and_what_to_do(self, sts, error, words):
        found = error_of(lambda: take_on(sts[0], Entra(error)))
        assert type(found) is PermanentError
        for part in (ROLE, AUDIENCE, words):
            assert part in found.detail
        assert "docs/install/aws.md" in found.next_step

    @pytest.mark.parametrize("error", [ServiceRequestError("no route"), HttpResponseError("broke off")])
    def test_entra_that_does_not_answer_may_heal(self, sts, error):
        assert type(error_of(lambda: take_on(sts[0], Entra(error)))) is TransientError


class Identity:
    """Stands for `WebIdentity`: gives credentials that last as long as it is told, and counts."""

    def __init__(self):
        self.seconds_left = 3600
        self.asked = []
        self.refuses = None

    def take_on(self, role_arn, *, session_name, seconds):
        if self.refuses:
            raise self.refuses
        self.asked.append((role_arn, session_name, seconds))
        found = credentials(self.seconds_left, len(self.asked))["Credentials"]
        return TemporaryCredentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"]
        )


@pytest.fixture
def identity():
    return Identity()


@pytest.fixture
def connect(identity):
    """Return `aws_client` with the substitute."""

    def identity_of(settings, region):
        return identity

    return lambda *arguments: aws_client(*arguments, identity_of)


def settings_with_roles(name, **changes):
    """Return settings of an app of its own, since sessions are kept by settings."""
    return local_settings(**{**WITH_ROLES, "WEBSITE_SITE_NAME": name, **changes})


def key_of(client):
    return client._request_signer._credentials.get_frozen_credentials().access_key


class TestSessions:
    def test_connecting_asks_nobody_and_the_first_call_signs_in_under_the_apps_name(self, identity, connect):
        client = connect(settings_with_roles("first-call"), "dynamodb", ONE, REGION)
        assert identity.asked == []
        assert key_of(client) == "ASIAEXAMPLEEXAMPLE01"
        assert identity.asked == [(ROLE, "d2c-first-call", APP_SESSION_SECONDS)]

    def test_services_of_one_account_and_region_share_a_session_and_other_regions_have_their_own(
        self, identity, connect
    ):
        settings = settings_with_roles("shared")
        for service, region in (("dynamodb", REGION), ("s3", REGION), ("dynamodb", "us-east-1")):
            key_of(connect(settings, service, None, region))
        assert len(identity.asked) == 2

    def test_a_session_is_renewed_before_it_ends_without_anybody_asking_for_it(self, identity, connect):
        client = connect(settings_with_roles("renewed"), "dynamodb", ONE, REGION)
        identity.seconds_left = 300
        assert key_of(client) == "ASIAEXAMPLEEXAMPLE01"
        identity.seconds_left = 3600
        assert key_of(client) == "ASIAEXAMPLEEXAMPLE02"
        assert key_of(client) == "ASIAEXAMPLEEXAMPLE02"

    def test_a_session_of_the_shortest_life_is_not_renewed_at_every_call(self, identity, connect):
        settings = settings_with_roles("short", D2C_AWS_SESSION_SECONDS="900")
        client = connect(settings, "dynamodb", ONE, REGION)
        identity.seconds_left = 900
        assert key_of(client) == key_of(client)
        assert identity.asked == [(ROLE, "d2c-short", 900)]

    def test_a_renewal_that_fails_early_is_made_up_for_and_one_that_fails_late_is_told(
        self, identity, connect
    ):
        client = connect(settings_with_roles("failing"), "dynamodb", ONE, REGION)
        identity.seconds_left = 700
        first = key_of(client)
        identity.refuses = PermanentError("The role is gone.", "Bring it back.")
        assert key_of(client) == first
        client._request_signer._credentials._expiry_time -= timedelta(seconds=200)
        assert error_of(lambda: key_of(client)) is identity.refuses

    def test_without_roles_credentials_are_those_that_boto3_finds(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        settings = local_settings(WEBSITE_SITE_NAME="without-roles")
        client = aws_client(settings, "dynamodb", None, REGION)
        assert key_of(client) == "AKIAOFTHEENVIRONMENT"


# Without the setting, both have the global endpoint; a region's client is made once.
@pytest.mark.parametrize(("mode", "region"), [("legacy", "us-east-1"), ("regional", "us-west-2")])
def test_sts_is_asked_in_the_region_and_without_a_signature(monkeypatch, mode, region):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", mode)
    sts = web_identity(settings_with_roles("sts"), region)._sts
    assert sts.meta.endpoint_url == f"https://sts.{region}.amazonaws.com"
    assert sts.meta.config.signature_version is UNSIGNED
