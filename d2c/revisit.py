"""What may be asked of a migration that has ended: to verify it again, and to replay its rejected items.

The bodies of these requests are validated whole, with every fault named at once.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from d2c.bodies import read_body
from d2c.errors import BodyError
from d2c.mapping import KeySchema, Rules, RulesError, parse_rules
from d2c.plan import RulesPlan, StrictModel, TableName, Verify


class VerifyBody(StrictModel):
    """Which tables are verified, and how; all of them, and as the plan says, where it is left out."""

    tables: Annotated[list[TableName], Field(min_length=1)] | None = None
    verify: Verify | None = None


class ReplayTable(StrictModel):
    """A table whose rejected items are replayed, and the rules that change for them."""

    table: TableName
    rules: RulesPlan | None = None


class ReplayBody(StrictModel):
    """Which tables' rejected items are replayed; those of all that have some, where it is left out."""

    tables: Annotated[list[ReplayTable], Field(min_length=1)] | None = None


@dataclass(frozen=True)
class Asked:
    """What a revisit is asked.

    ``tables`` has the changed rules of each table by its name, None where none change; it is None if no table is
    named. ``verify`` is None if it is to be as before.
    """

    tables: Mapping[str, Mapping[str, Any] | None] | None
    verify: str | None = None


def parse_body(operation: str, body: bytes, known_tables: Sequence[str]) -> Asked:
    """Read the body of a revisit's request.

    Args:
        operation: ``verify`` or ``replay``.
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Raises:
        BodyError: with every fault of it.
    """
    model, read = _BODIES[operation]
    parsed = read_body(model, body)
    named, asked = read(parsed)
    faults = [*_faults_of_names(named, known_tables)]
    if faults:
        raise BodyError(faults)
    return asked


def _verify_asked(body: Any) -> tuple[list[str], Asked]:
    names = body.tables or []
    return names, Asked(dict.fromkeys(names) or None, body.verify)


def _replay_asked(body: Any) -> tuple[list[str], Asked]:
    entries = body.tables or []
    rules = {
        entry.table: entry.rules and entry.rules.model_dump(mode="json", exclude_none=True)
        for entry in entries
    }
    return [entry.table for entry in entries], Asked(rules or None)


_BODIES: dict[str, tuple[type[StrictModel], Callable[[Any], tuple[list[str], Asked]]]] = {
    "verify": (VerifyBody, _verify_asked),
    "replay": (ReplayBody, _replay_asked),
}


def _faults_of_names(names: Sequence[str], known_tables: Sequence[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name not in known_tables:
            yield f"tables.{number}: {name} is no table of the migration"
        if first.setdefault(name, number) != number:
            yield f"tables.{number}: {name} is in tables.{first[name]} already"


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
