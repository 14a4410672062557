"""Cosmos DB checks of a table's container: it can be created, or it exists and fits."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2c.checks.cosmos.existing import (
    CONTAINER,
    DOCUMENTS,
    LOCK,
    ContainerReads,
    check_documents,
    check_fit,
    check_lock,
)
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
from d2c.clients.azure.cosmos.management import Container, Throughput
from d2c.load_run.throughput.sizing import scaling_of_shared
from d2c.mapping import Mapper, Rules
from d2c.mapping.container import find_concerns, wanted_container
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

KEY_ORDER, COUNTING, LATE_INDEXES = "order of the partition key", "counting", "indexing after the load"


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
    check = _Check(table, mapper, planned_of, reads, tuple(indexes))
    check.container(number_keys)
    if check.existing is not None:
        check.documents_and_throughput(check.existing)
    if check.throughput is None and shares(table):
        check.shared_throughput()
    check.lock(migration)
    check.indexing()
    return check.result()


class _Check:
    """What is found out about a table's container, one thing after the other."""

    def __init__(
        self,
        table: Mapping[str, Any],
        mapper: Mapper | None,
        planned_of: PlannedOf,
        reads: ContainerReads,
        indexes: Sequence[TableIndex],
    ) -> None:
        self._table, self._mapper, self._indexes = table, mapper, indexes
        self._planned_of, self._reads = planned_of, reads
        self._names = table["database"], table["container"]
        self._thing = "/".join(self._names)
        self._findings = Findings("Cosmos DB")
        self._wanted = _wanted_policy(table, mapper, indexes)
        self._policy = _policy_of_load(table, self._wanted)
        self._planned = planned_of(self._policy, None)
        self.existing: Container | None = None
        self.throughput: Throughput | None = None

    def container(self, number_keys: Sequence[str]) -> None:
        """Check that it fits if it exists, and can be created if not."""
        findings, thing = self._findings, self._thing
        with findings.attempt(thing, CONTAINER):
            existing = self.existing = self._reads.find_container(*self._names)
            if existing is None:
                findings.ok(
                    thing, CONTAINER, f"It does not exist yet; {_new_container(self._mapper, self._planned)}."
                )
                check_new_throughput(findings, thing, self._planned)
                return
            check_fit(findings, thing, existing, self._mapper, number_keys)
            self._policy = existing.indexing_policy
            for concern in find_concerns(existing, None if self._gets_indexes_late else self._wanted):
                findings.warning(thing, concern.title.lower(), f"It has {concern.cause}", concern.next_step)

    def documents_and_throughput(self, existing: Container) -> None:
        """Check what an existing container holds, and its RU/s."""
        with self._findings.attempt(self._thing, DOCUMENTS):
            check_documents(self._findings, self._thing, self._table, self._mapper, self._reads)
        with self._findings.attempt(self._thing, THROUGHPUT):
            self.throughput = self._reads.find_throughput(*self._names)
            if self.throughput is not None:
                self._planned = self._planned_of(existing.indexing_policy, self.throughput)
            if self.throughput is not None or not shares(self._table):
                check_throughput(self._findings, self._thing, self.throughput, self._planned)

    def shared_throughput(self) -> None:
        """Check the database whose RU/s it shares."""
        with self._findings.attempt(self._thing, SHARED):
            database = self._reads.find_database(self._names[0])
            shared = check_shared_database(self._findings, self._thing, self._table, database)
            planned = self._planned_of(self.existing.indexing_policy if self.existing else self._wanted, None)
            self._planned = planned._replace(scaling=scaling_of_shared(shared))

    def lock(self, migration: str) -> None:
        """Check that no other migration has it."""
        with self._findings.attempt(self._thing, LOCK):
            check_lock(self._findings, self._thing, self._reads.record(*self._names), migration)

    def indexing(self) -> None:
        """Tell what its policy indexes, as far as that is known."""
        mapper, policy, findings, thing = self._mapper, self._final_policy, self._findings, self._thing
        if mapper is None or policy is None or self._policy is None:
            return
        is_new = self.existing is None or self._gets_indexes_late
        with findings.attempt(thing, INDEXING):
            _check_key_order(findings, thing, mapper.rules)
            findings.found += check_indexes(thing, mapper.rules, self._indexes, policy, is_new=is_new)
            if self._gets_indexes_late:
                _tell_late_indexes(findings, thing)
            if self._table.get("verify") == "counts" and not indexes_all(self._policy):
                _tell_counting(findings, thing, self._planned.size_bytes)

    def result(self) -> CheckedContainer:
        """Return what was found."""
        final = self._final_policy
        return CheckedContainer(
            self._findings.found,
            self.existing is not None,
            self.throughput.ru_per_second if self.throughput else None,
            self._planned,
            self._policy,
            _indexed(self._table, self._mapper, self._indexes) if self.existing is None else None,
            write_factor(final) - 1 if self._gets_indexes_late and final else 0.0,
        )

    @property
    def _gets_indexes_late(self) -> bool:
        return self._policy is not None and is_late(self._policy)

    @property
    def _final_policy(self) -> Mapping[str, Any] | None:
        return self._wanted if self._gets_indexes_late else self._policy


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
