"""What is wrong with a factory's definitions, so far as the local Data Factory is to carry them out."""

from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.data_factory.definitions.expressions import ExpressionError, Reference, parse, references
from localcloud.data_factory.definitions.policy import PolicyError, read_policy
from localcloud.data_factory.definitions.shapes import (
    BRANCHES,
    CONDITIONS,
    OWN_RUNTIME,
    SHAPES,
    TYPES,
    Definitions,
    Json,
)

SYSTEM_VARIABLES = (("RunId",),)
# Where expressions are evaluated; a description may hold anything.
EVALUATED = ("typeProperties", "linkedServiceName", "inputs", "outputs", "userProperties")


def check(loaded: Definitions, kind: str, properties: Json) -> Iterator[str]:
    """Return what is wrong with one definition.

    Args:
        loaded: all definitions.
        kind: ``pipeline``, ``dataset`` or ``linkedService``.
        properties: the definition's.
    """
    faults = [*_check_shape(properties, kind, ""), *_check_parameters(properties)]
    yield from faults
    if not faults:
        yield from _check_expressions(loaded, kind, properties)
        yield from _check_references(loaded, properties)
        yield from _check_stores(properties)
        activities = properties.get("activities", [])
        yield from _check_names(list(all_activities(activities)))
        yield from _check_copies(list(all_activities(activities)))
        yield from _check_orders(activities)


def _check_shape(value: Any, shape_name: str, path: str) -> Iterator[str]:
    """Hold an object to its shape, and the objects within to theirs."""
    if not isinstance(value, dict):
        yield f"{path or 'properties'} is no object"
        return
    shape = SHAPES.get(shape_name) or SHAPES.get(f"{shape_name}:{value.get('type')}")
    if shape is None:
        yield f"{path or 'properties'} has the type {value.get('type')}, which is not supported here"
        return
    for missing in sorted(shape.required - value.keys()):
        yield f"{_join(path, missing)} is missing"
    for unknown in sorted(value.keys() - shape.required - shape.optional):
        yield f"{_join(path, unknown)} is not supported here"
    for name, allowed in shape.values.items():
        if name in value and value[name] not in allowed:
            yield f"{_join(path, name)} is {value[name]!r}; only {', '.join(map(repr, allowed))} is supported here"
    for name, inner in shape.inner.items():
        members = value.get(name, [])
        for number, member in enumerate(members if isinstance(members, list) else [members]):
            place = f"{name}[{number}]" if isinstance(members, list) else name
            yield from _check_shape(member, inner, _join(path, place))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_parameters(properties: Json) -> Iterator[str]:
    for name, declaration in properties.get("parameters", {}).items():
        kind = str(declaration.get("type", "")).lower()
        if kind not in TYPES:
            yield f"the parameter {name} has the type {declaration.get('type')}, which is not supported here"


def _check_expressions(loaded: Definitions, kind: str, properties: Json) -> Iterator[str]:
    """Parse every text that may be an expression, and hold its references to what is declared."""
    places = [properties, *properties.get("activities", ())]
    for text in _texts([place[name] for place in places for name in EVALUATED if name in place]):
        try:
            found = list(references(parse(text)))
        except ExpressionError as error:
            yield str(error)
            continue
        for reference in found:
            if not _is_declared(loaded, kind, properties, reference):
                yield f"{text!r} refers to {reference.scope}().{'.'.join(reference.path)}, which is not declared"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _is_declared(loaded: Definitions, kind: str, properties: Json, reference: Reference) -> bool:
    own = properties.get("parameters", {})
    if reference.scope != kind:
        return False
    if kind != "pipeline":
        return len(reference.path) == 1 and reference.path[0] in own
    match reference.path:
        case ("parameters", name):
            return name in own
        case ("globalParameters", name):
            return name in loaded.global_parameters
        case _:
            return reference.path in SYSTEM_VARIABLES


def _check_references(loaded: Definitions, properties: Json) -> Iterator[str]:
    """Hold every reference to a dataset, a linked service or a runtime to what that declares."""
    targets: dict[str, Mapping[str, Json]] = {
        "DatasetReference": loaded.datasets,
        "LinkedServiceReference": loaded.linked_services,
        "IntegrationRuntimeReference": {OWN_RUNTIME: {}},
    }
    for reference in _references(properties):
        target = targets[reference["type"]].get(reference["referenceName"])
        if target is None:
            yield f"there is no {reference['referenceName']} for its {reference['type']}"
            continue
        declared, given = target.get("parameters", {}), reference.get("parameters", {})
        missing = {name for name in declared.keys() - given.keys() if "defaultValue" not in declared[name]}
        for name in sorted(missing | (given.keys() - declared.keys())):
            fault = "is not given" if name in declared else "is not declared there"
            yield f"the parameter {name} of {reference['referenceName']} {fault}"


def _references(value: Any) -> Iterator[Json]:
    return (each for each in _objects(value) if "referenceName" in each)


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for member in value:
            yield from _objects(member)
    elif isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)


def _check_stores(properties: Json) -> Iterator[str]:
    """Hold the parameters of a secret's vault to objects: a text there is taken as it is, and not evaluated.

    Microsoft's support says so of storage; https://learn.microsoft.com/azure/data-factory/store-credentials-in-key-vault.
    """
    secrets = (each for each in _objects(properties) if each.get("type") == "AzureKeyVaultSecret")
    for store in (secret["store"] for secret in secrets):
        for name, value in store.get("parameters", {}).items():
            if isinstance(value, str) and value.startswith("@"):
                yield (
                    f"the parameter {name} of {store['referenceName']} is the text {value!r}, which is not "
                    "evaluated within a secret: it needs an object with the type Expression"
                )


def all_activities(activities: list[Json]) -> Iterator[Json]:
    """Return activities, and those within conditions."""
    for activity in activities:
        yield activity
        for name in BRANCHES.values():
            yield from all_activities(activity["typeProperties"].get(name, []))


def _check_copies(activities: list[Json]) -> Iterator[str]:
    for activity in (each for each in activities if each["type"] == "Copy"):
        for side in ("inputs", "outputs"):
            if len(activity[side]) != 1:
                yield f"{activity['name']} has {len(activity[side])} {side} instead of one"
        yield from _check_selection(activity)
        try:
            read_policy(activity.get("policy", {}))
        except PolicyError as error:
            yield f"{activity['name']} {error}"


def _check_selection(activity: Json) -> Iterator[str]:
    """Hold a copy to one way of choosing files: a list is another way than a wildcard, and not combined with it.

    https://learn.microsoft.com/azure/data-factory/connector-amazon-simple-storage-service#amazon-s3-as-a-source-type
    """
    store = activity["typeProperties"]["source"]["storeSettings"]
    if "fileListPath" in store and store.keys() & {"wildcardFileName", "recursive"}:
        yield f"{activity['name']} has a fileListPath, which wildcardFileName and recursive do not go with"


def _check_names(activities: list[Json]) -> Iterator[str]:
    names = [activity["name"] for activity in activities]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"there are several activities named {name}"


def _check_orders(activities: list[Json]) -> Iterator[str]:
    yield from _check_order(activities)
    for activity in activities:
        for name in BRANCHES.values():
            yield from _check_orders(activity["typeProperties"].get(name, []))


def _check_order(activities: list[Json]) -> Iterator[str]:
    """Hold activities to dependencies that lead to a beginning."""
    names = [activity["name"] for activity in activities]
    waiting = {
        activity["name"]: {dependency["activity"] for dependency in activity.get("dependsOn", [])}
        for activity in activities
    }
    for activity in activities:
        for dependency in activity.get("dependsOn", []):
            for condition in dependency["dependencyConditions"]:
                if condition not in CONDITIONS:
                    yield f"{activity['name']} depends on the condition {condition}, which there is not"
    while ready := [name for name, before in waiting.items() if not before & waiting.keys()]:
        for name in ready:
            if unknown := waiting.pop(name) - set(names):
                yield f"{name} depends on {', '.join(sorted(unknown))}, which there is not"
    if waiting:
        yield f"{', '.join(waiting)} depend on each other"
