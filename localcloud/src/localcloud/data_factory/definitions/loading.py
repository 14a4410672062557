"""The definitions of a factory in its Git layout, checked as a whole before anything runs.

What the local Data Factory does not carry out is refused here by name; nothing in a definition is ignored but
descriptions, annotations and folders of the studio.
https://learn.microsoft.com/azure/data-factory/source-control
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.data_factory.definitions.checks import check
from localcloud.data_factory.definitions.shapes import TYPES, Definitions, Json

KINDS = ("pipeline", "dataset", "linkedService")


class DefinitionError(Exception):
    """Definitions that cannot be carried out, with every fault and its file."""


def load_definitions(folder: Path, global_parameters: Mapping[str, Any]) -> Definitions:
    """Read a factory's folder.

    Args:
        folder: with ``pipeline/``, ``dataset/``, ``linkedService/`` and one file in ``factory/``.
        global_parameters: values for this environment, in place of those in the factory's file.

    Raises:
        DefinitionError: with every fault.
    """
    faults: list[str] = []
    found = {kind: _read_kind(folder, kind, faults) for kind in KINDS}
    own = _factory_parameters(folder, faults)
    faults += [
        f"factory: there is no global parameter {name} to override; there are {', '.join(own)}"
        for name in sorted(global_parameters.keys() - own.keys())
    ]
    loaded = Definitions(
        found["pipeline"], found["dataset"], found["linkedService"], {**own, **global_parameters}
    )
    if not faults:
        faults += [
            f"{kind}/{name}.json: {fault}"
            for kind in KINDS
            for name, properties in found[kind].items()
            for fault in check(loaded, kind, properties)
        ]
    if faults:
        raise DefinitionError(f"The definitions in {folder} cannot be carried out here: {'; '.join(faults)}.")
    return loaded


def bind(declared: Mapping[str, Json], given: Mapping[str, Any]) -> tuple[Json, list[str]]:
    """Return the values of declared parameters, defaults included, and what is wrong with the given ones."""
    faults = [f"The parameter '{name}' is not declared." for name in given if name not in declared]
    values: Json = {}
    for name, declaration in declared.items():
        if name not in given and "defaultValue" not in declaration:
            faults.append(f"The value for the parameter '{name}' is not provided.")
            continue
        value = given.get(name, declaration.get("defaultValue"))
        kind = str(declaration.get("type", "")).lower()
        if not isinstance(value, TYPES[kind]) or (kind in ("int", "float") and isinstance(value, bool)):
            faults.append(f"The value for the parameter '{name}' is not of type {declaration['type']}.")
        values[name] = value
    return values, faults


def secure_names(declared: Mapping[str, Json]) -> set[str]:
    """Return which declared parameters hold secrets."""
    return {name for name, declaration in declared.items() if declaration["type"].lower() == "securestring"}


def _read_kind(folder: Path, kind: str, faults: list[str]) -> dict[str, Json]:
    found = {}
    for path in sorted((folder / kind).glob("*.json")):
        content = _read(path, faults)
        if content.get("name") != path.stem or set(content) != {"name", "properties"}:
            faults.append(f"{kind}/{path.name}: it must hold a name, {path.stem}, and properties alone")
            continue
        found[path.stem] = content["properties"]
    if not found:
        faults.append(f"{kind}/ holds no definition")
    return found


def _read(path: Path, faults: list[str]) -> Json:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        faults.append(f"{path.parent.name}/{path.name}: it is no JSON: {error}")
        return {}
    return content if isinstance(content, dict) else {}


def _factory_parameters(folder: Path, faults: list[str]) -> Json:
    paths = sorted((folder / "factory").glob("*.json"))
    if len(paths) != 1:
        faults.append(f"factory/ holds {len(paths)} files instead of one")
        return {}
    declared = _read(paths[0], faults).get("properties", {}).get("globalParameters", {})
    return {name: parameter["value"] for name, parameter in declared.items()}
