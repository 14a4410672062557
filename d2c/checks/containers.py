"""Cosmos DB checks of a table's container: it can be created, or it exists and fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.cosmos_management import Container, Throughput
from d2c.mapping import Mapper
from d2c.mapping.container import find_concerns, find_misfit, find_short_key, marks_of, wanted_container

CONTAINER, DOCUMENTS, THROUGHPUT, LOCK = "container", "documents", "throughput", "held by a migration"
# The maximum of a physical partition; scaling beyond the maximum of all partitions takes hours.
# https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
PARTITION_RU = 10_000
# The maximum of a container without a request to Azure's support.
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits
MOST_CONTAINER_RU = 1_000_000


class ContainerReads(Protocol):
    """The read calls that these checks need, each for a database and container."""

    def find_container(self, database: str, container: str) -> Container | None: ...

    def find_throughput(self, database: str, container: str) -> Throughput | None: ...

    def has_documents(self, database: str, container: str, constants: dict[str, Any]) -> bool: ...

    def record(self, database: str, container: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class CheckedContainer:
    """A checked container: whether it exists, and its current RU/s."""

    findings: list[Finding]
    exists: bool
    ru_per_second: int | None


def check_container(
    table: Mapping[str, Any],
    mapper: Mapper | None,
    load_ru_of: Callable[[int | None], int],
    migration: str,
    reads: ContainerReads,
    number_keys: Sequence[str] = (),
) -> CheckedContainer:
    """Check the container that a table will be loaded into.

    Args:
        table: its settings in the plan.
        mapper: the table's; None if the table's keys could not be read.
        load_ru_of: returns the RU/s of the load by those of the existing container, None for a new one.
        migration: the plan's name.
        reads: reads from the account and the lake.
        number_keys: the table's key attributes that are numbers.
    """
    database, container = table["database"], table["container"]
    thing = f"{database}/{container}"
    findings = Findings("Cosmos DB")
    existing: Container | None = None
    throughput: Throughput | None = None
    with findings.attempt(thing, CONTAINER):
        existing = reads.find_container(database, container)
        if existing is None:
            findings.ok(
                thing, CONTAINER, f"It does not exist yet; {_new_container(mapper, load_ru_of(None))}."
            )
        else:
            _check_fit(findings, thing, existing, mapper, number_keys)
            for concern in find_concerns(existing):
                findings.warning(thing, concern.title.lower(), f"It has {concern.cause}", concern.next_step)
    if existing is not None:
        with findings.attempt(thing, DOCUMENTS):
            _check_documents(findings, thing, table, mapper, reads)
        with findings.attempt(thing, THROUGHPUT):
            throughput = reads.find_throughput(database, container)
            _check_throughput(findings, thing, throughput, load_ru_of)
    with findings.attempt(thing, LOCK):
        _check_lock(findings, thing, reads.record(database, container), migration)
    ru_per_second = throughput.ru_per_second if throughput else None
    return CheckedContainer(findings.found, existing is not None, ru_per_second)


def _new_container(mapper: Mapper | None, load_ru: int) -> str:
    if mapper is None:
        return "its requirements depend on the table, which could not be read"
    wanted = wanted_container(mapper)
    time_to_live = "on" if wanted["default_ttl"] else "off"
    return (
        f"it will be created with the partition key {', '.join(wanted['partition_key_paths'])}, time to live "
        f"{time_to_live}, and {load_ru:,} RU/s for the load"
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


def _check_throughput(
    findings: Findings, thing: str, throughput: Throughput | None, load_ru_of: Callable[[int | None], int]
) -> None:
    if throughput is None:
        findings.warning(
            thing,
            THROUGHPUT,
            "It has no dedicated throughput, so it is not scaled for the load.",
            "Check that the database's throughput, or the serverless account, is enough for the load.",
        )
        return
    has = throughput.ru_per_second
    wanted = max(has, load_ru_of(has))
    kind = "at most by autoscale" if throughput.autoscale else "manual"
    at_once = max(-(-has // PARTITION_RU), 1) * PARTITION_RU
    summary = f"It has {has:,} RU/s ({kind}) and gets {wanted:,} for the load"
    if wanted > at_once:
        findings.warning(
            thing,
            THROUGHPUT,
            f"{summary}: its partitions surely provide only {at_once:,}, so scaling may take 4 to 6 hours.",
            "Scale it the day before, or request less with throughput.load_ru_per_second.",
        )
    else:
        findings.ok(thing, THROUGHPUT, f"{summary}.")


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
