import asyncio

import jwt
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

from localcloud.common.names import TENANT_ID, TOKEN_AUDIENCE
from localcloud.common.principals import APP, PRINCIPALS, SPARK
from localcloud.entra.server import IDENTITY_PATH, RESOURCES, Entra
from localcloud.entra.tokens import ISSUER, TokenChecks, new_signing_key, public_keys

KEY = new_signing_key()
CREDENTIALS = {principal.client_id: f"the secret of {principal.client_id}" for principal in PRINCIPALS}
COSMOS = "https://cosmos.azure.com"
LOGIN = {
    "grant_type": "client_credentials",
    "client_id": SPARK.client_id,
    "client_secret": CREDENTIALS[SPARK.client_id],
    "scope": f"{COSMOS}/.default",
}


@pytest.fixture
async def tenant(monkeypatch):
    async with TestServer(Entra(KEY, CREDENTIALS).application()) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url(IDENTITY_PATH)))
        monkeypatch.setenv("IDENTITY_HEADER", CREDENTIALS[APP.client_id])
        yield server


async def token_for(audience, **arguments):
    credential = ManagedIdentityCredential(**arguments)
    return await asyncio.to_thread(credential.get_token, f"{audience}/.default")


async def logged_in(server, tenant=TENANT_ID, **changes):
    """Log in as a service principal, and return the answer's status and content."""
    url = server.make_url(f"/{tenant}/oauth2/v2.0/token")
    async with ClientSession() as session, session.post(url, data={**LOGIN, **changes}) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("identity", [{}, {"client_id": APP.client_id}])
async def test_azure_identity_gets_a_version_1_token_of_a_managed_identity(identity, tenant):
    token = (await token_for(TOKEN_AUDIENCE, **identity)).token
    (key,) = public_keys(KEY)[ISSUER]["keys"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    claims = jwt.decode(token, jwt.PyJWK(key), ["RS256"], audience=TOKEN_AUDIENCE)
    assert (claims["iss"], claims["ver"]) == (f"https://sts.windows.net/{TENANT_ID}/", "1.0")
    assert claims["sub"] == claims["oid"] == APP.object_id
    assert claims["appid"] == APP.client_id


@pytest.mark.parametrize("resource", RESOURCES)
async def test_each_service_accepts_the_tokens_made_out_to_it_and_no_others(resource, tenant):
    token = (await token_for(resource)).token
    assert TokenChecks(public_keys(KEY), [resource]).caller(token) == APP


async def test_an_audience_that_no_app_registration_has_is_refused_as_entra_does(tenant):
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS500011.*api://other"):
        await token_for("api://other")


async def test_whoever_does_not_know_the_header_gets_no_token(tenant, monkeypatch):
    monkeypatch.setenv("IDENTITY_HEADER", "another")
    with pytest.raises(ClientAuthenticationError, match="X-IDENTITY-HEADER"):
        await token_for(TOKEN_AUDIENCE)


async def test_an_identity_that_is_not_assigned_is_refused_by_name(tenant):
    with pytest.raises(ClientAuthenticationError, match=f"No User Assigned.*{SPARK.client_id}"):
        await token_for(TOKEN_AUDIENCE, client_id=SPARK.client_id)


async def test_a_service_principal_gets_a_token_for_its_secret(tenant):
    status, content = await logged_in(tenant)
    assert (status, content["token_type"]) == (200, "Bearer")
    assert TokenChecks(public_keys(KEY), [COSMOS]).caller(content["access_token"]) == SPARK


@pytest.mark.parametrize(
    ("changes", "status", "number"),
    [
        ({"tenant": "another"}, 400, "AADSTS90002"),
        ({"client_id": "unknown"}, 400, "AADSTS700016"),
        ({"client_secret": "wrong"}, 401, "AADSTS7000215"),
        ({"client_secret": CREDENTIALS[APP.client_id]}, 401, "AADSTS7000215"),
        ({"scope": "https://other.example.com/.default"}, 400, "AADSTS500011"),
        ({"grant_type": "password"}, 400, "AADSTS70003"),
    ],
)
async def test_a_login_that_entra_refuses_is_refused_with_its_number(changes, status, number, tenant):
    found, content = await logged_in(tenant, **changes)
    assert found == status
    assert content["error_description"].startswith(f"{number}: ")
