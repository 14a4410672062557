"""What a user reads when Azure refuses: the services' own answers, through their own SDKs."""

import re
from urllib.parse import quote

import pytest
from azure.cosmos import CosmosClient
from azure.identity import ClientSecretCredential
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from azure.storage.blob import ContainerClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.azure.cosmos.data_plane import has_documents
from d2c.clients.azure.cosmos.management import CosmosManagement
from d2c.clients.azure.data_factory import DataFactory
from d2c.clients.azure.lake import Lake
from d2c.clients.azure.refusals import REFUSALS, find_refusal, most_specific_line
from d2c.clients.azure.sign_in import azure_errors
from d2c.clients.databricks.jobs import Databricks
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.http import Answer
from tests.unit.clients.outside import (
    CLAIMS,
    IDENTITY,
    SIGNATURE,
    TENANT,
    SignedIn,
    answer_by_path,
    replace_outside,
    token,
)

CLIENT, OBJECT = CLAIMS["appid"], CLAIMS["oid"]
OTHER_TENANT = "55555555-aaaa-4bbb-8ccc-000000000005"
LAKE = "https://lakeaccount.blob.core.windows.net"
COSMOS = "https://account.documents.azure.com:443/"
SECRET = "client-secret-value"


def storage(status, code, message, **more):
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}\n'
        f"RequestId:66666666-a01e-0000-0000-000000000000\nTime:2026-06-01T00:00:00.0000000Z</Message>{extra}</Error>"
    )
    headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
    return Answer(status, body.encode(), headers)


def arm(status, code, message, **headers):
    return Answer(status, {"error": {"code": code, "message": message}}, headers)


def lacks_role(action, scope):
    return arm(
        403,
        "AuthorizationFailed",
        f"The client '{CLIENT}' with object id '{OBJECT}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def cosmos(status, message, substatus, code="Forbidden"):
    activity = "ActivityId: 00000000-0000-0000-0000-00000000000a, Microsoft.Azure.Documents.Common/2.14.0"
    body = {"code": code, "message": f"{message}\r\n{activity}"}
    return Answer(status, body, {"x-ms-substatus": str(substatus), "x-ms-retry-after-ms": "1"})


def read_lake():
    client = ContainerClient(LAKE, "lake", credential=SignedIn(), retry_total=0)
    Lake(client).read("migrations/m/plan.json")


def start_copy():
    client = DataFactoryManagementClient(SignedIn(), "sub", retry_total=0)
    DataFactory(client, "group", "factory").start_run("copy_export", {"runKey": "k"})


def find_container():
    client = CosmosDBManagementClient(SignedIn(), "sub", retry_total=0)
    CosmosManagement(client, "group", "account").find_container("shop", "music")


def look_for_documents():
    # The client asks for the account when it is made, which is refused before anything else.
    with azure_errors(f"Cosmos DB account at {COSMOS}"):
        client = CosmosClient(COSMOS, SignedIn(), retry_total=0, retry_throttle_total=0)
    has_documents(client, "shop", "music", {})


def start_load():
    config = Config(
        host="https://adb-1.azuredatabricks.net",
        token="dapi-secret",
        auth_type="pat",
        retry_timeout_seconds=1,
    )
    Databricks(WorkspaceClient(config=config)).start_run(
        name="m Music",
        run_key="k",
        notebook_path="/n",
        parameters={},
        cluster={"num_workers": 1},
        libraries=[],
    )


FACTORY = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.DataFactory/factories/factory"
ACCOUNT = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.DocumentDB/databaseAccounts/account"
WRONG_ISSUER = arm(
    401,
    "InvalidAuthenticationTokenTenant",
    f"The access token is from the wrong issuer 'https://sts.windows.net/{OTHER_TENANT}/'. It must match the tenant "
    f"'https://sts.windows.net/{TENANT}/' associated with this subscription. Please use the authority (URL) "
    f"'https://login.windows.net/{TENANT}' to get the token.",
)
# Each: the call, the service's answer, and what the message must hold: identity, action, resource, and the way out.
CASES = {
    "lake: a role without the action": (
        read_lake,
        storage(403, "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission."),
        (IDENTITY, f"GET {LAKE}/lake/migrations/m/plan.json", "lacks the data role", "docs/install/permissions.md"),
    ),
    "lake: a firewall": (
        read_lake,
        storage(403, "AuthorizationFailure", "This request is not authorized to perform this operation."),
        (IDENTITY, f"GET {LAKE}/lake", "network rules", "storage account's firewall"),
    ),
    "lake: a token of another tenant": (
        read_lake,
        storage(401, "InvalidAuthenticationInfo", "Server failed to authenticate the request.",
                AuthenticationErrorDetail="Issuer validation failed. Issuer did not match."),
        (IDENTITY, "Issuer did not match", "from another tenant", "AZURE_TENANT_ID"),
    ),
    "lake: keys are turned off": (
        read_lake,
        storage(403, "KeyBasedAuthenticationNotPermitted",
                "Key based authentication is not permitted on this storage account."),
        ("lake/migrations/m/plan.json", "does not accept keys", "D2C_LAKE__blobServiceUri"),
    ),
    "data factory: a role without the action": (
        start_copy,
        lacks_role("Microsoft.DataFactory/factories/pipelines/createRun/action", f"{FACTORY}/pipelines/copy_export"),
        (CLIENT, OBJECT, "pipelines/createRun/action", FACTORY, "lacks the role", "docs/install/permissions.md"),
    ),
    "data factory: a token of another tenant": (
        start_copy,
        WRONG_ISSUER,
        (IDENTITY, OTHER_TENANT, "data factory factory", "from another tenant", "AZURE_TENANT_ID"),
    ),
    "data factory: a token that has expired": (
        start_copy,
        arm(401, "ExpiredAuthenticationToken",
            "The access token expiry UTC time '6/1/2026 1:00:00 AM' is earlier than current UTC time "
            "'6/1/2026 2:00:00 AM'."),
        (IDENTITY, "POST https://management.azure.com", "has expired", "clock"),
    ),
    "data factory: a token for another service": (
        start_copy,
        arm(401, "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource 'https://vault.azure.net'. It should "
            "exactly match with one of the allowed audiences 'https://management.azure.com'."),
        (IDENTITY, "https://vault.azure.net", "for another service", "D2C_MANAGEMENT_ENDPOINT"),
    ),
    "data factory: a subscription that the identity does not see": (
        start_copy,
        arm(404, "SubscriptionNotFound", "The subscription 'sub' could not be found."),
        (IDENTITY, "'sub'", "cannot see the subscription", "AZURE_SUBSCRIPTION_ID"),
    ),
    "cosmos management: a role without the action": (
        find_container,
        lacks_role("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/read", ACCOUNT),
        (CLIENT, OBJECT, "containers/read", ACCOUNT, "shop/music", "docs/install/permissions.md", "check the names"),
    ),
    "cosmos management: a deny assignment": (
        find_container,
        arm(403, "DenyAssignmentAuthorizationFailed",
            f"The client '{CLIENT}' with object id '{OBJECT}' has permission to perform action 'x' on scope "
            f"'{ACCOUNT}'; however, the access is denied because of the deny assignment with name 'managed'."),
        (CLIENT, "deny assignment", "overrides every role"),
    ),
    "cosmos management: a lock": (
        find_container,
        arm(409, "ScopeLocked", f"The scope '{ACCOUNT}' cannot perform write operation because of locks."),
        (ACCOUNT, "a lock on the resource", "Remove the lock"),
    ),
    "cosmos: a data-plane role without the action": (
        look_for_documents,
        cosmos(403, f"Request blocked by Auth account : Request is blocked because principal [{OBJECT}] does not have "
               "required RBAC permissions to perform action [Microsoft.DocumentDB/databaseAccounts/readMetadata] on "
               "resource [/]. Learn more: https://aka.ms/cosmos-native-rbac.", 5301),
        (OBJECT, "readMetadata", "account.documents.azure.com", "data-plane role", "docs/install/permissions.md"),
    ),
    "cosmos: what no Entra identity may do": (
        look_for_documents,
        cosmos(403, "Request blocked by Auth account : The given request [POST /dbs/shop/colls] cannot be "
               "authorized by AAD token in data plane. Learn more: https://aka.ms/cosmos-native-rbac.", 5300),
        ("POST /dbs/shop/colls", IDENTITY, "management plane"),
    ),
    "cosmos: a token of another tenant": (
        look_for_documents,
        cosmos(401, "Request blocked by Auth account : Provided AAD token was issued by the authority "
               f"[{OTHER_TENANT}] which is not trusted by this database account. Please ensure the token has been "
               f"issued by the AAD tenant(s) [{TENANT}].", 5007, "Unauthorized"),
        (IDENTITY, OTHER_TENANT, "from another tenant", "account.documents.azure.com", "AZURE_TENANT_ID"),
    ),
    "cosmos: a token for another service": (
        look_for_documents,
        cosmos(401, "Request blocked by Auth account : Provided AAD token is intended for [https://storage.azure.com]. "
               "This database account accepts tokens intended for [https://account.documents.azure.com].", 5008,
               "Unauthorized"),
        (IDENTITY, "[https://storage.azure.com]", "for another service", "account.documents.azure.com",
         "D2C_COSMOS_ENDPOINT"),
    ),
    "cosmos: a token that has expired": (
        look_for_documents,
        cosmos(401, "Request blocked by Auth account : Provided AAD token has been expired since "
               "[6/1/2026 5:09:09 PM (UTC)]. Current server time is [6/2/2026 12:04:25 AM (UTC)]. Please refresh the "
               "AAD token.", 5006, "Unauthorized"),
        (IDENTITY, "the token has expired", "account.documents.azure.com", "clock"),
    ),
    "cosmos: a firewall": (
        look_for_documents,
        cosmos(403, "Request originated from IP 203.0.113.7 through public internet. This is blocked by your Cosmos DB "
               "account firewall settings. More info: https://aka.ms/cosmosdb-tsg-forbidden", 0),
        ("203.0.113.7", "network rules", "Cosmos DB account's firewall", IDENTITY),
    ),
    "cosmos: keys are turned off": (
        look_for_documents,
        cosmos(401, "Local Authorization is disabled. Use an AAD token to authorize all requests.", 0, "Unauthorized"),
        ("does not accept keys", "D2C_COSMOS_KEY"),
    ),
    "databricks: a right that is missing": (
        start_load,
        Answer(403, {"error_code": "PERMISSION_DENIED",
                     "message": f"{CLIENT} does not have Can Attach To permission on cluster 0601-1."}),
        (CLIENT, "Can Attach To permission on cluster 0601-1", "Load run m Music", "lacks a permission"),
    ),
    "databricks: an IP access list": (
        start_load,
        Answer(403, {"error_code": "403",
                     "message": "Source IP address: 203.0.113.7 is blocked by Databricks IP ACL for workspace: 1"}),
        ("203.0.113.7", "workspace: 1", "network rules", "IP access list"),
    ),
    "databricks: a token of another tenant": (
        start_load,
        Answer(400, "io.jsonwebtoken.IncorrectClaimException: Expected iss claim to be: "
               f"https://sts.windows.net/{TENANT}/, but was: https://sts.windows.net/{OTHER_TENANT}/.".encode(),
               {"Content-Type": "text/plain"}),
        (OTHER_TENANT, "from another tenant", "AZURE_TENANT_ID"),
    ),
    "databricks: a token that is not one": (
        start_load,
        Answer(403, {"error_code": "403", "message": "Invalid access token."}),
        ("token is not accepted", "DATABRICKS_TOKEN"),
    ),
}  # fmt: skip
THROTTLED = {
    "lake": (read_lake, storage(503, "ServerBusy", "The server is busy."), ("lake/migrations/m/plan.json", "503")),
    "data factory": (
        start_copy,
        arm(429, "SubscriptionRequestsThrottled", "Number of 'write' requests exceeded the limit."),
        (IDENTITY, "createRun", "'write' requests"),
    ),
    "cosmos management": (
        find_container,
        arm(429, "TooManyRequests", "Number of requests exceeded the limit."),
        (IDENTITY, "containers/music", "429"),
    ),
    "cosmos": (
        look_for_documents,
        cosmos(429, "Request rate is large.", 3200, "429"),
        (IDENTITY, "account.documents.azure.com", "Request rate is large"),
    ),
    "databricks": (
        start_load,
        Answer(429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Rate limit reached."}, {"Retry-After": "1"}),
        ("Load run m Music", "Rate limit"),
    ),
}  # fmt: skip


def refused(monkeypatch, call, answer):
    config = Answer(404, b"")
    replace_outside(monkeypatch, answer_by_path({"/.well-known/databricks-config": config}, answer))
    error = error_of(call)
    for secret in (SIGNATURE, token(), quote(token()), "dapi-secret", SECRET):
        assert secret not in str(error)
    return error


@pytest.mark.parametrize(("call", "answer", "words"), CASES.values(), ids=CASES)
def test_a_refusal_names_who_asked_for_what_of_which_resource_and_what_to_do(
    monkeypatch, call, answer, words
):
    error = refused(monkeypatch, call, answer)
    assert type(error) is PermanentError
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize(("call", "answer", "words"), THROTTLED.values(), ids=THROTTLED)
def test_a_service_that_has_enough_is_asked_again_and_named_with_what_was_asked(
    monkeypatch, call, answer, words
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    error = refused(monkeypatch, call, answer)
    assert type(error) is TransientError
    for word in words:
        assert word in str(error)


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
SIGN_INS = [
    ("AADSTS7000222: The provided client secret keys for app '{client}' are expired.",
     "secret has expired", "new secret"),
    ("AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
     "value, not the client secret ID, for a secret added to app '{client}'.",
     "secret is wrong", "AZURE_CLIENT_SECRET"),
    ("AADSTS700016: Application with identifier '{client}' was not found in the directory '{tenant}'.",
     "no application", "AZURE_TENANT_ID"),
    ("AADSTS90002: Tenant '{tenant}' not found.", "tenant does not exist", "AZURE_TENANT_ID"),
    ("AADSTS500011: The resource principal named https://storage.azure.com was not found in the tenant named {tenant}.",
     "does not know this service", "AZURE_TENANT_ID"),
    ("AADSTS53003: Access has been blocked by Conditional Access policies.", "conditional access", "policy"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning", "next_step"), SIGN_INS)
def test_a_sign_in_that_entra_refuses_names_the_identity_and_what_to_do(
    monkeypatch, text, meaning, next_step
):
    description = text.format(client=CLIENT, tenant=TENANT) + "\r\nTrace ID: 7\r\nCorrelation ID: 8"
    refusal = Answer(401, {"error": "invalid_client", "error_description": description, "error_codes": [1]})
    base = f"https://login.microsoftonline.com/{TENANT}"
    about = {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "issuer": f"{base}/v2.0",
    }
    replace_outside(
        monkeypatch, lambda call: refusal if call.method == "POST" else Answer(200, {**about, "metadata": []})
    )
    credential = ClientSecretCredential(TENANT, CLIENT, SECRET, disable_instance_discovery=True)
    client = ContainerClient(LAKE, "lake", credential=credential, retry_total=0)
    error = error_of(lambda: Lake(client).read("plan.json"))
    assert type(error) is PermanentError
    assert "Lake file lake/plan.json" in error.detail
    assert meaning in error.detail
    assert text.partition(":")[0] in error.detail
    assert next_step in error.next_step
    assert SECRET not in str(error)


def test_of_many_ways_to_sign_in_the_one_that_tells_most_is_told():
    text = (
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
        "Attempted credentials:\n"
        "\tEnvironmentCredential: Authentication failed: AADSTS7000222: The provided client secret keys are expired.\n"
        "\tManagedIdentityCredential: ManagedIdentityCredential authentication unavailable."
    )
    refusal = find_refusal(text)
    assert refusal.meaning == "the client secret has expired"
    assert most_specific_line(text, refusal).startswith("EnvironmentCredential")


def test_what_is_no_refusal_is_not_taken_for_one():
    assert find_refusal("The specified blob does not exist.\nErrorCode:BlobNotFound") is None


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.words)
def test_every_kind_of_refusal_can_be_met_by_its_own_words(refusal):
    words = re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", refusal.words).split("|")[0]
    assert find_refusal(words) is refusal
