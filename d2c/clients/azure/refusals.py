"""Rejections by Azure's services because of identity, permissions or network, with causes and next steps.

The patterns match the services' own messages. Any other rejection is reported by its status.
"""

import re
from typing import NamedTuple


class Refusal(NamedTuple):
    """One kind of rejection.

    Args:
        words: a pattern for the response's code and text, ignoring case.
        meaning: the cause in a few words.
        next_step: the action that resolves it.
    """

    words: str
    meaning: str
    next_step: str


GRANT = "Grant this identity the role for the call (docs/install/permissions.md), which takes effect within minutes."
# Only those with a role on a resource learn that it does not exist.
GRANT_OR_NAME = (
    f"{GRANT} If it has the role, check the names in the settings: a wrong one is answered likewise."
)
OPEN_NETWORK = "Connect the app to a virtual network with access, or allow the app's address in the {place}."
RIGHT_TENANT = "Sign the app in to the tenant of the resource: check AZURE_TENANT_ID and the subscription."
SIGN_IN = (
    "Assign a managed identity to the app (AZURE_CLIENT_ID names a user-assigned one); "
    "on your own machine, sign in with `az login`."
)

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
ENTRA = (
    Refusal("AADSTS7000222", "the client secret has expired", "Give the app a new secret, or a managed identity."),
    Refusal("AADSTS7000215", "the client secret is wrong", "Check AZURE_CLIENT_SECRET, or use a managed identity."),
    Refusal("AADSTS700016", "the tenant has no application with this client id",
            "Check AZURE_CLIENT_ID and AZURE_TENANT_ID."),
    Refusal("AADSTS90002", "the tenant does not exist", "Check AZURE_TENANT_ID."),
    Refusal("AADSTS500011", "the app's tenant does not know this service", RIGHT_TENANT),
    Refusal("AADSTS7002(?:1|13|11)|AADSTS70021", "no federated credential of the application matches the token",
            "Check issuer, subject and audience of the application's federated credential."),
    Refusal("AADSTS(?:700082|700084|50173|50076|50079|50078)", "the sign-in has expired or requires more",
            "Sign in again with `az login`; on Azure, use a managed identity."),
    Refusal("AADSTS53003", "a conditional access policy forbids the sign-in",
            "Exclude the app's identity from the policy, or sign in from an allowed location."),
    Refusal("Identity not found|no User Assigned or Delegated Managed Identity found",
            "the app has no managed identity with this client id",
            "Assign the identity to the app, and set AZURE_CLIENT_ID to its client id."),
    Refusal("failed to retrieve a token|no managed identity endpoint|authentication unavailable",
            "the app has no identity to sign in with", SIGN_IN),
)  # fmt: skip

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
# https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
MANAGEMENT = (
    Refusal("InvalidAuthenticationTokenTenant|wrong issuer", "the token is from another tenant", RIGHT_TENANT),
    Refusal("InvalidAuthenticationTokenAudience|wrong audience", "the token is for another service",
            "Check D2C_MANAGEMENT_ENDPOINT."),
    Refusal("ExpiredAuthenticationToken", "the token has expired", "Check the machine's clock, and sign in again."),
    Refusal("DenyAssignmentAuthorizationFailed|deny assignment", "a deny assignment forbids it",
            "Exclude the app's identity from the deny assignment; it overrides every role."),
    Refusal("LinkedAuthorizationFailed", "the identity lacks a permission on a linked resource", GRANT),
    Refusal("AuthorizationFailed", "the identity lacks the role for this action", GRANT_OR_NAME),
    Refusal("RequestDisallowedByPolicy", "a policy of the subscription forbids it",
            "Ask the owner of the policy for an exemption, or configure the resource as required."),
    Refusal("ScopeLocked", "a lock on the resource forbids the change", "Remove the lock for the migration."),
    Refusal("MissingSubscriptionRegistration", "the resource provider is not registered in the subscription",
            "Register it: az provider register --namespace with the name in the answer."),
    Refusal("SubscriptionNotFound|InvalidSubscriptionId", "the app's identity cannot see the subscription",
            "Check AZURE_SUBSCRIPTION_ID, and that the identity has a role in it."),
    Refusal("ReadOnlyDisabledSubscription", "the subscription is disabled", "Re-enable the subscription."),
)  # fmt: skip

# How the lake refuses an identity, in the errors of Data Factory and Spark too.
LACKS_DATA_ROLE = "AuthorizationPermissionMismatch"
# https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
# https://learn.microsoft.com/troubleshoot/azure/azure-storage/blobs/authentication/storage-troubleshoot-403-errors
STORAGE = (
    Refusal(LACKS_DATA_ROLE, "the app's identity lacks the data role for this action", GRANT),
    Refusal("AuthorizationFailure", "the account's network rules block the app",
            OPEN_NETWORK.format(place="storage account's firewall")),
    Refusal("KeyBasedAuthenticationNotPermitted", "the account does not accept keys",
            "Set D2C_LAKE__blobServiceUri instead of D2C_LAKE, and give the app's identity a data role."),
    Refusal("BlobArchived|archived blob", "the file is in the archive tier, where it cannot be read",
            "Move it to the hot tier, or write it again."),
    Refusal("UsesCustomerSpecifiedEncryption|customer specified encryption",
            "the file is encrypted with a key that its writer provided", "Write it again without such a key."),
    Refusal("Issuer validation failed", "the token is from another tenant", RIGHT_TENANT),
    Refusal("InvalidAuthenticationInfo", "the token is not accepted", "Check the machine's clock, and sign in again."),
    Refusal("AuthenticationFailed", "the key or the signature is not accepted",
            "Check the credentials in the settings (docs/install/permissions.md), and the clock of the machine."),
)  # fmt: skip

# https://learn.microsoft.com/azure/cosmos-db/nosql/troubleshoot-forbidden
COSMOS = (
    Refusal("does not have required RBAC permissions", "the app's identity lacks the data-plane role for this action",
            "Assign the data-plane role of docs/install/permissions.md on the account; other roles do not count."),
    Refusal("cannot be authorized by AAD token in data plane", "the data plane does not allow this with Entra ID",
            "The management plane does it: check the account's name and the app's role there."),
    Refusal("AAD token was issued by the authority", "the token is from another tenant", RIGHT_TENANT),
    Refusal("AAD token is intended for", "the token is for another service", "Check D2C_COSMOS_ENDPOINT."),
    Refusal("AAD token has been expired", "the token has expired",
            "Check the machine's clock, and sign in again; on Azure, restart the app."),
    Refusal("collection count in database offer has exceeded",
            "the database has as many containers that share its throughput as it can",
            "Give the table another database or throughput.kind manual in the plan, and retry it."),
    Refusal("blocked by your Cosmos DB account firewall|Request originated from",
            "the account's network rules block the app",
            OPEN_NETWORK.format(place="Cosmos DB account's firewall")),
    Refusal("Local Authorization is disabled", "the account does not accept keys",
            "Unset D2C_COSMOS_KEY, and give the app's identity a data-plane role."),
    Refusal("authorization token can't serve the request", "the key is not accepted",
            "Check D2C_COSMOS_KEY and the clock of the machine."),
)  # fmt: skip

# https://learn.microsoft.com/azure/databricks/security/network/front-end/ip-access-list
# https://github.com/databricks/databricks-sdk-py/pull/638
DATABRICKS = (
    Refusal("blocked by Databricks IP ACL|Unauthorized network access to workspace",
            "the workspace's network rules block the app",
            OPEN_NETWORK.format(place="workspace's IP access list")),
    Refusal("Expected iss claim", "the token is from another tenant", RIGHT_TENANT),
    Refusal("Expected aud claim", "the token is for another service", "Check DATABRICKS_HOST."),
    Refusal("Invalid access token|Token is expired|Invalid Token", "the token is not accepted",
            "Replace DATABRICKS_TOKEN, or unset it so that the app signs in with its own identity."),
    Refusal("workspace-access entitlement|Unauthorized access to workspace|is not a member|User not authorized",
            "the app's identity is not a user of the workspace",
            "Add it to the workspace as a service principal, or set D2C_DATABRICKS_RESOURCE_ID."),
    Refusal("PERMISSION_DENIED", "the app's identity lacks a permission in the workspace",
            "Grant it the permission named in the response (docs/install/permissions.md)."),
)  # fmt: skip

REFUSALS = (*ENTRA, *MANAGEMENT, *STORAGE, *COSMOS, *DATABRICKS)
_PATTERNS = [(re.compile(refusal.words, re.IGNORECASE), refusal) for refusal in REFUSALS]


def find_refusal(text: str) -> Refusal | None:
    """Return the kind of rejection, or None if it is another error.

    Args:
        text: the response's code and text.
    """
    return next((refusal for pattern, refusal in _PATTERNS if pattern.search(text)), None)


def most_specific_line(text: str, refusal: Refusal | None) -> str:
    """Return the most specific line of a text: the one that matches the rejection, or else the first."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    matching = [line for line in lines if refusal and re.search(refusal.words, line, re.IGNORECASE)]
    # A code has a line of its own, below the text that explains it.
    explained = [line for line in matching if " " in line]
    return (explained or lines or [""])[0]
