"""What a replay may change in the rules: nothing that decides where documents are."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.mapping.parse_rules import parse_rules
from d2c.mapping.rules import KeySchema, Rules, RulesError


def faults_of_rules(
    before: Mapping[str, Any], after: Mapping[str, Any], source: Mapping[str, Any]
) -> Sequence[str]:
    """Return why rejected items cannot be replayed by new rules; nothing where they can.

    Where documents lie must stay as it is: else an item could be there twice, and none could say which is right.

    Args:
        before: the rules that the rejected items were mapped by last.
        after: the rules to map them by now.
        source: the table as `describe_source` found it.
    """
    keys, ttl_attribute = KeySchema(source["hash_key"], source["range_key"]), source["ttl_attribute"]
    old = parse_rules(before, keys, ttl_attribute=ttl_attribute)
    try:
        new = parse_rules(after, keys, ttl_attribute=ttl_attribute)
    except RulesError as error:
        return error.faults
    return [
        f"{rule}: a replay may not change {what}, for that decides where documents lie; leave it at {_told(was)}"
        for rule, what, read in _FIXED
        if _told(was := read(old, old)) != _told(read(new, old))
    ]


def _constants_in_key(rules: Rules, old: Rules) -> dict[str, Any]:
    return {name: rules.constants.get(name) for name in old.partition_key if name in old.constants}


def _properties_of_key(rules: Rules, old: Rules) -> list[str]:
    return [rules.property_of(name) for name in old.partition_key_attributes]


# A rule, what of it is fixed, and how that is read from rules, given those of before.
_FIXED: tuple[tuple[str, str, Callable[[Rules, Rules], Any]], ...] = (
    ("partition_key", "the partition key", lambda rules, old: rules.partition_key),
    ("rename", "what the partition key is called", _properties_of_key),
    ("set", "a constant in the partition key", _constants_in_key),
    ("document_id", "what the document id is made of", lambda rules, old: rules.document_id),
    ("ttl", "the time to live", lambda rules, old: "off" if rules.ttl_attribute is None else "convert"),
)


def _told(value: Any) -> str:
    return json.dumps(value)
