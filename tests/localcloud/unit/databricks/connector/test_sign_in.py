import asyncio
import ssl

import pytest
from aiohttp.test_utils import TestServer

from localcloud.common.certificates import make_certificates
from localcloud.common.names import TENANT_ID
from localcloud.common.principals import PRINCIPALS, SPARK
from localcloud.cosmos.data_plane.tokens import Tokens
from localcloud.databricks.connector.errors import OptionError
from localcloud.databricks.connector.sign_in import AUTHORITY, KeptTokens, ServicePrincipal, trust
from localcloud.entra.server import Entra
from localcloud.entra.tokens import new_signing_key, public_keys

KEY = new_signing_key()
CREDENTIALS = {principal.client_id: f"the secret of {principal.client_id}" for principal in PRINCIPALS}
CALL = ("GET", ["dbs"], "any date")


@pytest.fixture
async def tenant(tmp_path, monkeypatch):
    certificates = make_certificates(tmp_path)
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(certificates.server)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    trust.cache_clear()
    server = TestServer(Entra(KEY, CREDENTIALS).application(), scheme="https")
    await server.start_server(ssl=shown)
    monkeypatch.setenv(AUTHORITY, str(server.make_url("/")))
    yield server
    await server.close()
    trust.cache_clear()


def spark(secret=CREDENTIALS[SPARK.client_id]):
    return ServicePrincipal(TENANT_ID, SPARK.client_id, secret)


async def header(principal):
    return await asyncio.to_thread(principal.header, *CALL)


async def test_a_service_principal_brings_a_token_that_cosmos_db_takes(tenant):
    assert Tokens(public_keys(KEY)).caller(await header(spark())) == SPARK


def test_a_token_is_asked_for_once_until_it_is_about_to_end():
    tokens, now = iter(("first", "second")), [0.0]
    kept = KeptTokens(lambda _: (next(tokens), 3600), lambda: now[0])
    found = []
    for now[0] in (1.0, 3299.0, 3302.0, 3303.0):
        found.append(kept.token(spark()))
    assert found == ["first", "first", "second", "second"]


async def test_a_wrong_secret_is_told_with_the_identity_and_entras_words_and_without_the_secret(tenant):
    with pytest.raises(OptionError, match=f"{SPARK.client_id}: AADSTS7000215") as refused:
        await header(spark("not-the-secret"))
    assert "not-the-secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:9", "entra"])
def test_without_an_address_of_entra_id_by_https_no_secret_is_sent(address, monkeypatch):
    monkeypatch.setenv(AUTHORITY, address)
    with pytest.raises(OptionError, match=f"set {AUTHORITY}"):
        spark("another secret").header(*CALL)
