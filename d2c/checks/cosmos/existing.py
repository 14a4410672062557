"""Cosmos DB checks of a container that exists: it fits, is empty, and no other migration has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from d2c.checks.findings import Findings
from d2c.clients.azure.cosmos.management import Container, Database, Throughput
from d2c.mapping import Mapper
from d2c.mapping.container import find_misfit, find_short_key, marks_of, wanted_container

CONTAINER, DOCUMENTS, LOCK = "container", "documents", "held by a migration"


class ContainerReads(Protocol):
    """The read calls that these checks need, each for a database and container."""

    def find_container(self, database: str, container: str) -> Container | None: ...

    def find_throughput(self, database: str, container: str) -> Throughput | None: ...

    def find_database(self, database: str) -> Database | None: ...

    def has_documents(self, database: str, container: str, constants: dict[str, Any]) -> bool: ...

    def record(self, database: str, container: str) -> Mapping[str, Any] | None: ...


def check_fit(
    findings: Findings,
    thing: str,
    existing: Container,
    mapper: Mapper | None,
    number_keys: Sequence[str],
) -> None:
    """Check that an existing container has what the table needs."""
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


def check_documents(
    findings: Findings, thing: str, table: Mapping[str, Any], mapper: Mapper | None, reads: ContainerReads
) -> None:
    """Check that it has no documents, or that the plan allows them."""
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


def check_lock(findings: Findings, thing: str, record: Mapping[str, Any] | None, migration: str) -> None:
    """Check that no other migration has locked it."""
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
