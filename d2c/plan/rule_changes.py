"""Check that a replay changes no rule that decides the place of documents in the container."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.mapping.parse_rules import parse_rules
from d2c.mapping.rules import KeySchema, Rules, RulesError


def faults_of_rules(
    before: Mapping[str, Any], after: Mapping[str, Any], source: Mapping[str, Any]
) -> Sequence[str]:
    """Return why rejected items cannot be replayed by new rules; empty if they can.

    Partition key and document id must not change: an item could otherwise have two documents in the container.

    Args:
        before: the rules that rejected the items last.
        after: the new rules.
        source: the table as returned by `describe_source`.
    """
    keys, ttl_attribute = KeySchema(source["hash_key"], source["range_key"]), source["ttl_attribute"]
    old = parse_rules(before, keys, ttl_attribute=ttl_attribute)
    try:
        new = parse_rules(after, keys, ttl_attribute=ttl_attribute)
    except RulesError as error:
        return error.faults
    return [
        f"{rule}: a replay may not change {what}, which identifies documents; keep it at {_json(was)}"
        for rule, what, read in _FIXED
        if _json(was := read(old, old)) != _json(read(new, old))
    ]


def _constants_in_key(rules: Rules, old: Rules) -> dict[str, Any]:
    return {name: rules.constants.get(name) for name in old.partition_key if name in old.constants}


def _properties_of_key(rules: Rules, old: Rules) -> list[str]:
    return [rules.property_of(name) for name in old.partition_key_attributes]


# A rule, its fixed part in words, and a function that reads that part from rules, given the previous ones.
_FIXED: tuple[tuple[str, str, Callable[[Rules, Rules], Any]], ...] = (
    ("partition_key", "the partition key", lambda rules, old: rules.partition_key),
    ("rename", "the names of the partition key", _properties_of_key),
    ("set", "a constant in the partition key", _constants_in_key),
    ("document_id", "the attributes of the document id", lambda rules, old: rules.document_id),
    ("ttl", "the time to live", lambda rules, old: "off" if rules.ttl_attribute is None else "convert"),
)


def _json(value: Any) -> str:
    return json.dumps(value)
