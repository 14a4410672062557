"""The lake's account by its endpoint for Data Lake Storage, which shows its kind."""

from typing import Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

from d2c.clients import retries

SCOPE = "https://storage.azure.com/.default"
API_VERSION = "2023-11-03"


class DataLake:
    """Asks the endpoint; raises azure-core's own errors.

    Args:
        client: azure-core's client, which signs in.
        url: the endpoint, ``https://<account>.dfs.core.windows.net``.
    """

    def __init__(self, client: PipelineClient[Any, Any], url: str) -> None:
        self._client = client
        self._url = url

    def has_hierarchical_namespace(self, file_system: str) -> bool | None:
        """Return whether the account has a hierarchical namespace; None if it does not say.

        A data role suffices, unlike for the blob endpoint's Get Account Information.
        https://learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/filesystem/get-properties
        """
        url = f"{self._url}/{file_system}?resource=filesystem"
        answer = self._client.send_request(HttpRequest("HEAD", url, headers={"x-ms-version": API_VERSION}))
        answer.raise_for_status()
        is_enabled = answer.headers.get("x-ms-namespace-enabled")
        return None if is_enabled is None else str(is_enabled).lower() == "true"


def connect_data_lake(blob_url: str, credential: TokenCredential) -> DataLake:
    """Return the account at its other endpoint.

    Args:
        blob_url: its blob endpoint, ``https://<account>.blob.core.windows.net``.
        credential: azure-identity's.
    """
    policies = [
        retries.ShortRetryPolicy(**retries.CORE),
        BearerTokenCredentialPolicy(credential, SCOPE),
    ]
    return DataLake(
        PipelineClient(blob_url, policies=policies, **retries.CORE),
        blob_url.rstrip("/").replace(".blob.", ".dfs.", 1),
    )
