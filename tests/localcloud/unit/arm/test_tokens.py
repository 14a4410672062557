import time

import jwt
import pytest

from localcloud.arm.errors import ArmError
from localcloud.arm.tokens import Tokens
from localcloud.cloud.identity import management_token
from localcloud.common.principals import APP
from localcloud.entra.tokens import new_signing_key, public_keys

KEY, ANOTHER = new_signing_key(), new_signing_key()
TOKENS = Tokens(public_keys(KEY))
OTHER_TENANT = "https://sts.windows.net/another/"


def test_a_token_tells_who_calls():
    assert TOKENS.caller(f"Bearer {management_token(KEY, APP)}") == APP


@pytest.mark.parametrize(
    ("header", "code", "words"),
    [
        ("", "AuthenticationFailed", "header is missing"),
        (f"Basic {management_token(KEY, APP)}", "InvalidAuthenticationToken", "is invalid"),
        ("Bearer any text", "InvalidAuthenticationToken", "is invalid"),
        (f"Bearer {management_token(ANOTHER, APP)}", "InvalidAuthenticationToken", "is invalid"),
        (
            f"Bearer {management_token(KEY, APP, iss=OTHER_TENANT)}",
            "InvalidAuthenticationTokenTenant",
            f"wrong issuer '{OTHER_TENANT}'",
        ),
        (
            f"Bearer {management_token(KEY, APP, aud='https://vault.azure.net')}",
            "InvalidAuthenticationTokenAudience",
            "'https://vault.azure.net'",
        ),
        (
            f"Bearer {management_token(KEY, APP, exp=int(time.time()) - 60)}",
            "ExpiredAuthenticationToken",
            "is earlier than current UTC time",
        ),
    ],
)
def test_a_token_that_is_not_accepted_is_refused_with_what_is_wrong(header, code, words):
    with pytest.raises(ArmError, match=words) as refused:
        TOKENS.caller(header)
    assert (refused.value.status, refused.value.code) == (401, code)


def test_a_token_without_a_signature_is_not_accepted():
    claims = jwt.decode(management_token(KEY, APP), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none", {"kid": "local"})
    with pytest.raises(ArmError, match="is invalid"):
        TOKENS.caller(f"Bearer {unsigned}")
