"""What is proposed for one table, by what DynamoDB says of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from d2c.load_run.census.counts import LOGICAL_PARTITION_BYTES
from d2c.load_run.throughput.sizing import AFTER_LOAD_RU
from d2c.mapping import KeySchema, Rules, RulesError, parse_rules
from d2c.mapping.indexing import KEYS, policy_of, with_composites, write_factor
from d2c.report.formats import size

if TYPE_CHECKING:
    from d2c.clients.aws.dynamodb import TableDescription

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections.SizeLimit
ITEM_COLLECTION_BYTES = 10 * 10**9
# A unit reads 4 KB a second consistently, or writes 1 KB.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html
RU_OF_A_READ_UNIT = 4
RU_OF_A_WRITE_UNIT = 5

Json = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A table as it was looked at.

    Args:
        name: its name.
        description: what DynamoDB says of it, or None.
        has_recovery: whether point-in-time recovery is on.
        problem: why there is no description.
    """

    name: str
    description: "TableDescription | None"
    has_recovery: bool = False
    problem: str = ""


def reasons_for(seen: Seen) -> Iterator[Json]:
    """Yield what is proposed for a table, and why."""
    table = seen.description
    rules = rules_of(table) if table else None
    if table is None or rules is None:
        return
    for field, value, reason in (
        ("rules.partition_key", ", ".join(rules.partition_key_paths), _of_key(table, rules)),
        ("rules.ttl", "convert" if table.ttl_attribute else "off", _of_ttl(table)),
        ("indexing", KEYS, _of_indexing(table, rules)),
    ):
        yield {"table": seen.name, "field": field, "value": value, "reason": reason}


def questions_about_all(tables: Sequence[Seen]) -> Iterator[Json]:
    """Yield what only the user can decide about all tables: a matter of how they are used."""
    known = [seen.description for seen in tables if seen.description]
    on_demand = sum(not (table.read_units or table.write_units) for table in known)
    if on_demand:
        yield _question(
            None,
            "throughput.kind",
            f"{on_demand:,} of {len(known):,} tables are on demand. Will their containers be idle most of the time?",
            _choice("No, or not known: manual throughput, paid by the hour whether it is used or not"),
            _choice(
                "Yes: autoscale, which costs half as much again for what is used, and a tenth of its maximum when idle",
                {"throughput": {"kind": "autoscale"}},
            ),
        )


def questions_about(seen: Seen, region: str) -> Iterator[Json]:
    """Yield what only the user can decide about a table.

    Each has choices, the first of which is what the plan has; one without choices is a task.

    Args:
        seen: the table.
        region: its AWS region.
    """
    table = seen.description
    if table is None:
        yield _question(seen.name, "table", f"It could not be looked at: {seen.problem}")
        return
    for fault in faults_of_keys(table):
        yield _question(seen.name, "rules", f"Its keys cannot be mapped as they are: {fault}")
    if not seen.has_recovery:
        yield _recovery(seen.name, region)
    if not table.item_count:
        yield _question(
            seen.name,
            "table",
            "DynamoDB counts no items, which it does about every six hours. If it is not empty, the price is higher.",
        )
    if table.range_key and table.size_bytes > LOGICAL_PARTITION_BYTES and not _has_lsi(table):
        yield _large_partitions(seen.name, table)
    rules = rules_of(table)
    if rules and any(len(index.range_keys) > 1 for index in table.indexes):
        yield _composites(seen.name, table, rules)
    if provisioned_ru(table) > AFTER_LOAD_RU:
        yield _throughput(seen.name, table)


def rules_of(table: "TableDescription") -> Rules | None:
    """Return the rules by which a table is mapped if a plan has none; None if its keys need rules of their own."""
    return None if faults_of_keys(table) else _rules(table)


def faults_of_keys(table: "TableDescription") -> Sequence[str]:
    """Return why a table's keys cannot be mapped without rules."""
    try:
        _rules(table)
    except RulesError as error:
        return error.faults
    return ()


def _rules(table: "TableDescription") -> Rules:
    return parse_rules({}, KeySchema(table.hash_key, table.range_key), ttl_attribute=table.ttl_attribute)


def _of_key(table: "TableDescription", rules: Rules) -> str:
    identity = f"the document id is made of {', '.join(rules.document_id)}"
    why = f"the table's hash key, by which DynamoDB spreads its items and its queries ask; {identity}"
    if _has_lsi(table):
        return (
            f"{why}; with a local secondary index DynamoDB lets no value of it hold more than "
            f"{size(ITEM_COLLECTION_BYTES)}, and Cosmos DB takes {size(LOGICAL_PARTITION_BYTES)}"
        )
    return why


def _of_ttl(table: "TableDescription") -> str:
    if table.ttl_attribute is None:
        return "the table has no time to live"
    return f"items expire by the attribute {table.ttl_attribute}, and so will documents"


def _of_indexing(table: "TableDescription", rules: Rules) -> str:
    policy = policy_of(KEYS, rules, table.index_keys)
    indexes = ", ".join(f"{index.kind} {index.name}" for index in table.indexes)
    whose = f"the table and {indexes}" if indexes else "the table, which has no secondary index"
    # A property `id` is indexed in any case.
    paths = ", ".join(each["path"] for each in policy["includedPaths"]) or "id"
    return (
        f"queries use the keys of {whose}: {paths}. A write costs about {write_factor(policy):.3g} times as much as "
        "without indexes, and twice as much with all properties"
    )


def _recovery(name: str, region: str) -> Json:
    return _question(
        name,
        "exclude",
        "Point-in-time recovery is off, and exports require it. Is the table to be migrated?",
        _choice(
            f"Yes: turn it on before (aws dynamodb update-continuous-backups --region {region} --table-name {name} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true)"
        ),
        _choice("No: leave the table out", leave_out=True),
    )


def _large_partitions(name: str, table: "TableDescription") -> Json:
    return _question(
        name,
        "rules.partition_key",
        f"The table has {size(table.size_bytes)}. Can the items of one {table.hash_key} be more than "
        f"{size(LOGICAL_PARTITION_BYTES)}, which is the most that Cosmos DB takes?",
        _choice(f"No: the partition key is {table.hash_key}"),
        _choice(
            f"Yes: a hierarchical key of {table.hash_key} and {table.range_key}; queries by {table.hash_key} still ask "
            "few partitions",
            {"rules": {"partition_key": [table.hash_key, table.range_key]}},
        ),
    )


def _composites(name: str, table: "TableDescription", rules: Rules) -> Json:
    policy = with_composites(policy_of(KEYS, rules, table.index_keys), rules, table.indexes)
    return _question(
        name,
        "indexing",
        "A secondary index has several sort keys. Do queries sort by more than one of them?",
        _choice("No: an index for each key attribute is enough"),
        _choice("Yes: ORDER BY over several properties needs composite indexes", {"indexing": policy}),
    )


def provisioned_ru(table: "TableDescription") -> int:
    """Return about what RU/s do as much as a table's provisioned units; 0 on demand."""
    return table.read_units * RU_OF_A_READ_UNIT + table.write_units * RU_OF_A_WRITE_UNIT


def _throughput(name: str, table: "TableDescription") -> Json:
    ru_per_second = min(max(math.ceil(provisioned_ru(table) / 100) * 100, 400), 1_000_000)
    return _question(
        name,
        "throughput.after_load_ru_per_second",
        f"The table is provisioned for {table.read_units:,} read and {table.write_units:,} write units. What does the "
        "application need after the load?",
        _choice("The least: it is raised when the application moves"),
        _choice(
            f"About as much: {ru_per_second:,} RU/s",
            {"throughput": {"after_load_ru_per_second": ru_per_second}},
        ),
    )


def _has_lsi(table: "TableDescription") -> bool:
    return any(index.kind == "LSI" for index in table.indexes)


def _question(table: str | None, field: str, text: str, *choices: Json) -> Json:
    return {"table": table, "field": field, "question": text, "choices": list(choices)}


def _choice(text: str, settings: Json | None = None, *, leave_out: bool = False) -> Json:
    return {"answer": text, "settings": settings or {}, "leave_out": leave_out}
