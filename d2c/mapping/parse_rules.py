"""Parse a plan's rules to `Rules`, reporting all faults at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from d2c.foreign_json import quoted
from d2c.mapping.names import NAMES_OF_COSMOS, can_stand_in_path, has_form_of_path, is_name
from d2c.mapping.numbers import MAX_EXACT_INTEGER, NUMBER_RULES
from d2c.mapping.rules import KeySchema, Rules, RulesError
from d2c.mapping.values import MAX_DEPTH

MAX_PARTITION_KEY_LEVELS = 3
TTL_RULES = ("convert", "off")


def parse_rules(
    given: Mapping[str, Any],
    key_schema: KeySchema,
    *,
    ttl_attribute: str | None = None,
    container_has_ttl: bool | None = None,
) -> Rules:
    """Return the rules with their defaults, after checking that all are known and possible.

    Args:
        given: the rules as JSON values; an empty object gives the defaults.
        key_schema: the table's key attributes.
        ttl_attribute: the table's time-to-live attribute, None if the table has time to live off.
        container_has_ttl: whether the container has time to live on; None: if and only if it is converted.

    Raises:
        RulesError: with every fault.
    """
    if not isinstance(given, Mapping):
        raise RulesError(["rules: must be a JSON object"])
    faults = list(_faults_of_form(given))
    usable = {name: value for name, value in given.items() if name in _FORMS and _FORMS[name][1](value)}
    misformed = (given.keys() & _FORMS.keys()) - usable.keys()
    default_ttl = "convert" if ttl_attribute is not None and "ttl" not in misformed else "off"
    converts_ttl = usable.get("ttl", default_ttl) == "convert"
    rules = _with_defaults(usable, key_schema, ttl_attribute if converts_ttl else None, container_has_ttl)
    for find_faults, read_rules in _CHECKS.items():
        if misformed.isdisjoint(read_rules):
            faults += find_faults(rules)
    if converts_ttl and ttl_attribute is None:
        faults.append(
            "ttl: the table has no time-to-live attribute to convert; omit the rule or set it to `off`"
        )
    if converts_ttl and container_has_ttl is False:
        faults.append("ttl: the container has time to live off; turn it on there or set the rule to `off`")
    if faults:
        raise RulesError(faults)
    return rules


def default_document_id(keys: KeySchema, partition_key: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes of the document id if no rule names others."""
    id_of_sort_key = keys.range_key is not None and partition_key == (keys.hash_key,)
    return keys.names[-1:] if id_of_sort_key else keys.names


def _with_defaults(
    given: Mapping[str, Any], keys: KeySchema, ttl_attribute: str | None, container_has_ttl: bool | None
) -> Rules:
    partition_key = tuple(given.get("partition_key", (keys.hash_key,)))
    return Rules(
        key_schema=keys,
        partition_key=partition_key,
        document_id=tuple(given.get("document_id", default_document_id(keys, partition_key))),
        rename=dict(given.get("rename", {})),
        drop=frozenset(given.get("drop", ())),
        constants=dict(given.get("set", {})),
        numbers=given.get("numbers", "exact"),
        ttl_attribute=ttl_attribute,
        container_has_ttl=ttl_attribute is not None if container_has_ttl is None else container_has_ttl,
    )


def _faults_of_form(given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        expectation, fits = _FORMS.get(name, (None, None))
        if fits is None:
            yield f"{name:.100}: unknown rule; known rules are {', '.join(sorted(_FORMS))}"
        elif not fits(value):
            yield f"{name}: must be {expectation}"


def _faults_of_paths(rules: Rules) -> Iterator[str]:
    """Find names that are meant as paths; one that is truly an attribute's is a key, or renamed."""
    known = {*rules.key_schema.names, *rules.rename, *rules.constants}
    for name in rules.partition_key:
        if name in known or not has_form_of_path(name):
            continue
        inside = name.strip("/")
        if has_form_of_path(inside):
            meant = (
                "an attribute inside another one cannot be a partition key, only one at the top of an item"
            )
        else:
            meant = f"name the attribute, {quoted(inside)}"
        yield (
            f"partition_key: {quoted(name)} reads as a path; {meant}. Where an attribute has this very name, give it "
            "another with `rename`"
        )


def _faults_of_partition_key(rules: Rules) -> Iterator[str]:
    for name in rules.partition_key:
        if name not in rules.constants:
            continue
        if isinstance(rules.constants[name], (dict, list)) or rules.constants[name] == "":
            yield (
                f"partition_key: the constant `{name:.100}` must be text that is not empty, a number, true, false or "
                "null"
            )
        if name in rules.key_schema.names or name in rules.rename:
            yield (
                f"partition_key: `{name:.100}` is an attribute and a constant; give the constant another name in "
                "`set`"
            )
    for name, found in zip(rules.partition_key, rules.partition_key_properties, strict=True):
        if not can_stand_in_path(found):
            yield (
                f"partition_key: `{name:.100}` has a quote, backslash or control character, which a path cannot "
                "contain; give it another name with `rename`"
            )


def _faults_of_identity(rules: Rules) -> Iterator[str]:
    keys = rules.key_schema.names
    for name in rules.document_id:
        if name not in keys:
            yield f"document_id: `{name:.100}` is not a key attribute of the table; use only {', '.join(keys)}"
    for name in keys:
        if name not in rules.document_id and name not in rules.partition_key_attributes:
            yield (
                f"document_id: the key attribute `{name:.100}` is neither in the document id nor in the partition key, "
                "so two items could become one document; add it to one of them"
            )


def _faults_of_drop(rules: Rules) -> Iterator[str]:
    for name in rules.required_attributes:
        if name in rules.drop:
            yield f"drop: `{name:.100}` is part of the key or the partition key and cannot be dropped"


def _faults_of_rename(rules: Rules) -> Iterator[str]:
    for name in rules.rename:
        if name in rules.drop:
            yield f"rename: `{name:.100}` is dropped; remove it from `drop` or from `rename`"


def _faults_of_targets(rules: Rules) -> Iterator[str]:
    for name, target in rules.rename.items():
        if target in NAMES_OF_COSMOS:
            yield f"rename: `{name:.100}` cannot become `{target:.100}`, which Cosmos DB reserves; use another name"
    for name in rules.constants:
        if name in NAMES_OF_COSMOS:
            yield f"set: `{name:.100}` is reserved by Cosmos DB; use another name"


def _faults_of_names(rules: Rules) -> Iterator[str]:
    """Find names that two values would have in every document, so that every item would be rejected."""
    owners = dict.fromkeys(rules.constants, "a constant of `set`")
    for attribute in rules.required_attributes:
        name = rules.property_of(attribute)
        if name in owners:
            yield f"rename: `{attribute:.100}` and {owners[name]} would both become `{name:.100}`; rename one of them"
        owners[name] = f"`{attribute:.100}`"


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(is_name, value)) and len(set(value)) == len(value)


def _is_partition_key(value: Any) -> bool:
    return _is_list_of_names(value) and 1 <= len(value) <= MAX_PARTITION_KEY_LEVELS


def _is_document_id(value: Any) -> bool:
    return _is_list_of_names(value) and len(value) > 0


def _is_rename(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(is_name, value)) and all(map(is_name, value.values()))


def _is_set(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(is_name, value)) and all(map(_is_constant, value.values()))


def _is_constant(value: Any, depth: int = 1) -> bool:
    """Return whether a value is JSON that Cosmos DB stores unchanged: not too deep, and exact."""
    if isinstance(value, dict):
        return depth <= MAX_DEPTH and all(
            isinstance(name, str) and _is_constant(name) and _is_constant(member, depth + 1)
            for name, member in value.items()
        )
    if isinstance(value, list):
        return depth <= MAX_DEPTH and all(_is_constant(member, depth + 1) for member in value)
    if isinstance(value, (int, float)):
        return (
            abs(value) <= MAX_EXACT_INTEGER
            if isinstance(value, int)
            else float("-inf") < value < float("inf")
        )
    if value is None:
        return True
    try:
        return isinstance(value, str) and bool(orjson.dumps(value))
    except orjson.JSONEncodeError:  # a lone surrogate
        return False


_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "partition_key": ("a list of one to three different attributes or constants", _is_partition_key),
    "document_id": ("a list of one or two different key attributes", _is_document_id),
    "rename": ("an object from attribute to new name, both text that is not empty", _is_rename),
    "drop": ("a list of different attributes", _is_list_of_names),
    "set": ("an object from name to JSON value, with numbers that binary64 represents exactly", _is_set),
    "numbers": (f"one of {', '.join(NUMBER_RULES)}", lambda value: value in tuple(NUMBER_RULES)),
    "ttl": (f"one of {', '.join(TTL_RULES)}", lambda value: value in TTL_RULES),
}
_CHECKS: dict[Callable[[Rules], Iterator[str]], frozenset[str]] = {
    _faults_of_paths: frozenset({"partition_key", "rename", "set"}),
    _faults_of_partition_key: frozenset({"partition_key", "document_id", "rename", "set"}),
    _faults_of_identity: frozenset({"partition_key", "document_id", "set"}),
    _faults_of_drop: frozenset({"partition_key", "drop", "set"}),
    _faults_of_rename: frozenset({"drop", "rename"}),
    _faults_of_targets: frozenset(),
    _faults_of_names: frozenset({"partition_key", "document_id", "rename", "set"}),
}
"""Each check with the rules that it reads; a check is skipped if one of those has an invalid form."""
