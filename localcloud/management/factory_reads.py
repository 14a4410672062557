"""Data Factory's calls that return its definitions, as they are carried out here.

https://learn.microsoft.com/rest/api/datafactory/pipelines/get
"""

from collections.abc import Mapping
from typing import Any

from localcloud.data_factory.shapes import Definitions
from localcloud.management.arm import Answer, Call, Route
from localcloud.management.errors import ArmError
from localcloud.management.factory_calls import FACTORY

Json = dict[str, Any]
TYPE = "Microsoft.DataFactory/factories"
KINDS_OF_VALUES = {str: "String", bool: "Bool", int: "Int", float: "Float", dict: "Object", list: "Array"}


class FactoryReads:
    """Answers the calls.

    Args:
        definitions: the factory's.
    """

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def routes(self) -> list[Route]:
        """Return the operations."""
        return [
            Route("GetFactory", "GET", FACTORY, self.get_factory),
            Route("GetPipeline", "GET", f"{FACTORY}/pipelines/{{name}}", self.get_pipeline),
            Route("GetLinkedService", "GET", f"{FACTORY}/linkedservices/{{name}}", self.get_linked_service),
        ]

    async def get_factory(self, call: Call) -> Answer:
        """Return the factory with its global parameters."""
        parameters = {
            name: {"type": KINDS_OF_VALUES[type(value)], "value": value}
            for name, value in self._definitions.global_parameters.items()
        }
        properties = {"provisioningState": "Succeeded", "globalParameters": parameters}
        return Answer({**_envelope(call, call.names["factory"], TYPE), "properties": properties})

    async def get_pipeline(self, call: Call) -> Answer:
        """Return a pipeline."""
        return _found(call, "pipeline", f"{TYPE}/pipelines", self._definitions.pipelines)

    async def get_linked_service(self, call: Call) -> Answer:
        """Return a linked service."""
        return _found(call, "linked service", f"{TYPE}/linkedservices", self._definitions.linked_services)


def _found(call: Call, word: str, kind: str, definitions: Mapping[str, Json]) -> Answer:
    name = call.names["name"]
    if name not in definitions:
        raise ArmError(404, "EntityNotFound", f"The {word} '{name}' was not found.", name)
    return Answer({**_envelope(call, name, kind), "properties": definitions[name]})


def _envelope(call: Call, name: str, kind: str) -> Json:
    return {"id": call.path, "name": name, "type": kind, "etag": "local"}
