"""Cosmos DB checks of indexes: which index serves the queries of each secondary index of a table."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.checks.findings import Finding, Findings
from d2c.errors import listed
from d2c.mapping import Rules
from d2c.mapping.indexing import (
    TableIndex,
    composite_of,
    indexes_all,
    is_indexed,
    missing_keys,
    named_paths,
    policy_with,
    with_composites,
    write_factor,
)

INDEXING, SECONDARY_INDEX, SHARED = "indexing", "secondary index", "indexing of a shared container"
Json = Mapping[str, Any]
# What becomes of a key attribute's order where the document holds it as text.
AS_TEXT = {"B": "base64 text, which has another order than its bytes"}
NUMBERS_AS_TEXT = {"N": "text, since rules.numbers is string, so that 10 comes before 9"}


def check_indexes(
    thing: str, rules: Rules, indexes: Sequence[TableIndex], policy: Json, *, is_new: bool
) -> list[Finding]:
    """Tell what a container's indexing policy costs, and how it serves the queries of a table's secondary indexes.

    Args:
        thing: the container's name in the findings.
        rules: the table's.
        indexes: its secondary indexes.
        policy: the container's.
        is_new: whether the container will be created with it.
    """
    findings = Findings("Cosmos DB")
    composites = _composites(rules, indexes, policy, "indexing" if is_new else "indexingPolicy")
    indexed = "every property" if indexes_all(policy) else ", ".join(named_paths(policy)) or "no property"
    findings.ok(
        thing,
        INDEXING,
        f"Its policy {'will index' if is_new else 'indexes'} {indexed}: a write costs about {write_factor(policy):.3g} "
        f"times as many RU as without indexes.{composites}",
    )
    for index in indexes:
        _check_index(findings, rules, index, policy)
    return findings.found


def check_shared_indexing(tables: Sequence[Json]) -> list[Finding]:
    """Warn of containers that the first of several tables will create with the indexes of its own keys alone.

    Args:
        tables: with ``table``, ``database``, ``container``, and ``indexed``: the properties that `keys` indexes, or
            None if the container exists or the plan has a policy.
    """
    findings = Findings("Cosmos DB")
    sharers: defaultdict[str, list[Json]] = defaultdict(list)
    for table in tables:
        if table.get("indexed") is not None:
            sharers[f"{table['database']}/{table['container']}"].append(table)
    for container, sharing in sharers.items():
        if len({tuple(sorted(table["indexed"])) for table in sharing}) > 1:
            names = [name for table in sharing for name in table["indexed"]]
            findings.warning(
                container,
                SHARED,
                f"The first of {listed([table['table'] for table in sharing])} creates it, with the indexes of its own "
                "keys; those of the others stay without.",
                f"Give all of them this in the plan: {_json({'indexing': policy_with(names)})}",
            )
    return findings.found


def _composites(rules: Rules, indexes: Sequence[TableIndex], policy: Json, field: str) -> str:
    whole = with_composites(policy, rules, indexes)
    if len(whole["compositeIndexes"]) == len(policy.get("compositeIndexes") or ()):
        return ""
    return (
        " With a composite index for each secondary index, which ORDER BY over several properties needs, it is "
        f"{_json({field: whole})}"
    )


def _check_index(findings: Findings, rules: Rules, index: TableIndex, policy: Json) -> None:
    thing = f"{index.kind} {index.name}"
    gone = list(missing_keys(rules, index))
    if gone:
        findings.warning(
            thing,
            SECONDARY_INDEX,
            f"It has no counterpart: {', '.join(gone)} is dropped by the rules, or has a name that no path can hold.",
            "Keep the attribute, or give it another name with rules.rename, if queries need it.",
        )
        return
    lacking = [name for name in map(rules.property_of, index.keys) if not is_indexed(policy, name)]
    if lacking:
        findings.warning(
            thing,
            SECONDARY_INDEX,
            f"{_query(rules, index)} reads every document: the indexing policy has no path for {', '.join(lacking)}.",
            f"Add to its includedPaths: {_json(policy_with(lacking)['includedPaths'])}",
        )
        return
    composite = composite_of(rules, index)
    if len(index.range_keys) > 1 and composite not in (policy.get("compositeIndexes") or ()):
        findings.warning(
            thing,
            SECONDARY_INDEX,
            f"{_query(rules, index)} is refused: ORDER BY over several properties needs a composite index.",
            f"Add to the policy's compositeIndexes, if queries sort so: {_json(composite)}",
        )
        return
    findings.ok(thing, SECONDARY_INDEX, _served(rules, index, policy))


def _served(rules: Rules, index: TableIndex, policy: Json) -> str:
    paths = ", ".join(
        each["path"] for each in policy_with(map(rules.property_of, index.keys))["includedPaths"]
    )
    told = [f"{_query(rules, index)} uses the indexes of {paths}", _partitions(rules, index)]
    composite = composite_of(rules, index)
    if composite:
        has = composite in (policy.get("compositeIndexes") or ())
        told.append(f"its composite index {'is in the policy' if has else 'would be'}: {_json(composite)}")
    return "; ".join([*told, *_orders(rules, index)]) + "."


def _query(rules: Rules, index: TableIndex) -> str:
    """Return the query by an index's key: equal hash keys, in the order of the sort keys."""
    where = " AND ".join(f"{_name(rules, name)} = @{place}" for place, name in enumerate(index.hash_keys, 1))
    order = ", ".join(_name(rules, name) for name in index.range_keys)
    return f"WHERE {where}{f' ORDER BY {order}' if order else ''}"


def _name(rules: Rules, attribute: str) -> str:
    found = rules.property_of(attribute)
    return (
        f"c.{found}"
        if found.isidentifier() and found.isascii()
        else f"c[{json.dumps(found, ensure_ascii=False)}]"
    )


def _partitions(rules: Rules, index: TableIndex) -> str:
    found = set(map(rules.property_of, index.hash_keys))
    if found.issuperset(rules.partition_key_properties):
        return "it reads one partition"
    return "it asks all partitions, since its hash key is not the partition key"


def _orders(rules: Rules, index: TableIndex) -> list[str]:
    """Return a word for each sort key whose documents hold text in another order than the table's."""
    as_text = {**AS_TEXT, **(NUMBERS_AS_TEXT if rules.numbers == "string" else {})}
    tags = dict(zip(index.keys, index.types, strict=False))
    return [f"{name} is {as_text[tag]}" for name in index.range_keys if (tag := tags.get(name)) in as_text]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
