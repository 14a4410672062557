"""Partial document update. https://learn.microsoft.com/azure/cosmos-db/partial-document-update"""

from collections.abc import Callable
from typing import Any

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expressions import Row
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.sql.values import is_number

MOST_OPERATIONS = 10


def patched(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a document changed by a patch, in place.

    Args:
        document: parsed JSON.
        patch: ``{"operations": [{"op", "path", "value", "from"}], "condition": "from c where ..."}``.

    Raises:
        CosmosError: 400 for an impossible operation; 412/1110 if the condition does not hold.
    """
    condition, operations = patch.get("condition"), patch.get("operations")
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
        raise CosmosError(400, f"A patch has from 1 to {MOST_OPERATIONS} operations.")
    if condition:
        where = parse(f"SELECT * {condition}").where
        if where and where.expression(Row(document, {}, [])) is not True:
            raise CosmosError(412, "The pre-condition of the patch is not met.", 1110)
    for operation in operations:
        if not isinstance(operation, dict):
            raise CosmosError(400, "An operation of the patch is not a JSON object.")
        _apply(document, operation)
    return document


def _apply(document: dict[str, Any], operation: dict[str, Any]) -> None:
    kind, value = str(operation.get("op", "")).lower(), operation.get("value")
    if kind == "move":
        kind, value = "set", _taken(document, operation.get("from"))
    apply, path = _OPERATIONS.get(kind), operation.get("path")
    if apply is None:
        raise CosmosError(400, f"The patch operation {operation.get('op')} at {path} is not supported here.")
    _at(document, path, lambda target, name: apply(target, name, value))


def _taken(document: dict[str, Any], path: Any) -> Any:
    """Remove what is at a path, and return it."""
    return _at(document, path, lambda target, name: target.pop(_place(target, name)))


def _at(document: dict[str, Any], path: Any, act: Callable[[Any, str], Any]) -> Any:
    """Act on the object or array that holds what a path leads to, by the name of it there.

    Raises:
        CosmosError: 400, if the path leads nowhere.
    """
    if not isinstance(path, str) or not path.startswith("/"):
        raise CosmosError(400, f"The path {path} of the patch is none.")
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
    try:
        target: Any = document
        for name in parents:
            target = target[_place(target, name)]
        if not isinstance(target, dict | list):
            raise TypeError(path)
        return act(target, last)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CosmosError(400, f"The path {path} of the patch is not there.") from error


def _place(target: Any, name: str) -> Any:
    if isinstance(target, list) and not name.isdecimal():
        raise ValueError(name)
    return int(name) if isinstance(target, list) else name


def _add(target: Any, name: str, value: Any) -> None:
    if isinstance(target, list):
        place = len(target) if name == "-" else _place(target, name)
        if place > len(target):
            raise IndexError(name)
        target.insert(place, value)
    else:
        target[name] = value


def _set(target: Any, name: str, value: Any) -> None:
    if isinstance(target, list) and name == "-":
        target.append(value)
    else:
        target[_place(target, name)] = value


def _replace(target: Any, name: str, value: Any) -> None:
    target[_place(target, name)]  # raises where there is nothing to replace
    target[_place(target, name)] = value


def _remove(target: Any, name: str, _: Any) -> None:
    del target[_place(target, name)]


def _increment(target: Any, name: str, value: Any) -> None:
    place = _place(target, name)
    number = target.get(place, 0) if isinstance(target, dict) else target[place]
    if not is_number(number) or not is_number(value):
        raise TypeError(name)
    target[place] = number + value


_OPERATIONS: dict[str, Callable[[Any, str, Any], None]] = {
    "add": _add,
    "set": _set,
    "replace": _replace,
    "remove": _remove,
    "incr": _increment,
}
