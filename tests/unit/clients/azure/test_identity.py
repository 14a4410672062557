from urllib.parse import quote

import pytest

from d2c.clients.azure.identity import AppIdentity, name_in_headers, name_in_token
from tests.unit.clients.outside import IDENTITY, TENANT, SignedIn, token


def test_a_token_tells_whom_it_is_for():
    assert name_in_token(token()) == IDENTITY


def test_a_token_of_version_2_has_another_claim_for_the_client_id():
    claims = token(appid="", azp="44444444-aaaa-4bbb-8ccc-000000000004")
    assert f"tenant {TENANT}" in name_in_token(claims)


@pytest.mark.parametrize("text", ["", "dapi0123", "a.b.c", "a.W10.c", "a.bnVsbA.c", "a.MQ.c"])
def test_what_is_no_token_of_entra_tells_nothing(text):
    assert name_in_token(text) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {token()}"},
        {"authorization": quote(f"type=aad&ver=1.0&sig={token()}", safe="")},
    ],
)
def test_a_request_tells_who_made_it(headers):
    assert name_in_headers(headers) == IDENTITY


@pytest.mark.parametrize("headers", [{}, {"Authorization": "SharedKey account:c2VjcmV0"}])
def test_a_request_with_a_key_or_without_anything_has_no_name(headers):
    assert name_in_headers(headers) == ""


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_the_app_knows_its_own_name_once_it_has_signed_in(method):
    identity = AppIdentity(SignedIn)
    assert identity.name == ""
    assert getattr(identity, method)("scope/.default").token == token()
    assert identity.name == IDENTITY
