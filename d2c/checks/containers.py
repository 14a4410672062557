"""Cosmos DB: whether a table's container can be made, or is there already and fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.cosmos_management import Container, Throughput
from d2c.mapping import Mapper
from d2c.mapping.container import find_misfit, marks_of, wanted_container

CONTAINER, DOCUMENTS, THROUGHPUT, HOLDER = "container", "documents", "throughput", "held by a migration"
# A physical partition has at most this; to grow beyond what the partitions have takes hours.
# https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
PARTITION_RU = 10_000
# The most that a container gets without a request to Azure's support.
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits
MOST_CONTAINER_RU = 1_000_000


class ContainerReads(Protocol):
    """The looks at a container that this needs, each for its database and name."""

    def find_container(self, database: str, container: str) -> Container | None: ...

    def find_throughput(self, database: str, container: str) -> Throughput | None: ...

    def has_documents(self, database: str, container: str, constants: dict[str, Any]) -> bool: ...

    def record(self, database: str, container: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class CheckedContainer:
    """What a container was found to be: whether it is there, and the RU/s that it has."""

    findings: list[Finding]
    exists: bool
    ru_per_second: int | None


def check_container(
    table: Mapping[str, Any], mapper: Mapper | None, load_ru: int, migration: str, reads: ContainerReads
) -> CheckedContainer:
    """Look at the container that a table is to be loaded into.

    Args:
        table: its whole settings of the plan.
        mapper: the table's; None where the table itself did not tell its keys.
        load_ru: the RU/s that the load asks for.
        migration: the plan's name.
        reads: looks at the account and at the lake.
    """
    database, container = table["database"], table["container"]
    thing = f"{database}/{container}"
    findings = Findings("Cosmos DB")
    found: Container | None = None
    throughput: Throughput | None = None
    with findings.attempt(thing, CONTAINER):
        found = reads.find_container(database, container)
        if found is None:
            findings.ok(thing, CONTAINER, f"There is none yet; {_to_be_made(mapper, load_ru)}.")
        else:
            _check_fit(findings, thing, found, mapper)
    if found is not None:
        with findings.attempt(thing, DOCUMENTS):
            _check_documents(findings, thing, table, mapper, reads)
        with findings.attempt(thing, THROUGHPUT):
            throughput = reads.find_throughput(database, container)
            _check_throughput(findings, thing, throughput, load_ru)
    with findings.attempt(thing, HOLDER):
        _check_holder(findings, thing, reads.record(database, container), migration)
    ru_per_second = throughput.ru_per_second if throughput else None
    return CheckedContainer(findings.found, found is not None, ru_per_second)


def _to_be_made(mapper: Mapper | None, load_ru: int) -> str:
    if mapper is None:
        return "what it has to be like, the table does not tell"
    wanted = wanted_container(mapper)
    time_to_live = "on" if wanted["default_ttl"] else "off"
    return (
        f"it is made with the partition key {', '.join(wanted['partition_key_paths'])}, time to live "
        f"{time_to_live}, and {load_ru:,} RU/s for the load"
    )


def _check_fit(findings: Findings, thing: str, found: Container, mapper: Mapper | None) -> None:
    if mapper is None:
        findings.skipped(thing, CONTAINER, "It is there; what it has to be like, the table does not tell.")
        return
    misfit = find_misfit(wanted_container(mapper), found)
    if misfit:
        findings.failed(thing, CONTAINER, f"{misfit.title}: it has {misfit.cause}", misfit.next_step)
    else:
        findings.ok(
            thing, CONTAINER, f"It is there, with the partition key {', '.join(found.partition_key_paths)}."
        )


def _check_documents(
    findings: Findings, thing: str, table: Mapping[str, Any], mapper: Mapper | None, reads: ContainerReads
) -> None:
    marks = marks_of(mapper) if mapper else {}
    if not reads.has_documents(table["database"], table["container"], marks):
        findings.ok(thing, DOCUMENTS, "It is empty, or holds none that could be this table's.")
    elif table["allow_existing_documents"]:
        findings.warning(
            thing,
            DOCUMENTS,
            "It holds documents, which the plan allows: those of the same ids are overwritten.",
            "Verification tells the others as unexpected.",
        )
    else:
        findings.failed(
            thing,
            DOCUMENTS,
            "It holds documents already.",
            "Empty it, name another container, or set allow_existing_documents in the plan.",
        )


def _check_throughput(findings: Findings, thing: str, throughput: Throughput | None, load_ru: int) -> None:
    if throughput is None:
        findings.warning(
            thing,
            THROUGHPUT,
            "It has no throughput of its own, so it is not scaled for the load.",
            "See that the database's throughput, or the serverless account, can take the load.",
        )
        return
    has, wanted = throughput.ru_per_second, max(throughput.ru_per_second, load_ru)
    kind = "at most by autoscale" if throughput.autoscale else "manual"
    at_once = max(-(-has // PARTITION_RU), 1) * PARTITION_RU
    told = f"It has {has:,} RU/s ({kind}) and gets {wanted:,} for the load"
    if wanted > at_once:
        findings.warning(
            thing,
            THROUGHPUT,
            f"{told}: more than the {at_once:,} that its partitions surely take, so growing may take 4 to 6 hours.",
            "Scale it the day before, or ask for less with throughput.load_ru_per_second.",
        )
    else:
        findings.ok(thing, THROUGHPUT, f"{told}.")


def _check_holder(findings: Findings, thing: str, record: Mapping[str, Any] | None, migration: str) -> None:
    if record is None:
        findings.ok(thing, HOLDER, "No migration holds it.")
    elif record["migration"] == migration:
        findings.warning(
            thing,
            HOLDER,
            f"The migration of this name holds it, for its table {record['table']}.",
            f"See how it stands: d2c status {migration}",
        )
    else:
        findings.failed(
            thing,
            HOLDER,
            f"The migration {record['migration']} holds it, for its table {record['table']}.",
            f"Wait until that table has ended, or cancel {record['migration']}; the watch frees the container if "
            "that migration is gone (docs/operate/watchdog.md).",
        )
