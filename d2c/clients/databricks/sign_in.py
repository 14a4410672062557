"""Signing in to Databricks: with Entra ID as the app, or with a workspace's token.

Importing this takes seconds (`d2c.clients.databricks.jobs`).
"""

import logging
from collections.abc import Callable
from typing import Any

from azure.core.credentials import TokenCredential
from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import RealClock
from databricks.sdk.config import Config
from databricks.sdk.credentials_provider import CredentialsStrategy

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.azure.sign_in import azure_credential
from d2c.clients.connections import connected_once

# It warns about workspaces without optional metadata, which is harmless; errors are raised anyway.
logging.getLogger("databricks.sdk").setLevel(logging.CRITICAL)

# The Azure Databricks resource, the same in every tenant.
DATABRICKS_SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
# Azure Resource Manager by the name that Databricks requires, including the slash.
MANAGEMENT_SCOPE = "https://management.core.windows.net//.default"


class _ManagedIdentity(CredentialsStrategy):
    """Signs in with the app's own identity; the SDK has no strategy for managed identities.

    Each request gets a token from azure-identity, which renews expired ones.

    Args:
        resource_id: the workspace's id in Azure, if the identity is not a member of the workspace but has a role on its
            resource; two more headers are sent then.
            https://learn.microsoft.com/azure/databricks/dev-tools/auth/aad-token-manual
        credential: the app's identity.
    """

    def __init__(self, resource_id: str, credential: TokenCredential) -> None:
        self._resource_id = resource_id
        self._credential = credential

    def auth_type(self) -> str:
        return "azure-identity"

    def __call__(self, cfg: Config) -> Callable[[], dict[str, str]]:
        def headers() -> dict[str, str]:
            fields = {"Authorization": f"Bearer {self._credential.get_token(DATABRICKS_SCOPE).token}"}
            if self._resource_id:
                fields["X-Databricks-Azure-Workspace-Resource-Id"] = self._resource_id
                token = self._credential.get_token(MANAGEMENT_SCOPE).token
                fields["X-Databricks-Azure-SP-Management-Token"] = token
            return fields

        return headers


class _ShortPauses(RealClock):
    """The SDK's clock, but for a pause that a service asks for and that is longer than a call may make."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, retries.LONGEST_PAUSE_SECONDS))


@connected_once
def connect_workspace(settings: Settings) -> WorkspaceClient:
    """Return the SDK's client of the workspace in the settings: with its token if one is set, else with Entra ID."""
    signing_in: dict[str, Any] = (
        {"token": settings.databricks_token, "auth_type": "pat"}
        if settings.databricks_token
        else {"credentials_strategy": _ManagedIdentity(settings.databricks_resource_id, azure_credential())}
    )
    config = Config(host=settings.databricks_host, clock=_ShortPauses(), **retries.DATABRICKS, **signing_in)
    return WorkspaceClient(config=config)
