"""Signing in to AWS: with a token of Microsoft Entra ID and no key, or with boto3's default credentials.

The app's managed identity gets a token for the audience of AWS, and STS exchanges it for credentials of a role that
last an hour or less; botocore renews them before they expire, however long a migration takes.
https://aws.amazon.com/blogs/security/how-to-access-aws-resources-from-microsoft-entra-id-tenants-using-aws-security-token-service/
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
import botocore.session
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.aws.errors import aws_errors
from d2c.clients.azure.identity import claims_of
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.connections import connected_once
from d2c.errors import PermanentError
from d2c.redaction import without_secrets

SDK_CONFIG = Config(**retries.AWS)
IdentityOf = Callable[[Settings, str], "WebIdentity"]
ACTION = "sts:AssumeRoleWithWebIdentity"
# The app's own sessions are renewed, so they need not live long.
APP_SESSION_SECONDS = 3600
# botocore's own times, which are longer than the shortest session.
RENEW_BEFORE_SECONDS, MUST_RENEW_BEFORE_SECONDS = 900, 600

# Next steps by STS error code; "ValidationError" is also its response to a session that is too long.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
NEXT_STEPS = {
    "AccessDenied": "Allow this audience and subject in the role's trust policy (docs/install/aws.md), and check "
    "the role's name in D2C_AWS_ROLES.",
    "InvalidIdentityToken": "Create an IAM identity provider for this issuer and audience in the role's account; if "
    "there is one, check that it is for this tenant and D2C_AWS_TOKEN_AUDIENCE is its audience (docs/install/aws.md).",
    "IDPRejectedClaim": "Check that the app's managed identity still exists and is assigned to the app registration "
    "(docs/install/aws.md).",
    "ExpiredTokenException": "Try again. If it keeps failing, compare this machine's clock with the message's time.",
    "PackedPolicyTooLarge": "Shorten D2C_EXPORT_PREFIX, the plan's name or the role's session tags.",
    "MalformedPolicyDocument": "Check that D2C_EXPORT_BUCKET and D2C_EXPORT_PREFIX contain no unusual characters.",
    "RegionDisabledException": "Activate STS for this region in the account settings of IAM.",
    "ValidationError": "Set D2C_AWS_SESSION_SECONDS to at most the role's MaxSessionDuration, or "
    "increase that.",
}
_session_lock = threading.Lock()


@dataclass(frozen=True)
class TemporaryCredentials:
    """Temporary credentials of a role; the repr contains no secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime


class WebIdentity:
    """The app's identity in Microsoft Entra ID, which assumes AWS roles.

    Args:
        sts: boto3's ``sts`` client of a region, without request signing.
        credential: azure-identity's.
        audience: the App ID URI that is the audience of the tokens.
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
            session_name: the session's name in CloudTrail: 2 to 64 letters, digits or any of ``_+=,.@-``.
            seconds: their lifetime, from 900 to the role's maximum.
            policy: restricts the permissions of the role; no restriction if None.

        Raises:
            PermanentError: with the role, the audience and the next step; never with the token.
            TransientError: if a service did not respond correctly.
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
                fault = error.response["Error"]
                if fault.get("Code") not in NEXT_STEPS:
                    raise
                raise PermanentError(
                    f"AWS role {role_arn}: {ACTION} answered {fault['Code']}: "
                    f"{without_secrets(fault.get('Message', ''))} The app's token has {_described(token)}.",
                    NEXT_STEPS[fault["Code"]],
                    title="The app cannot assume its AWS role",
                ) from error
        issued = answer["Credentials"]
        return TemporaryCredentials(
            issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"], issued["Expiration"]
        )

    def _token(self, role_arn: str) -> str:
        thing = f"AWS role {role_arn}: a token of Microsoft Entra ID for the audience {self._audience}"
        with azure_errors(thing):
            try:
                return self._credential.get_token(f"{self._audience}/.default").token
            except ClientAuthenticationError as error:
                raise PermanentError(
                    f"{thing} could not be obtained: {_cause(error)}",
                    "Check that the app has a managed identity, that an app registration of its tenant has this App "
                    "ID URI, and that the identity is assigned to it (docs/install/aws.md).",
                    title="The app has no token for AWS",
                ) from error


class _RoleCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]
    """Credentials that botocore requests before first use, and renews before they expire."""

    def __init__(self, identity: WebIdentity, role_arn: str, session_name: str, seconds: int) -> None:
        def take_on() -> dict[str, str]:
            issued = identity.take_on(role_arn, session_name=session_name, seconds=seconds)
            return {
                "access_key": issued.access_key_id,
                "secret_key": issued.secret_access_key,
                "token": issued.session_token,
                "expiry_time": issued.expires_at.isoformat(),
            }

        super().__init__(take_on, "assume-role-with-web-identity")
        self._advisory_refresh_timeout = min(RENEW_BEFORE_SECONDS, seconds // 4)
        self._mandatory_refresh_timeout = min(MUST_RENEW_BEFORE_SECONDS, seconds // 6)


def web_identity(settings: Settings, region: str) -> WebIdentity:
    """Return the app's identity for STS of a region."""
    return WebIdentity(_sts(region), azure_credential(), settings.aws.token_audience)


def aws_client(
    settings: Settings,
    service: str,
    account: str | None,
    region: str,
    identity_of: IdentityOf = web_identity,
) -> Any:
    """Return boto3's client of a service in a region of an account.

    Args:
        settings: the app's.
        service: its name in boto3.
        account: the account's 12 digits, or None for the default account.
        region: the AWS region.
        identity_of: returns the identity that assumes the account's role.

    Raises:
        SettingsError: if the app assumes roles, and none is set for the account.
    """
    session = _session(settings, settings.aws.role(account, region), region, identity_of)
    with _session_lock:
        return session.client(service, region_name=region, config=SDK_CONFIG)


@connected_once
def _session(settings: Settings, role_arn: str | None, region: str, identity_of: IdentityOf) -> boto3.Session:
    """Return the session of a role in a region, with its own credentials; without a role, boto3's default session."""
    if role_arn is None:
        return boto3.Session()
    base = botocore.session.get_session()
    # botocore has no public way to set them.
    base._credentials = _RoleCredentials(
        identity_of(settings, region),
        role_arn,
        "-".join(filter(None, ("d2c", settings.aws.app_name))),
        min(APP_SESSION_SECONDS, settings.aws.longest_session_seconds),
    )
    return boto3.Session(botocore_session=base)


@connected_once
def _sts(region: str) -> Any:
    """Return STS of a region: the global endpoint is in one region only, far from most apps.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    base = botocore.session.get_session()
    base.set_config_variable("sts_regional_endpoints", "regional")
    config = SDK_CONFIG.merge(Config(signature_version=UNSIGNED))
    return boto3.Session(botocore_session=base).client("sts", region_name=region, config=config)


def _described(token: str) -> str:
    """Describe a token: issuer, audience and subject, which AWS compares and which are not secret."""
    claims = claims_of(token)
    if not claims.keys() >= {"iss", "aud", "sub"}:
        return "no readable claims"
    return f"the issuer {claims['iss']}, the audience {claims['aud']} and the subject {claims['sub']}"


def _cause(error: ClientAuthenticationError) -> str:
    """Return the line with the cause: a chain of credentials reports each one that it tried."""
    lines = [line.strip() for line in str(error.message or error).splitlines() if line.strip()]
    of_identity = (line for line in lines if line.startswith("ManagedIdentityCredential:"))
    return without_secrets(next(of_identity, None) or (lines or ["no reason was given"])[0])


def caller_of(sts: BaseClient, region: str) -> str:
    """Return the ARN of the AWS identity that makes the call, which needs no right.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

    Args:
        sts: boto3's ``sts`` client.
        region: its region.
    """
    with aws_errors(f"AWS identity in {region}"):
        return str(sts.get_caller_identity()["Arn"])
