"""Data Factory's definitions in its Git layout (`adf/`), read and ordered for publishing.

They are sent to the service unchanged: the SDK's models of version 10.0.0 change the types of activities.
https://learn.microsoft.com/azure/data-factory/source-control
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from d2c.errors import D2CError
from d2c.version import VERSION

# In order of publishing: each kind refers only to earlier ones.
KINDS = ("linkedService", "dataset", "pipeline")
FACTORY_FOLDER = "factory"
# The types of linked services that copies read and write.
STORES = ("AmazonS3", "AzureBlobFS")
# An annotation of each published definition, which shows the version to people.
VERSION_ANNOTATION = f"d2c {VERSION}"

Json = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """A linked service, a dataset or a pipeline: its kind in the Git layout, its name and its properties."""

    kind: str
    name: str
    properties: Json


@dataclass(frozen=True)
class FactoryContent:
    """All definitions in the order in which they can be published, and the names of the global parameters."""

    definitions: tuple[Definition, ...]
    global_parameters: tuple[str, ...]


def read_definitions(folder: Path) -> FactoryContent:
    """Read a factory's folder.

    Raises:
        D2CError: if definitions refer to each other in a circle.
    """
    found = [
        Definition(kind, path.stem, _annotated(json.loads(path.read_bytes())["properties"]))
        for kind in KINDS
        for path in sorted((folder / kind).glob("*.json"))
    ]
    (factory,) = (folder / FACTORY_FOLDER).glob("*.json")
    parameters = json.loads(factory.read_bytes())["properties"]["globalParameters"]
    return FactoryContent(tuple(_ordered(found)), tuple(parameters))


def with_runtime(definition: Definition, runtime: str) -> Definition:
    """Return a definition with the integration runtime by which its store is reached.

    https://learn.microsoft.com/azure/data-factory/concepts-integration-runtime

    Args:
        definition: of any kind; only linked services of stores have one.
        runtime: its name; nothing is changed if it is empty.
    """
    if not runtime or definition.properties.get("type") not in STORES:
        return definition
    reference = {"referenceName": runtime, "type": "IntegrationRuntimeReference"}
    return replace(definition, properties={**definition.properties, "connectVia": reference})


def _annotated(properties: Json) -> Json:
    return {**properties, "annotations": [*properties.get("annotations", ()), VERSION_ANNOTATION]}


def _ordered(definitions: list[Definition]) -> Iterator[Definition]:
    """Sort definitions after those that they refer to, since the service rejects references to missing ones."""
    waiting = {definition.name: definition for definition in definitions}
    while waiting:
        ready = [
            definition
            for name, definition in waiting.items()
            if not (set(_references(definition.properties)) - {name}) & waiting.keys()
        ]
        if not ready:
            raise D2CError(
                f"The definitions {', '.join(waiting)} refer to each other in a circle.",
                "Fix the files in adf/.",
            )
        for definition in ready:
            yield waiting.pop(definition.name)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "referenceName" in value:
            yield value["referenceName"]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)
