"""From a reference to a dataset, through its linked service, to the folder that is meant and how it is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from localcloud.data_factory.definitions.expressions import ExpressionError, resolve
from localcloud.data_factory.definitions.loading import bind
from localcloud.data_factory.definitions.shapes import Definitions
from localcloud.data_factory.runs.errors import ActivityError

Json = dict[str, Any]
Scopes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class SourceFolder:
    """A folder of a bucket. ``folder`` has no slash at its ends."""

    service_url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    bucket: str
    folder: str


@dataclass(frozen=True)
class SinkFolder:
    """A folder of a file system in the lake's account. ``folder`` has no slash at its ends."""

    account: str
    file_system: str
    folder: str


class Connections:
    """Resolves references to datasets.

    Args:
        definitions: the factory's.
        vault: the secrets of the key vault by name.
    """

    def __init__(self, definitions: Definitions, vault: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._vault = vault

    def source(self, reference: Json, scopes: Scopes) -> SourceFolder:
        """Return the S3 folder that a reference means.

        Raises:
            ActivityError: if it means something else, or a part of it cannot be resolved.
        """
        location, linked = self._resolve(reference, scopes, "AmazonS3Location", "AmazonS3")
        temporary = linked.get("authenticationType") == "TemporarySecurityCredentials"
        return SourceFolder(
            linked["serviceUrl"],
            linked["accessKeyId"],
            self._secret(linked["secretAccessKey"]),
            self._secret(linked["sessionToken"]) if temporary else None,
            location["bucketName"],
            location.get("folderPath", "").strip("/"),
        )

    def sink(self, reference: Json, scopes: Scopes) -> SinkFolder:
        """Return the lake folder that a reference means.

        Raises:
            ActivityError: if it means something else, or a part of it cannot be resolved.
        """
        location, linked = self._resolve(reference, scopes, "AzureBlobFSLocation", "AzureBlobFS")
        host = urlsplit(linked["url"]).hostname or ""
        account, _, domain = host.partition(".")
        if not domain.startswith("dfs."):
            raise ActivityError(
                f"The lake's url {linked['url']!r} is not of the form https://<account>.dfs.core.windows.net/."
            )
        return SinkFolder(account, location["fileSystem"], location.get("folderPath", "").strip("/"))

    def _resolve(self, reference: Json, scopes: Scopes, location_type: str, kind: str) -> tuple[Json, Json]:
        """Return a dataset's location and its linked service's properties, with nothing left to evaluate."""
        name = reference["referenceName"]
        dataset = self._definitions.datasets[name]
        given = _bound(name, dataset, reference, scopes)
        location = _evaluated(dataset["typeProperties"]["location"], {"dataset": given})
        linked_name = dataset["linkedServiceName"]["referenceName"]
        linked = self._definitions.linked_services[linked_name]
        if location["type"] != location_type or linked["type"] != kind:
            raise ActivityError(
                f"Dataset {name} is a {location['type']} of a {linked['type']}; a {location_type} of a {kind} "
                "is needed here."
            )
        values = _bound(linked_name, linked, dataset["linkedServiceName"], {"dataset": given})
        return location, _evaluated(linked["typeProperties"], {"linkedService": values})

    def _secret(self, secret: Json) -> str:
        """Return a secret, given as such or in the vault; which vault its store names makes no difference here."""
        if secret["type"] == "SecureString":
            return str(secret["value"])
        store_name = secret["store"]["referenceName"]
        store = self._definitions.linked_services[store_name]
        if store["type"] != "AzureKeyVault":
            raise ActivityError(f"Linked service {store_name} is a {store['type']}, not an AzureKeyVault.")
        _bound(store_name, store, secret["store"], {})
        if secret["secretName"] not in self._vault:
            raise ActivityError(f"A secret with the name {secret['secretName']} was not found in the vault.")
        return self._vault[secret["secretName"]]


def _bound(name: str, definition: Json, reference: Json, scopes: Scopes) -> Json:
    values, faults = bind(
        definition.get("parameters", {}), _evaluated(reference.get("parameters", {}), scopes)
    )
    if faults:
        raise ActivityError(f"{name}: {' '.join(faults)}")
    return values


def _evaluated(value: Json, scopes: Scopes) -> Json:
    try:
        return resolve(value, scopes)  # type: ignore[no-any-return]
    except ExpressionError as error:
        raise ActivityError(str(error)) from error
