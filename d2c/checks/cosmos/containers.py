"""Cosmos DB checks of a table's container: it can be created, or it exists and fits."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from d2c.checks.cosmos.indexes import INDEXING, check_indexes
from d2c.checks.cosmos.sharing import SHARED, check_shared_database
from d2c.checks.cosmos.throughput import (
    THROUGHPUT,
    PlannedOf,
    PlannedThroughput,
    check_new_throughput,
    check_throughput,
    told_throughput,
)
from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.cosmos.management import Container, Database, Throughput
from d2c.load_run.throughput.sizing import scaling_of_shared
from d2c.mapping import Mapper, Rules
from d2c.mapping.container import find_concerns, find_misfit, find_short_key, marks_of, wanted_container
from d2c.mapping.indexing import (
    AFTER_LOAD,
    KEYS,
    TableIndex,
    indexed_properties,
    indexes_all,
    is_late,
    late_policy,
    policy_of,
    write_factor,
)
from d2c.plan.sharing import shares

CONTAINER, DOCUMENTS, LOCK = "container", "documents", "held by a migration"
KEY_ORDER, COUNTING, LATE_INDEXES = "order of the partition key", "counting", "indexing after the load"


class ContainerReads(Protocol):
    """The read calls that these checks need, each for a database and container."""

    def find_container(self, database: str, container: str) -> Container | None: ...

    def find_throughput(self, database: str, container: str) -> Throughput | None: ...

    def find_database(self, database: str) -> Database | None: ...

    def has_documents(self, database: str, container: str, constants: dict[str, Any]) -> bool: ...

    def record(self, database: str, container: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class CheckedContainer:
    """A checked container: whether it exists, its current RU/s, and its indexing policy if that is known.

    ``indexed`` has the properties that the plan's `keys` will index; None if the container or a policy exists.
    ``policy`` is that of the load; ``added_factor``: what indexes that are applied afterwards add to a write.
    """

    findings: list[Finding]
    exists: bool
    ru_per_second: int | None
    planned: PlannedThroughput
    policy: Mapping[str, Any] | None
    indexed: list[str] | None
    added_factor: float


def check_container(
    table: Mapping[str, Any],
    mapper: Mapper | None,
    planned_of: PlannedOf,
    migration: str,
    reads: ContainerReads,
    number_keys: Sequence[str] = (),
    indexes: Sequence[TableIndex] = (),
) -> CheckedContainer:
    """Check the container that a table will be loaded into.

    Args:
        table: its settings in the plan.
        mapper: the table's; None if the table's keys could not be read.
        planned_of: returns how the container is scaled.
        migration: the plan's name.
        reads: reads from the account and the lake.
        number_keys: the table's key attributes that are numbers.
        indexes: the table's secondary indexes.
    """
    wanted = _wanted_policy(table, mapper, indexes)
    database, container = table["database"], table["container"]
    thing = f"{database}/{container}"
    findings = Findings("Cosmos DB")
    existing: Container | None = None
    throughput: Throughput | None = None
    loads_by = _policy_of_load(table, wanted)
    planned = planned_of(loads_by, None)
    with findings.attempt(thing, CONTAINER):
        existing = reads.find_container(database, container)
        if existing is None:
            findings.ok(thing, CONTAINER, f"It does not exist yet; {_new_container(mapper, planned)}.")
            check_new_throughput(findings, thing, planned)
        else:
            _check_fit(findings, thing, existing, mapper, number_keys)
            loads_by = existing.indexing_policy
            for concern in find_concerns(existing, None if is_late(loads_by) else wanted):
                findings.warning(thing, concern.title.lower(), f"It has {concern.cause}", concern.next_step)
    if existing is not None:
        with findings.attempt(thing, DOCUMENTS):
            _check_documents(findings, thing, table, mapper, reads)
        with findings.attempt(thing, THROUGHPUT):
            throughput = reads.find_throughput(database, container)
            if throughput is not None:
                planned = planned_of(existing.indexing_policy, throughput)
            if throughput is not None or not shares(table):
                check_throughput(findings, thing, throughput, planned)
    if throughput is None and shares(table):
        with findings.attempt(thing, SHARED):
            shared = check_shared_database(findings, thing, table, reads.find_database(database))
            planned = planned_of(existing.indexing_policy if existing else wanted, None)
            planned = planned._replace(scaling=scaling_of_shared(shared))
    with findings.attempt(thing, LOCK):
        _check_lock(findings, thing, reads.record(database, container), migration)
    is_late_one = loads_by is not None and is_late(loads_by)
    policy = wanted if is_late_one else loads_by
    added = write_factor(policy) - 1 if is_late_one and policy else 0.0
    if mapper and policy is not None and loads_by is not None:
        with findings.attempt(thing, INDEXING):
            _check_key_order(findings, thing, mapper.rules)
            findings.found += check_indexes(
                thing, mapper.rules, indexes, policy, is_new=existing is None or is_late_one
            )
            if is_late_one:
                _tell_late_indexes(findings, thing)
            if table.get("verify") == "counts" and not indexes_all(loads_by):
                _tell_counting(findings, thing, planned.size_bytes)
    ru_per_second = throughput.ru_per_second if throughput else None
    indexed = _indexed(table, mapper, indexes) if existing is None else None
    return CheckedContainer(
        findings.found, existing is not None, ru_per_second, planned, loads_by, indexed, added
    )


def _wanted_policy(
    table: Mapping[str, Any], mapper: Mapper | None, indexes: Sequence[TableIndex]
) -> Mapping[str, Any] | None:
    return policy_of(table.get("indexing", KEYS), mapper.rules, _keys_of(indexes)) if mapper else None


def _indexed(
    table: Mapping[str, Any], mapper: Mapper | None, indexes: Sequence[TableIndex]
) -> list[str] | None:
    is_by_keys = mapper is not None and table.get("indexing", KEYS) == KEYS
    return indexed_properties(mapper.rules, _keys_of(indexes)) if mapper and is_by_keys else None


def _policy_of_load(table: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return late_policy() if wanted and table.get("apply_indexing") == AFTER_LOAD else wanted


def _tell_late_indexes(findings: Findings, thing: str) -> None:
    findings.ok(
        thing,
        LATE_INDEXES,
        "It is loaded and verified without indexes, and gets its indexing policy afterwards. Until the service has "
        "built the indexes, the container keeps the RU/s of the load, and queries that need them read every document.",
    )


def _tell_counting(findings: Findings, thing: str, size_bytes: int) -> None:
    """Tell what counting costs if no index answers it, which is not documented for a policy that excludes `/*`."""
    findings.ok(
        thing,
        COUNTING,
        "verify is counts, and the policy does not index everything: at worst the service reads every document to "
        f"count them, about {math.ceil(size_bytes / 1024):,} RU.",
    )


def _check_key_order(findings: Findings, thing: str, rules: Rules) -> None:
    """Warn of a partition key that begins with a constant.

    All documents with one value of the first level begin in one physical partition.
    https://learn.microsoft.com/azure/cosmos-db/hierarchical-partition-keys
    """
    first, *others = rules.partition_key
    if first not in rules.constants:
        return
    better = json.dumps(
        [*(name for name in others if name not in rules.constants), first], ensure_ascii=False
    )
    findings.warning(
        thing,
        KEY_ORDER,
        f"The partition key begins with the constant {first}: all documents of the table go to one physical partition, "
        "which takes 10,000 RU/s whatever the container has.",
        f"Put the constant last, such as rules.partition_key {better}, in each table of the container."
        if others
        else "Add an attribute before it, so that a logical partition does not hold the whole table.",
    )


def _keys_of(indexes: Sequence[TableIndex]) -> list[str]:
    return [name for index in indexes for name in index.keys]


def _new_container(mapper: Mapper | None, planned: PlannedThroughput) -> str:
    if mapper is None:
        return "its requirements depend on the table, which could not be read"
    wanted = wanted_container(mapper)
    time_to_live = "on" if wanted["default_ttl"] else "off"
    return (
        f"it will be created with the partition key {', '.join(wanted['partition_key_paths'])}, time to live "
        f"{time_to_live}, and {told_throughput(planned)}"
    )


def _check_fit(
    findings: Findings,
    thing: str,
    existing: Container,
    mapper: Mapper | None,
    number_keys: Sequence[str],
) -> None:
    if mapper is None:
        findings.skipped(
            thing, CONTAINER, "It exists; its requirements depend on the table, which could not be read."
        )
        return
    misfit = find_misfit(wanted_container(mapper), existing) or find_short_key(mapper, existing, number_keys)
    if misfit:
        findings.failed(thing, CONTAINER, f"{misfit.title}: it has {misfit.cause}", misfit.next_step)
    else:
        findings.ok(
            thing, CONTAINER, f"It exists, with the partition key {', '.join(existing.partition_key_paths)}."
        )


def _check_documents(
    findings: Findings, thing: str, table: Mapping[str, Any], mapper: Mapper | None, reads: ContainerReads
) -> None:
    marks = marks_of(mapper) if mapper else {}
    if not reads.has_documents(table["database"], table["container"], marks):
        findings.ok(thing, DOCUMENTS, "It is empty, or has no documents that could be this table's.")
    elif table["allow_existing_documents"]:
        findings.warning(
            thing,
            DOCUMENTS,
            "It has documents, which the plan allows: those with the same ids are overwritten.",
            "Verification reports the others as unexpected.",
        )
    else:
        findings.failed(
            thing,
            DOCUMENTS,
            "It already has documents.",
            "Empty it, name another container, or set allow_existing_documents in the plan.",
        )


def _check_lock(findings: Findings, thing: str, record: Mapping[str, Any] | None, migration: str) -> None:
    if record is None:
        findings.ok(thing, LOCK, "No migration has locked it.")
    elif record["migration"] == migration:
        findings.warning(
            thing,
            LOCK,
            f"The migration of this name has locked it, for its table {record['table']}.",
            f"Check its status: d2c status {migration}",
        )
    else:
        findings.failed(
            thing,
            LOCK,
            f"The migration {record['migration']} has locked it, for its table {record['table']}.",
            f"Wait until that table has ended, or cancel {record['migration']}; the watchdog unlocks the container if "
            "that migration no longer runs (docs/operate/watchdog.md).",
        )
