"""The options of the Cosmos DB Spark connector for a load run.

https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_3/docs/configuration-reference.md
"""

from collections.abc import Callable

from d2c.load_run.request import LoadRequest

# Names of secrets in the secret scope of the settings.
ACCOUNT_KEY = "cosmos-account-key"
TENANT_ID = "tenant-id"
CLIENT_ID = "cosmos-client-id"
CLIENT_SECRET = "cosmos-client-secret"  # noqa: S105 - a name, not a secret


def cosmos_options(request: LoadRequest, read_secret: Callable[[str], str]) -> dict[str, str]:
    """Return the common options of reading and writing: container and authentication.

    Args:
        request: its ``cosmos_auth`` is ``ServicePrincipal``, ``ManagedIdentity`` or ``MasterKey``.
        read_secret: returns a secret of the request's scope by name.
    """
    return {
        "spark.cosmos.accountEndpoint": request.cosmos_endpoint,
        "spark.cosmos.database": request.database,
        "spark.cosmos.container": request.container,
        **_SIGN_IN[request.cosmos_auth](read_secret),
    }


def secrets_of(auth: str) -> list[str]:
    """Return the names of the secrets that an authentication type reads, in their order."""
    names: list[str] = []

    def note(name: str) -> str:
        names.append(name)
        return name

    _SIGN_IN[auth](note)
    return names


def write_options() -> dict[str, str]:
    """Return the options of the load: upserts, which makes a second run idempotent."""
    return {"spark.cosmos.write.strategy": "ItemOverwrite", "spark.cosmos.write.bulk.enabled": "true"}


def read_options() -> dict[str, str]:
    """Return the options of the verification: whole documents as text, nothing inferred."""
    return {"spark.cosmos.read.inferSchema.enabled": "false"}


def _service_principal(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {
        "spark.cosmos.auth.type": "ServicePrincipal",
        "spark.cosmos.account.tenantId": read_secret(TENANT_ID),
        "spark.cosmos.auth.aad.clientId": read_secret(CLIENT_ID),
        "spark.cosmos.auth.aad.clientSecret": read_secret(CLIENT_SECRET),
    }


def _managed_identity(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {
        "spark.cosmos.auth.type": "ManagedIdentity",
        "spark.cosmos.account.tenantId": read_secret(TENANT_ID),
        "spark.cosmos.auth.aad.clientId": read_secret(CLIENT_ID),
    }


def _master_key(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {"spark.cosmos.accountKey": read_secret(ACCOUNT_KEY)}


_SIGN_IN = {
    "ServicePrincipal": _service_principal,
    "ManagedIdentity": _managed_identity,
    "MasterKey": _master_key,
}
