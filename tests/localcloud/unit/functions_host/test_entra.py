import asyncio

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

from localcloud.common.names import APP_OBJECT_ID, TENANT_ID, TOKEN_AUDIENCE
from localcloud.functions_host.entra import (
    HEADER,
    ISSUER,
    SIGNING_KEY,
    TOKEN_PATH,
    add_token_endpoint,
    new_signing_key,
    public_keys,
)

KEY = new_signing_key()


@pytest.fixture
async def endpoint(monkeypatch):
    monkeypatch.setenv(SIGNING_KEY, KEY)
    monkeypatch.setenv(HEADER, "the header's secret")
    app = web.Application()
    add_token_endpoint(app.router)
    async with TestServer(app) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url(TOKEN_PATH)))
        yield server


async def token_for(audience, **arguments):
    credential = ManagedIdentityCredential(**arguments)
    return await asyncio.to_thread(credential.get_token, f"{audience}/.default")


async def test_azure_identity_gets_a_version_1_token_of_the_apps_identity(endpoint):
    token = (await token_for(TOKEN_AUDIENCE)).token
    (key,) = public_keys(KEY)[ISSUER]["keys"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    claims = jwt.decode(token, jwt.PyJWK(key), ["RS256"], audience=TOKEN_AUDIENCE)
    assert (claims["iss"], claims["ver"]) == (f"https://sts.windows.net/{TENANT_ID}/", "1.0")
    assert claims["sub"] == claims["oid"] == APP_OBJECT_ID


async def test_an_audience_that_no_app_registration_has_is_refused_as_entra_does(endpoint):
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS500011.*api://other"):
        await token_for("api://other")


async def test_whoever_does_not_know_the_header_gets_no_token(endpoint, monkeypatch):
    monkeypatch.setenv(HEADER, "another")
    with pytest.raises(ClientAuthenticationError, match="X-IDENTITY-HEADER"):
        await token_for(TOKEN_AUDIENCE)


async def test_a_user_assigned_identity_is_refused_by_name(endpoint):
    with pytest.raises(ClientAuthenticationError, match="the app's one identity"):
        await token_for(TOKEN_AUDIENCE, client_id="11111111-2222-3333-4444-555555555555")


def test_a_host_without_a_key_gives_no_tokens(monkeypatch):
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    app = web.Application()
    add_token_endpoint(app.router)
    assert not list(app.router.resources())
