"""The data plane with tokens instead of a key: who calls, and what the roles of the deployment let them do."""

import json
import time
from contextlib import contextmanager

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.cosmos import CosmosClient, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError
from azure.identity import ManagedIdentityCredential

from d2c.clients.azure.cosmos.data_plane import has_documents, try_reading_account
from d2c.errors import PermanentError
from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.certificates import make_certificates
from localcloud.common.names import COSMOS_ACCOUNT, TENANT_ID
from localcloud.common.principals import APP, DEPLOYER, FACTORY, PRINCIPALS, SPARK
from localcloud.cosmos.data_plane.rights import (
    CREATE,
    DELETE,
    FEED,
    METADATA,
    QUERY,
    READ,
    REPLACE,
    ROLES,
    UPSERT,
)
from localcloud.entra.server import IDENTITY_PATH
from localcloud.entra.tokens import issue_token, new_signing_key, public_keys
from tests.localcloud.contract.cosmos_account import CosmosAccount

# Azure's SDK for Python checks no certificate of this machine.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
SIGNING_KEY = new_signing_key()
AUDIENCE = "https://cosmos.azure.com"
CREDENTIALS = {principal.client_id: f"the secret of {principal.client_id}" for principal in PRINCIPALS}
ITEM = {"id": "1", "pk": "a"}


class Fixed:
    """A credential with one token."""

    def __init__(self, token):
        self._token = token

    def get_token(self, *_, **__):
        return AccessToken(self._token, 2**31)

    def get_token_info(self, *_, **__):
        return AccessTokenInfo(self._token, 2**31)


def signed(caller=SPARK, audience=AUDIENCE, key=SIGNING_KEY, **claims):
    return Fixed(issue_token(key, audience, caller, **claims))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def assignments(tmp_path_factory):
    """The file with who may do what."""
    file = tmp_path_factory.mktemp("assignments") / "assignments.json"
    assign(file, (SPARK, ROLES["dataContributor"], "/"))
    return file


@pytest.fixture(scope="module")
def account(tmp_path_factory, certificates, assignments):
    environment = {
        "LOCALCLOUD_TOKEN_KEYS": json.dumps(public_keys(SIGNING_KEY)),
        **certificates.server_environment(),
    }
    running = CosmosAccount(
        tmp_path_factory.mktemp("cosmos"),
        ["--assignments", str(assignments)],
        environment,
        str(certificates.authority),
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def known(account):
    """The names of a container with one item."""
    database = account.database()
    database.create_container("c", PartitionKey("/pk")).create_item(ITEM)
    database.create_container("other", PartitionKey("/pk")).create_item(ITEM)
    return database.id, "c"


def assign(file, *rows):
    content = [
        {"object_id": who.object_id, "actions": list(what), "scope": scope} for who, what, scope in rows
    ]
    file.write_text(json.dumps(content))


@contextmanager
def assigned(file, *rows):
    """Let principals do other things for as long as the context lasts."""
    before = file.read_text()
    assign(file, *rows)
    yield
    file.write_text(before)


def client_of(account, credential):
    return CosmosClient(account.url, credential, retry_total=0, connection_timeout=10)


def container_of(account, credential, known):
    database, container = known
    return client_of(account, credential).get_database_client(database).get_container_client(container)


def refusal(call):
    with pytest.raises(CosmosHttpResponseError) as refused:
        call()
    return refused.value


CALLS = {
    "create": (lambda one: one.create_item({"id": "2", "pk": "b"}), CREATE),
    "upsert": (lambda one: one.upsert_item(ITEM), UPSERT),
    "replace": (lambda one: one.replace_item("1", ITEM), REPLACE),
    "patch": (lambda one: one.patch_item("1", "a", [{"op": "set", "path": "/x", "value": 1}]), REPLACE),
    "read": (lambda one: one.read_item("1", "a"), READ),
    "query": (lambda one: list(one.query_items("SELECT * FROM c", partition_key="a")), QUERY),
    "list": (lambda one: list(one.read_all_items()), FEED),
    "change feed": (lambda one: list(one.query_items_change_feed(start_time="Beginning")), FEED),
    "batch": (lambda one: one.execute_item_batch([("upsert", (ITEM,))], "a"), UPSERT),
    "container": (lambda one: one.read(), METADATA),
    # The last one, since it takes the item away.
    "delete": (lambda one: one.delete_item("1", "a"), DELETE),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_call_needs_its_action_and_is_refused_without_it_by_name(account, known, assignments, name):
    call, action = CALLS[name]
    every = (METADATA, CREATE, READ, REPLACE, UPSERT, DELETE, QUERY, FEED)
    one = container_of(account, signed(), known)
    with assigned(assignments, (SPARK, [each for each in every if each != action], "/")):
        refused = refusal(lambda: call(one))
    assert (refused.status_code, refused.sub_status) == (403, 5301 if action == METADATA else 5302)
    for words in (
        f"Request blocked by Auth {COSMOS_ACCOUNT}",
        f"principal [{SPARK.object_id}] does not have required RBAC permissions",
        f"action [{action}] on resource [dbs/{known[0]}/colls/c]",
    ):
        assert words in refused.message
    call(one)


@pytest.mark.parametrize(
    ("credential", "sub_status", "words"),
    [
        (signed(audience="https://storage.azure.com"), 5008, "is intended for [https://storage.azure.com]"),
        (
            signed(iss="https://sts.windows.net/another/"),
            5007,
            f"[another] which is not trusted.*{TENANT_ID}",
        ),
        (signed(exp=int(time.time()) - 60), 5006, "has been expired since .* Please refresh the AAD token"),
        (signed(key=new_signing_key()), 5003, "is not valid"),
        (Fixed("no token at all"), 5003, "is not valid"),
    ],
)
def test_a_token_that_is_not_accepted_is_refused_with_what_is_wrong(account, credential, sub_status, words):
    with pytest.raises(CosmosHttpResponseError, match=words.replace("[", r"\[")) as refused:
        client_of(account, credential)
    assert (refused.value.status_code, refused.value.sub_status) == (401, sub_status)


def test_rights_to_one_container_are_none_to_another(account, known, assignments):
    database, container = known
    scope = f"/dbs/{database}/colls/{container}"
    with assigned(assignments, (SPARK, ROLES["dataContributor"], scope)):
        container_of(account, signed(), known).upsert_item(ITEM)
        other = container_of(account, signed(), (database, "other"))
        refused = refusal(lambda: other.read_item("1", "a"))
    assert f"on resource [dbs/{database}/colls/other]" in refused.message
    # A name that only begins alike is another one, too.
    with assigned(assignments, (SPARK, ROLES["dataContributor"], scope[:-1])):
        assert refusal(lambda: container_of(account, signed(), known).read_item("1", "a")).status_code == 403


def test_rights_to_a_database_are_rights_to_its_containers_alone(account, known, assignments):
    with assigned(assignments, (SPARK, ROLES["dataContributor"], f"/dbs/{known[0]}")):
        container_of(account, signed(), known).upsert_item(ITEM)
        refused = refusal(lambda: list(client_of(account, signed()).list_databases()))
    assert f"action [{METADATA}] on resource [/]" in refused.message


def test_no_role_lets_a_token_do_what_the_management_plane_does(account, known):
    client = client_of(account, signed())
    database = client.get_database_client(known[0])
    for call, request in (
        (lambda: client.create_database("new"), "POST /dbs"),
        (lambda: database.create_container("new", PartitionKey("/pk")), f"POST /dbs/{known[0]}/colls"),
        (lambda: database.delete_container("c"), f"DELETE /dbs/{known[0]}/colls/c"),
        (lambda: container_of(account, signed(), known).get_throughput(), "POST /offers"),
    ):
        refused = refusal(call)
        assert (refused.status_code, refused.sub_status) == (403, 5300)
        assert f"request [{request}] cannot be authorized by AAD token in data plane" in refused.message


@pytest.mark.parametrize("caller", [APP, DEPLOYER, FACTORY])
def test_whoever_has_no_role_reads_not_even_the_accounts_properties(account, caller):
    refused = refusal(lambda: client_of(account, signed(caller)))
    assert f"principal [{caller.object_id}]" in refused.message
    assert f"action [{METADATA}] on resource [/]" in refused.message


def test_the_app_finds_documents_by_its_role_and_may_not_write_any(account, known, assignments):
    with assigned(assignments, (APP, ROLES["dataReader"], "/")):
        client = client_of(account, signed(APP))
        try_reading_account(client, account.url)
        assert has_documents(client, *known, {"pk": "a"})
        refused = refusal(lambda: container_of(account, signed(APP), known).upsert_item(ITEM))
    assert f"action [{UPSERT}]" in refused.message


def test_the_app_says_who_lacks_which_action_on_which_container(account, known, assignments):
    with assigned(assignments, (APP, (METADATA,), "/")), pytest.raises(PermanentError) as refused:
        has_documents(client_of(account, signed(APP)), *known, {})
    for words in (f"object id {APP.object_id}", f"[{QUERY}]", f"[dbs/{known[0]}/colls/c]", "permissions.md"):
        assert words in str(refused.value)


def test_a_managed_identity_signs_in_through_azure_identity(
    account, known, certificates, tmp_path, monkeypatch
):
    environment = {
        "LOCALCLOUD_TOKEN_SIGNING_KEY": SIGNING_KEY,
        "LOCALCLOUD_CREDENTIALS": json.dumps(CREDENTIALS),
        **certificates.server_environment(),
    }
    entra = start_service("entra", tmp_path, environment=environment)
    try:
        for name, value in certificates.trust_environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("IDENTITY_ENDPOINT", entra.url + IDENTITY_PATH)
        monkeypatch.setenv("IDENTITY_HEADER", CREDENTIALS[SPARK.client_id])
        # The SDK asks for a token to the account's address first, which Entra ID does not know here.
        one = container_of(account, ManagedIdentityCredential(client_id=SPARK.client_id), known)
        assert one.upsert_item(ITEM)["id"] == "1"
    finally:
        stop_service(entra)


def test_the_actions_that_were_asked_for_are_remembered(account, known):
    container_of(account, signed(), known).upsert_item(ITEM)
    asked = account.http.get("/_localcloud/actions").json()["actions"]
    assert {"object_id": SPARK.object_id, "action": UPSERT, "allowed": True} in asked


def test_the_key_stays_an_alternative(account, known):
    assert account.client().get_database_client(known[0]).get_container_client("other").read_item("1", "a")
