"""STS: roles for tokens of Microsoft Entra ID, checked as AWS checks them.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import jwt

from localcloud.aws.errors import RefusedError
from localcloud.aws.iam.policies import PolicyError, allows, check_policy
from localcloud.aws.iam.sessions import Session, Sessions
from localcloud.aws.iam.stack import Account, Role

ACTION = "sts:AssumeRoleWithWebIdentity"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
SHORTEST_SECONDS, LONGEST_SECONDS, DEFAULT_SECONDS = 900, 43_200, 3600
MOST_POLICY_CHARACTERS = 2048
PARAMETERS = frozenset(
    ("Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds", "Policy")
)


class Sts:
    """Gives credentials of roles for tokens.

    Args:
        accounts: by their numbers.
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
        sessions: gives the credentials out.
    """

    def __init__(self, accounts: Mapping[str, Account], keys: Mapping[str, Any], sessions: Sessions) -> None:
        self._accounts = accounts
        self._keys = keys
        self._sessions = sessions

    def assume_role_with_web_identity(self, request: Mapping[str, str]) -> str:
        """Answer AssumeRoleWithWebIdentity; the result is XML.

        Raises:
            RefusedError: as STS refuses it.
        """
        unknown = request.keys() - PARAMETERS
        if unknown:
            raise RefusedError(
                "ValidationError", f"{', '.join(sorted(unknown))}: not there in the local cloud"
            )
        role_arn, name = request.get("RoleArn", ""), request.get("RoleSessionName", "")
        if not SESSION_NAME.fullmatch(name):
            raise RefusedError(
                "ValidationError", f"1 validation error detected: Value '{name}' at 'roleSessionName'"
            )
        account = self._accounts.get(role_arn.split(":")[4] if role_arn.count(":") >= 5 else "")
        claims = self._claims(request.get("WebIdentityToken", ""), account)
        role = account.roles.get(role_arn) if account else None
        if role is None or not _trusts(role, claims):
            raise RefusedError("AccessDenied", f"Not authorized to perform {ACTION}", 403)
        policy = _session_policy(request.get("Policy"))
        seconds = _seconds(request, role)
        session = Session(role_arn, name, policy)
        return _answer(session, claims, self._sessions.issue(session, seconds))

    def _claims(self, token: str, account: Account | None) -> dict[str, Any]:
        """Check a token's issuer, audience, signature and time, and return what it says."""
        try:
            unchecked = jwt.decode(token, options={"verify_signature": False})
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise RefusedError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from error
        issuer = str(unchecked.get("iss"))
        audiences = account.audiences.get(issuer) if account else None
        if audiences is None:
            raise RefusedError(
                "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}"
            )
        if unchecked.get("aud") not in audiences:
            raise RefusedError("InvalidIdentityToken", "Incorrect token audience")
        keys = [key for key in self._keys.get(issuer, {}).get("keys", ()) if key["kid"] == key_id]
        if not keys:
            raise RefusedError(
                "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider"
            )
        try:
            claims: dict[str, Any] = jwt.decode(token, jwt.PyJWK(keys[0]), ["RS256"], audience=audiences)
        except jwt.ExpiredSignatureError as error:
            now, end = int(time.time()), unchecked["exp"]
            raise RefusedError(
                "ExpiredTokenException",
                f"Token expired: current date/time {now} must be before the expiration date/time {end}",
            ) from error
        except jwt.InvalidTokenError as error:
            raise RefusedError(
                "InvalidIdentityToken", "The token's signature or time is not valid."
            ) from error
        return claims


def caller_identity(session: Session) -> str:
    """Return the answer to GetCallerIdentity, which everybody may ask for; the result is XML."""
    identity = (
        f"<Arn>{session.arn}</Arn><UserId>AROALOCALLOCALLOCAL00:{session.name}</UserId>"
        f"<Account>{session.account}</Account>"
    )
    return (
        f'<GetCallerIdentityResponse xmlns="{NAMESPACE}"><GetCallerIdentityResult>{identity}'
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def _trusts(role: Role, claims: Mapping[str, Any]) -> bool:
    issuer = claims["iss"].removeprefix("https://")
    context = {f"{issuer}:{name}": str(claims[name]) for name in ("aud", "sub")}
    federated = f"arn:aws:iam::{role.arn.split(':')[4]}:oidc-provider/{issuer}"
    statements = [one for one in role.trust["Statement"] if one["Principal"] == {"Federated": federated}]
    return allows([{"Statement": statements}], ACTION, "*", context)


def _session_policy(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    if len(text) > MOST_POLICY_CHARACTERS:
        raise RefusedError(
            "PackedPolicyTooLarge", f"Serialized token too large for session: {len(text)} characters"
        )
    try:
        policy: dict[str, Any] = json.loads(text)
        check_policy(policy)
    except (PolicyError, ValueError) as error:
        raise RefusedError("MalformedPolicyDocument", f"The policy is not valid here: {error}") from error
    return policy


def _seconds(request: Mapping[str, str], role: Role) -> int:
    seconds = int(request.get("DurationSeconds", DEFAULT_SECONDS))
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise RefusedError(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint",
        )
    if seconds > role.longest_session_seconds:
        raise RefusedError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return seconds


def _answer(session: Session, claims: Mapping[str, Any], credentials: Mapping[str, Any]) -> str:
    given = "".join(
        f"<{name}>{value.strftime('%Y-%m-%dT%H:%M:%SZ') if name == 'Expiration' else value}</{name}>"
        for name, value in credentials.items()
    )
    return (
        f'<AssumeRoleWithWebIdentityResponse xmlns="{NAMESPACE}"><AssumeRoleWithWebIdentityResult>'
        f"<Credentials>{given}</Credentials>"
        f"<SubjectFromWebIdentityToken>{claims['sub']}</SubjectFromWebIdentityToken>"
        f"<AssumedRoleUser><Arn>{session.arn}</Arn>"
        f"<AssumedRoleId>AROALOCALLOCALLOCAL00:{session.name}</AssumedRoleId></AssumedRoleUser>"
        f"<Provider>{claims['iss']}</Provider><Audience>{claims['aud']}</Audience>"
        "</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>"
        "</AssumeRoleWithWebIdentityResponse>"
    )
