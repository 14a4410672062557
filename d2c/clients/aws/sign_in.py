"""Signing in to AWS: with a token of Microsoft Entra ID and no key, or as boto3 finds credentials by itself.

The app's managed identity gets a token that is made out to AWS, and STS gives credentials of a role for it that last
an hour or less; botocore asks for new ones before they expire, however long a migration takes.
https://aws.amazon.com/blogs/security/how-to-access-aws-resources-from-microsoft-entra-id-tenants-using-aws-security-token-service/
"""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
import botocore.session
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from d2c.app.redaction import without_secrets
from d2c.app.settings import Settings
from d2c.clients.aws.errors import aws_errors
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.connections import connected_once
from d2c.errors import PermanentError

SDK_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=10, read_timeout=60)
ACTION = "sts:AssumeRoleWithWebIdentity"
# The app's own sessions are renewed, so they need not live long.
APP_SESSION_SECONDS = 3600
# botocore's own times, which are longer than the shortest session lives.
RENEW_BEFORE_SECONDS, MUST_RENEW_BEFORE_SECONDS = 900, 600

# How STS refuses, and what to do about it; "ValidationError" is also how it answers a session that is too long.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
NEXT_STEPS = {
    "AccessDenied": "Let the role's trust policy admit this audience and subject (docs/install/aws.md), and check "
    "the role's name in D2C_AWS_ROLES.",
    "InvalidIdentityToken": "Create an IAM identity provider for this issuer and audience in the role's account; if "
    "there is one, check that it is of this tenant and D2C_AWS_TOKEN_AUDIENCE is its audience (docs/install/aws.md).",
    "IDPRejectedClaim": "Check that the app's managed identity still exists and is assigned to the app registration "
    "(docs/install/aws.md).",
    "ExpiredTokenException": "Try again; if it persists, compare this machine's clock with the time in the message.",
    "PackedPolicyTooLarge": "Shorten D2C_EXPORT_PREFIX, the plan's name or the role's session tags.",
    "MalformedPolicyDocument": "Check that D2C_EXPORT_BUCKET and D2C_EXPORT_PREFIX hold no unusual characters.",
    "RegionDisabledException": "Activate STS for this region in the account settings of IAM.",
    "ValidationError": "Set D2C_AWS_SESSION_SECONDS to what the role allows at most (its MaxSessionDuration), or let "
    "it allow more.",
}
_making = threading.Lock()


@dataclass(frozen=True)
class TemporaryCredentials:
    """Credentials of a role that last until a moment; the text form holds no secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime


class WebIdentity:
    """The app's identity in Microsoft Entra ID, which takes on roles of AWS.

    Args:
        sts: boto3's ``sts`` client of a region, which signs nothing.
        credential: azure-identity's.
        audience: the App ID URI that tokens are made out to.
    """

    def __init__(self, sts: Any, credential: TokenCredential, audience: str) -> None:
        self._sts = sts
        self._credential = credential
        self._audience = audience

    def take_on(
        self, role_arn: str, *, session_name: str, seconds: int, policy: Mapping[str, Any] | None = None
    ) -> TemporaryCredentials:
        """Return new credentials of a role.

        Args:
            role_arn: the role.
            session_name: what CloudTrail calls the session: 2 to 64 letters, digits or any of ``_+=,.@-``.
            seconds: how long they last, 900 or more and not more than the role allows.
            policy: what they allow of what the role does; all of it if None.

        Raises:
            PermanentError: with the role, the audience and what to do; never with the token.
            TransientError: if a service did not answer as it should.
        """
        token = self._token(role_arn)
        arguments = {"Policy": json.dumps(policy, separators=(",", ":"))} if policy else {}
        with aws_errors(f"AWS role {role_arn}"):
            try:
                answer = self._sts.assume_role_with_web_identity(
                    RoleArn=role_arn,
                    RoleSessionName=session_name,
                    WebIdentityToken=token,
                    DurationSeconds=seconds,
                    **arguments,
                )
            except ClientError as error:
                told = error.response["Error"]
                if told.get("Code") not in NEXT_STEPS:
                    raise
                raise PermanentError(
                    f"AWS role {role_arn}: {ACTION} answered {told['Code']}: "
                    f"{without_secrets(told.get('Message', ''))} The app's token has {_described(token)}.",
                    NEXT_STEPS[told["Code"]],
                    title="AWS did not let the app take on its role",
                ) from error
        found = answer["Credentials"]
        return TemporaryCredentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"]
        )

    def _token(self, role_arn: str) -> str:
        thing = f"AWS role {role_arn}: a token of Microsoft Entra ID for the audience {self._audience}"
        with azure_errors(thing):
            try:
                return self._credential.get_token(f"{self._audience}/.default").token
            except ClientAuthenticationError as error:
                raise PermanentError(
                    f"{thing} was not given: {_cause(error)}",
                    "Check that the app has a managed identity, that an app registration of its tenant has this App "
                    "ID URI, and that the identity is assigned to it (docs/install/aws.md).",
                    title="The app has no token for AWS",
                ) from error


class _RoleCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]
    """Credentials that botocore asks for before they are first used, and again before they expire."""

    def __init__(self, identity: WebIdentity, role_arn: str, session_name: str, seconds: int) -> None:
        def take_on() -> dict[str, str]:
            found = identity.take_on(role_arn, session_name=session_name, seconds=seconds)
            return {
                "access_key": found.access_key_id,
                "secret_key": found.secret_access_key,
                "token": found.session_token,
                "expiry_time": found.expires_at.isoformat(),
            }

        super().__init__(take_on, "assume-role-with-web-identity")
        self._advisory_refresh_timeout = min(RENEW_BEFORE_SECONDS, seconds // 4)
        self._mandatory_refresh_timeout = min(MUST_RENEW_BEFORE_SECONDS, seconds // 6)


def aws_client(settings: Settings, service: str, account: str | None, region: str) -> Any:
    """Return boto3's client of a service in a region of an account.

    Args:
        settings: the app's.
        service: its name in boto3.
        account: its 12 digits, or None for that of plans that name none.
        region: the AWS region.

    Raises:
        SettingsError: if roles are taken on, and none is set for it.
    """
    session = _session(settings, settings.aws.role(account, region), region)
    with _making:
        return session.client(service, region_name=region, config=SDK_CONFIG)


def web_identity(settings: Settings, region: str) -> WebIdentity:
    """Return the app's identity as STS of a region sees it."""
    return WebIdentity(_sts(region), azure_credential(), settings.aws.token_audience)


@connected_once
def _session(settings: Settings, role_arn: str | None, region: str) -> boto3.Session:
    """Return the session of a role in a region, with credentials of its own; without a role, boto3's ordinary one."""
    if role_arn is None:
        return boto3.Session()
    base = botocore.session.get_session()
    # botocore has no other way in.
    base._credentials = _RoleCredentials(
        web_identity(settings, region),
        role_arn,
        "-".join(filter(None, ("d2c", settings.aws.app_name))),
        min(APP_SESSION_SECONDS, settings.aws.longest_session_seconds),
    )
    return boto3.Session(botocore_session=base)


@connected_once
def _sts(region: str) -> Any:
    """Return STS of a region: its global endpoint is far from most apps, and of one region only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    base = botocore.session.get_session()
    base.set_config_variable("sts_regional_endpoints", "regional")
    config = SDK_CONFIG.merge(Config(signature_version=UNSIGNED))
    return boto3.Session(botocore_session=base).client("sts", region_name=region, config=config)


def _described(token: str) -> str:
    """Say whom a token is of: issuer, audience and subject, which AWS compares and which are no secrets."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return f"the issuer {claims['iss']}, the audience {claims['aud']} and the subject {claims['sub']}"
    except (IndexError, KeyError, TypeError, ValueError):
        return "no claims that can be read"


def _cause(error: ClientAuthenticationError) -> str:
    """Return the line that says why there is no token: a chain of credentials tells of each that it tried."""
    lines = [line.strip() for line in str(error.message or error).splitlines() if line.strip()]
    of_identity = (line for line in lines if line.startswith("ManagedIdentityCredential:"))
    return without_secrets(next(of_identity, None) or (lines or ["no reason was given"])[0])


def aws_caller(settings: Settings, account: str | None, region: str) -> str:
    """Return the ARN of the app's AWS identity; the call needs no right.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

    Args:
        settings: the app's.
        account: its 12 digits, or None for that of plans that name none.
        region: the AWS region.
    """
    with aws_errors(f"AWS identity in {region}"):
        return str(aws_client(settings, "sts", account, region).get_caller_identity()["Arn"])
