"""Cosmos DB checks of throughput that containers share: their database has some, or gets it, and it is enough."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.checks.findings import Finding, Findings, numbered
from d2c.clients.azure.cosmos.resources import Database
from d2c.load_run.throughput.sizing import LOAD_HOURS, throughput_of_new_database
from d2c.plan.sharing import MOST_SHARERS
from d2c.report.formats import duration
from d2c.shapes import DatabaseThroughput

SHARED = "shared throughput"
OWN = "throughput.kind manual or autoscale"

Json = dict[str, Any]


def told_shared(shared: DatabaseThroughput) -> str:
    """Return the throughput that containers share in words."""
    return f"{shared['ru_per_second']:,} RU/s ({'at most by autoscale' if shared['autoscale'] else 'manual'})"


def check_shared_database(
    findings: Findings, thing: str, table: Mapping[str, Any], database: Database | None
) -> DatabaseThroughput:
    """Check that a container can share its database's throughput, and return what it shares.

    Args:
        findings: gets the finding.
        thing: the container.
        table: the table's settings in the plan.
        database: its database as it is; None if it does not exist yet.
    """
    name = table["database"]
    planned = throughput_of_new_database(table["throughput"])
    found = database.throughput if database else None
    if found is not None:
        shared = found.to_share()
        findings.ok(
            thing,
            SHARED,
            f"It shares the {told_shared(shared)} that the database {name} has; they are not changed.",
        )
        return shared
    if database is None:
        findings.ok(
            thing, SHARED, f"It shares the {told_shared(planned)} that the database {name} is created with."
        )
    elif database.is_serverless:
        findings.skipped(thing, SHARED, "The account is serverless: it has no throughput to share.")
    else:
        findings.failed(
            thing,
            SHARED,
            f"The database {name} exists without throughput that containers could share, and can only be given some "
            "when it is created.",
            f"Name a database that has some or does not exist yet, or set {OWN}.",
        )
    return planned


def check_sharing(facts: Mapping[str, Any], tables: Sequence[Json]) -> list[Finding]:
    """Check the databases whose throughput containers share, with all tables of the plan.

    Args:
        facts: of the account; ``containers`` has the database and name of each that exists, if they are known.
        tables: each with ``table``, ``database``, ``container``, ``scaling`` and ``write_ru``.
    """
    findings = Findings("Cosmos DB")
    databases: defaultdict[str, list[Json]] = defaultdict(list)
    for table in tables:
        if "shared" in table.get("scaling", {}):
            databases[table["database"]].append(table)
    for name, sharers in databases.items():
        with findings.attempt(name, SHARED):
            _check_count(findings, name, facts.get("containers", ()), sharers, tables)
            _check_load(findings, name, sharers)
    return findings.found


def _check_count(
    findings: Findings,
    name: str,
    existing: Sequence[Sequence[str]],
    sharers: Sequence[Json],
    tables: Sequence[Json],
) -> None:
    planned = {table["container"] for table in tables if table["database"] == name}
    others = {container for database, container in existing if database == name} - planned
    count = len({table["container"] for table in sharers})
    if count + len(others) > MOST_SHARERS:
        findings.warning(
            name,
            SHARED,
            f"{numbered(count, 'container')} of the plan share its throughput, and {len(others)} others are in it: "
            f"at most {MOST_SHARERS} can share it.",
            f"If more than {MOST_SHARERS - count} of the others have no throughput of their own, give tables of the "
            f"plan another database, or {OWN}.",
        )


def _check_load(findings: Findings, name: str, sharers: Sequence[Json]) -> None:
    """Tell how long the loads take together, which nothing is scaled for."""
    shared: DatabaseThroughput = sharers[0]["scaling"]["shared"]
    seconds = sum(table["write_ru"] for table in sharers) / shared["ru_per_second"]
    summary = (
        f"{numbered(len(sharers), 'table')} of the plan {'share' if len(sharers) > 1 else 'has'} its "
        f"{told_shared(shared)}, which are not raised for loads: writing takes {duration(round(seconds))} in all"
    )
    if seconds <= LOAD_HOURS * 3600:
        findings.ok(name, SHARED, f"{summary}.")
        return
    largest = max(sharers, key=lambda table: float(table["write_ru"]))
    findings.warning(
        name,
        SHARED,
        f"{summary}, {duration(round(largest['write_ru'] / shared['ru_per_second']))} of it for {largest['table']}.",
        f"Give large tables {OWN}. For a database that is created, raise database_throughput.ru_per_second: with kind "
        "autoscale an idle one costs a tenth of it.",
    )
