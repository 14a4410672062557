"""What Azure's services answer where an identity, a right or a network is not as it should be, and what to do then.

The words are those of the services' own answers. A refusal that is not among them is told by its status.
"""

import re
from typing import NamedTuple


class Refusal(NamedTuple):
    """One kind of refusal.

    Args:
        words: what finds it among an answer's code and text, in any case of letters.
        meaning: the cause in a few words.
        next_step: what to do about it.
    """

    words: str
    meaning: str
    next_step: str


GRANT = "Grant the app's identity the role that this call needs (docs/install/permissions.md); it acts after minutes."
OPEN_NETWORK = (
    "Join the app to a virtual network that may reach it, or allow the app's address in the {place}."
)
RIGHT_TENANT = (
    "Let the app sign in in the tenant of the resource: check AZURE_TENANT_ID and the subscription."
)
SIGN_IN = (
    "Assign a managed identity to the app (AZURE_CLIENT_ID names a user-assigned one); "
    "on your own machine, sign in with `az login`."
)

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
ENTRA = (
    Refusal("AADSTS7000222", "the client secret has expired", "Give the app a new secret, or a managed identity."),
    Refusal("AADSTS7000215", "the client secret is wrong", "Check AZURE_CLIENT_SECRET, or use a managed identity."),
    Refusal("AADSTS700016", "no application of this client id is in this tenant",
            "Check AZURE_CLIENT_ID and AZURE_TENANT_ID."),
    Refusal("AADSTS90002", "there is no such tenant", "Check AZURE_TENANT_ID."),
    Refusal("AADSTS500011", "the tenant that the app signs in in does not know this service", RIGHT_TENANT),
    Refusal("AADSTS7002(?:1|13|11)|AADSTS70021", "no federated credential of the application fits the token",
            "Check issuer, subject and audience of the application's federated credential."),
    Refusal("AADSTS(?:700082|700084|50173|50076|50079|50078)", "the sign-in has expired or asks for more",
            "Sign in anew with `az login`; on Azure, use a managed identity."),
    Refusal("AADSTS53003", "a conditional access policy forbids the sign-in",
            "Let a policy except the app's identity, or sign in from where it is allowed."),
    Refusal("Identity not found|no User Assigned or Delegated Managed Identity found",
            "the app has no managed identity of this client id",
            "Assign the identity to the app, and set AZURE_CLIENT_ID to its client id."),
    Refusal("failed to retrieve a token|no managed identity endpoint|authentication unavailable",
            "the app has nothing to sign in with", SIGN_IN),
)  # fmt: skip

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
# https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
MANAGEMENT = (
    Refusal("InvalidAuthenticationTokenTenant|wrong issuer", "the token is of another tenant", RIGHT_TENANT),
    Refusal("ExpiredAuthenticationToken", "the token has expired", "Check the clock of the machine; sign in anew."),
    Refusal("DenyAssignmentAuthorizationFailed|deny assignment", "a deny assignment forbids it",
            "Have the deny assignment except the app's identity; it is stronger than any role."),
    Refusal("LinkedAuthorizationFailed", "the app's identity lacks a right on a resource that this one names", GRANT),
    Refusal("AuthorizationFailed", "the app's identity lacks the role for this action", GRANT),
    Refusal("RequestDisallowedByPolicy", "a policy of the subscription forbids it",
            "Ask who owns the policy for an exemption, or set the resource up as it demands."),
    Refusal("ScopeLocked", "a lock on the resource forbids the change", "Remove the lock for the migration."),
    Refusal("MissingSubscriptionRegistration", "the subscription does not use this kind of resource yet",
            "Register it: az provider register --namespace with the name in the answer."),
    Refusal("SubscriptionNotFound|InvalidSubscriptionId", "the app's identity sees no such subscription",
            "Check AZURE_SUBSCRIPTION_ID, and that the identity has a role in it."),
    Refusal("ReadOnlyDisabledSubscription", "the subscription is disabled", "Have the subscription enabled again."),
)  # fmt: skip

# https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
# https://learn.microsoft.com/troubleshoot/azure/azure-storage/blobs/authentication/storage-troubleshoot-403-errors
STORAGE = (
    Refusal("AuthorizationPermissionMismatch", "the app's identity lacks the data role for this action", GRANT),
    Refusal("AuthorizationFailure", "the account's network rules keep the app out",
            OPEN_NETWORK.format(place="storage account's firewall")),
    Refusal("KeyBasedAuthenticationNotPermitted", "the account takes no keys",
            "Set D2C_LAKE__blobServiceUri in the place of D2C_LAKE, and give the app's identity a data role."),
    Refusal("Issuer validation failed", "the token is of another tenant", RIGHT_TENANT),
    Refusal("InvalidAuthenticationInfo", "the token is not accepted", "Check the clock of the machine; sign in anew."),
    Refusal("AuthenticationFailed", "the key or the signature is not accepted",
            "Check the credentials in the settings (docs/install/permissions.md), and the clock of the machine."),
)  # fmt: skip

# https://learn.microsoft.com/azure/cosmos-db/nosql/troubleshoot-forbidden
COSMOS = (
    Refusal("does not have required RBAC permissions", "the app's identity lacks the data-plane role for this action",
            "Assign the data-plane role of docs/install/permissions.md on the account; other roles do not count."),
    Refusal("cannot be authorized by AAD token in data plane", "no Entra identity may do this in the data plane",
            "It goes through the management plane: check the account's name and the app's role there."),
    Refusal("blocked by your Cosmos DB account firewall|Request originated from",
            "the account's network rules keep the app out",
            OPEN_NETWORK.format(place="Cosmos DB account's firewall")),
    Refusal("Local Authorization is disabled", "the account takes no keys",
            "Leave out D2C_COSMOS_KEY, and give the app's identity a data-plane role."),
    Refusal("authorization token can't serve the request", "the key is not accepted",
            "Check D2C_COSMOS_KEY and the clock of the machine."),
)  # fmt: skip

# https://learn.microsoft.com/azure/databricks/security/network/front-end/ip-access-list
# https://github.com/databricks/databricks-sdk-py/pull/638
DATABRICKS = (
    Refusal("blocked by Databricks IP ACL|Unauthorized network access to workspace",
            "the workspace's network rules keep the app out",
            OPEN_NETWORK.format(place="workspace's IP access list")),
    Refusal("Expected iss claim", "the token is of another tenant", RIGHT_TENANT),
    Refusal("Expected aud claim", "the token is for another service", "Check DATABRICKS_HOST."),
    Refusal("Invalid access token|Token is expired|Invalid Token", "the token is not accepted",
            "Replace DATABRICKS_TOKEN, or leave it out and let the app sign in as itself."),
    Refusal("workspace-access entitlement|Unauthorized access to workspace|is not a member|User not authorized",
            "the app's identity is no user of the workspace",
            "Add it to the workspace as a service principal, or set D2C_DATABRICKS_RESOURCE_ID."),
    Refusal("PERMISSION_DENIED", "the app's identity lacks a right in the workspace",
            "Grant it the right that the answer names (docs/install/permissions.md)."),
)  # fmt: skip

REFUSALS = (*ENTRA, *MANAGEMENT, *STORAGE, *COSMOS, *DATABRICKS)
_PATTERNS = [(re.compile(refusal.words, re.IGNORECASE), refusal) for refusal in REFUSALS]


def find_refusal(text: str) -> Refusal | None:
    """Return what kind of refusal an answer is, or None if it is another error.

    Args:
        text: the answer's code and text, of as many lines as it has.
    """
    return next((refusal for pattern, refusal in _PATTERNS if pattern.search(text)), None)


def telling_line(text: str, refusal: Refusal | None) -> str:
    """Return the line of a text that tells most: the one with a refusal's words, or else the first."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    with_words = [line for line in lines if refusal and re.search(refusal.words, line, re.IGNORECASE)]
    # A code stands alone in its line, under the text that explains it.
    explained = [line for line in with_words if " " in line]
    return (explained or lines or [""])[0]
