"""Data Factory's calls about its definitions and about the factory itself.

https://learn.microsoft.com/rest/api/datafactory/operation-groups
"""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.server import Answer, Call, Route
from localcloud.common.names import DATA_FACTORY
from localcloud.data_factory.api.run_calls import FACTORY
from localcloud.data_factory.definitions.store import KINDS, DefinitionStore

Json = dict[str, Any]
TYPE = "Microsoft.DataFactory/factories"
FACTORY_FIELDS = frozenset({"location", "identity", "tags", "properties"})
FACTORY_PROPERTIES = frozenset({"globalParameters", "publicNetworkAccess"})
PARAMETER_TYPES = ("string", "int", "float", "bool", "array", "object")
ENCRYPTED = "encryptedCredential"
CREDENTIAL = {"Version": "2017-11-30", "ProtectionMode": "Key", "SecretContentType": "Plaintext"}
NEW_FACTORY: Json = {"location": "local", "identity": {"type": "SystemAssigned"}, "tags": {}}


class DefinitionCalls:
    """Answers the calls.

    Args:
        store: has the definitions.
    """

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Return the operations."""
        one = f"{FACTORY}/(?P<collection>%s)/{{definition}}"
        of_kinds = [
            Route(f"{verb}{kind[0].upper()}{kind[1:]}", verb.upper(), one % collection, handler)
            for collection, kind in KINDS.items()
            for verb, handler in (("Get", self.get), ("Put", self.put))
        ]
        return [
            Route("GetFactory", "GET", FACTORY, self.get_factory),
            Route("PutFactory", "PUT", FACTORY, self.put_factory),
            *of_kinds,
        ]

    async def get_factory(self, call: Call) -> Answer:
        """Return the factory with its global parameters."""
        return Answer(self._factory(call))

    async def put_factory(self, call: Call) -> Answer:
        """Replace the factory: global parameters that the request leaves out are gone, as with the service."""
        _only(call.body, FACTORY_FIELDS, "The factory")
        properties = call.body.get("properties", {})
        _only(properties, FACTORY_PROPERTIES, "The factory's properties")
        if call.if_match not in (None, "*", self._factory(call)["eTag"]):
            raise ArmError(
                412, "PreconditionFailed", "The factory has been changed since it was read; its etag differs."
            )
        values = {}
        for name, parameter in properties.get("globalParameters", {}).items():
            if str(parameter.get("type", "")).lower() not in PARAMETER_TYPES or "value" not in parameter:
                raise ArmError(400, "BadRequest", f"The global parameter '{name}' needs a type and a value.")
            values[name] = parameter["value"]
        kept = {name: call.body[name] for name in FACTORY_FIELDS - {"properties"} if name in call.body}
        self._store.set_factory({**kept, "properties": properties}, values)
        return Answer(self._factory(call))

    async def get(self, call: Call) -> Answer:
        """Return a definition."""
        kind, name = _kind(call), call.names["definition"]
        properties = self._store.find(kind, name)
        if properties is None:
            raise ArmError(
                404,
                "EntityNotFound",
                f"The document could not be retrieved, because it does not exist: {name}.",
            )
        return Answer(_shown(call, name, properties))

    async def put(self, call: Call) -> Answer:
        """Create or replace a definition, if it can be carried out here and what it refers to is there."""
        kind, name = _kind(call), call.names["definition"]
        _only(call.body, frozenset({"name", "properties"}), "The definition")
        properties = call.body.get("properties")
        if not isinstance(properties, dict):
            raise ArmError(400, "BadRequest", f"The {kind} '{name}' has no properties.", name)
        if faults := self._store.faults_of(kind, name, properties):
            text = "The document creation or update failed because of invalid reference or content"
            raise ArmError(400, "BadRequest", f"{text}: {'; '.join(faults)}.", f"{kind}/{name}")
        if kind == "pipeline":
            # The service says when it was published, which no request does.
            properties = {**properties, "lastPublishTime": datetime.now(UTC).isoformat()}
        if kind == "linkedService":
            # Secrets that come anew take the place of those that were encrypted before.
            kept = {each: value for each, value in properties["typeProperties"].items() if each != ENCRYPTED}
            properties = {**properties, "typeProperties": kept}
        self._store.put(kind, name, properties)
        return Answer(_shown(call, name, properties))

    def _factory(self, call: Call) -> Json:
        kept: Json = self._store.factory or NEW_FACTORY
        parameters = {
            name: {"type": _type_of(value), "value": value}
            for name, value in self._store.global_parameters.items()
        }
        properties = {**kept.get("properties", {}), "globalParameters": parameters}
        content = {**kept, "properties": properties}
        return {
            "name": DATA_FACTORY,
            "id": call.path,
            "type": TYPE,
            **content,
            "properties": {
                "provisioningState": "Succeeded",
                "createTime": "2026-01-01T00:00:00Z",
                "version": "2018-06-01",
                **properties,
            },
            "eTag": _etag(content),
        }


def _kind(call: Call) -> str:
    return KINDS[call.names["collection"].lower()]


def _only(content: Json, known: frozenset[str], what: str) -> None:
    if unknown := sorted(content.keys() - known):
        raise ArmError(
            400, "NotSupportedHere", f"{what} has {', '.join(unknown)}, which is not supported here."
        )


def _shown(call: Call, name: str, properties: Json) -> Json:
    collection = call.names["collection"].lower()
    return {
        "id": call.path,
        "name": name,
        "type": f"{TYPE}/{collection}",
        "etag": _etag(properties),
        "properties": _encrypted(properties),
    }


def _encrypted(properties: Json) -> Json:
    """Return a definition with its secure strings in one encrypted text, as the service returns linked services.

    https://github.com/Azure/azure-rest-api-specs/issues/22106
    """
    fields = properties.get("typeProperties", {})
    shown = {name: value for name, value in fields.items() if not _is_secure(value)}
    if len(shown) == len(fields):
        return properties
    reference = {**CREDENTIAL, "CredentialId": f"DATAFACTORY@{_etag(fields)}"}
    text = base64.b64encode(json.dumps(reference).encode()).decode()
    return {**properties, "typeProperties": {**shown, ENCRYPTED: text}}


def _is_secure(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "SecureString"


def _type_of(value: Any) -> str:
    kinds = {str: "String", bool: "Bool", int: "Int", float: "Float", list: "Array", dict: "Object"}
    return kinds[type(value)]


def _etag(content: Json) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
