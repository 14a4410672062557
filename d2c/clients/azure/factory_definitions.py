"""Data Factory definitions, read and written as JSON.

The SDK's models are not used: those of version 10.0.0 turn an activity's type into ``Execution`` and leave out the type
of a linked service. The requests still go through the SDK's client, with its sign-in and its retries.
https://learn.microsoft.com/rest/api/datafactory/operation-groups
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from d2c.app.settings import Settings
from d2c.clients.azure.sign_in import azure_errors, management_arguments
from d2c.clients.connections import connected_once

if TYPE_CHECKING:
    from azure.mgmt.datafactory import DataFactoryManagementClient

API_VERSION = "2018-06-01"
# Kinds of definitions in the Git layout, and their collections in the API.
COLLECTIONS = {"linkedService": "linkedservices", "dataset": "datasets", "pipeline": "pipelines"}
# Fields that the service returns and does not accept.
READ_ONLY_FIELDS = ("id", "name", "type", "eTag", "etag")
READ_ONLY_PROPERTIES = ("provisioningState", "createTime", "version")

Json = dict[str, Any]


class FactoryDefinitions:
    """The definitions of one factory.

    Args:
        client: azure-mgmt-datafactory's client.
        subscription: the factory's subscription.
        resource_group: the factory's resource group.
        factory: the factory's name.
    """

    def __init__(
        self, client: DataFactoryManagementClient, subscription: str, resource_group: str, factory: str
    ) -> None:
        self._client = client
        self._factory = factory
        self._path = (
            f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
            f"/providers/Microsoft.DataFactory/factories/{factory}"
        )

    def find(self, kind: str, name: str) -> Json | None:
        """Return the properties of a definition, or None if there is no such definition.

        Args:
            kind: ``linkedService``, ``dataset`` or ``pipeline``.
            name: the definition's name.
        """
        with azure_errors(f"Data Factory {self._factory}, {kind} {name}"):
            try:
                properties: Json = self._send("GET", f"/{COLLECTIONS[kind]}/{name}")["properties"]
            except ResourceNotFoundError:
                # A missing factory responds likewise; then this call fails as well.
                self._send("GET", "")
                return None
            return properties

    def put(self, kind: str, name: str, properties: Json) -> None:
        """Create a definition, or replace it."""
        with azure_errors(f"Data Factory {self._factory}, {kind} {name}"):
            self._send("PUT", f"/{COLLECTIONS[kind]}/{name}", {"properties": properties})

    def get_factory(self) -> Json:
        """Return the factory itself."""
        with azure_errors(f"Data Factory {self._factory}"):
            return self._send("GET", "")

    def set_global_parameters(self, factory: Json, values: dict[str, str]) -> None:
        """Set global parameters of the factory, and keep everything else.

        The service has no call for a single parameter, so the whole factory is written back, unless it has been
        changed in the meantime. https://learn.microsoft.com/azure/data-factory/author-global-parameters

        Args:
            factory: as `get_factory` returned it.
            values: the parameters' values by name.
        """
        properties = {
            name: value
            for name, value in factory.get("properties", {}).items()
            if name not in READ_ONLY_PROPERTIES
        }
        changed = {name: {"type": "String", "value": value} for name, value in values.items()}
        properties["globalParameters"] = {**properties.get("globalParameters", {}), **changed}
        body = {name: value for name, value in factory.items() if name not in READ_ONLY_FIELDS}
        with azure_errors(f"Global parameters of data factory {self._factory}"):
            self._send(
                "PUT", "", {**body, "properties": properties}, factory.get("eTag") or factory.get("etag")
            )

    def _send(self, method: str, path: str, body: Json | None = None, etag: str | None = None) -> Json:
        request = HttpRequest(
            method,
            f"{{endpoint}}{self._path}{path}",
            params={"api-version": API_VERSION},
            headers={"Accept": "application/json", **({"If-Match": etag} if etag else {})},
            json=body,
        )
        response = self._client.send_request(request)
        if response.status_code == 404:
            raise ResourceNotFoundError(response=response)
        if response.status_code >= 400:
            raise HttpResponseError(response=response)
        content: Json = response.json()
        return content


@connected_once
def connect_factory_definitions(
    settings: Settings, credential: TokenCredential | None = None
) -> FactoryDefinitions:
    """Return the definitions of the data factory in the settings; without a credential, the app signs in by its own."""
    # Importing it takes over half a second, which would delay the start of the host.
    from azure.mgmt.datafactory import DataFactoryManagementClient

    client = DataFactoryManagementClient(**management_arguments(settings, credential))
    return FactoryDefinitions(
        client, settings.subscription_id, settings.resource_group, settings.data_factory
    )
