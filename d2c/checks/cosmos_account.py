"""Cosmos DB: the account in both planes, and whether it has room for what the whole plan asks."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.checks.findings import Finding, Findings, listed, numbered
from d2c.clients.azure.cosmos_management import Account, CosmosManagement

ACCOUNT, DATA_PLANE, ROOM, NAMES = "account", "data plane", "room for the plan", "names"
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits
MOST_CONTAINERS = 500
SERVERLESS_CONTAINER_RU = 20_000
# https://learn.microsoft.com/azure/cosmos-db/free-tier
FREE_TIER_RU = 1_000

Json = dict[str, Any]


def check_account(
    management: Callable[[], CosmosManagement], try_data_plane: Callable[[], None], name: str
) -> tuple[list[Finding], Json]:
    """Look at the account; the second value is what `check_room` needs of it, as far as it could be found.

    Args:
        management: connects to the management plane.
        try_data_plane: makes a call of the data plane.
        name: the account's.
    """
    findings = Findings("Cosmos DB")
    facts: Json = {}
    with findings.attempt(name, ACCOUNT):
        account = management().describe_account()
        facts["account"] = {
            "is_serverless": account.is_serverless,
            "is_free_tier": account.is_free_tier,
            "throughput_limit": account.throughput_limit,
        }
        _check_kind(findings, name, account)
        facts["containers"] = [list(pair) for pair in management().list_containers()]
    with findings.attempt(name, DATA_PLANE):
        try_data_plane()
        findings.ok(name, DATA_PLANE, "The app may read it.")
    return findings.found, facts


def _check_kind(findings: Findings, name: str, account: Account) -> None:
    if account.kind != "GlobalDocumentDB":
        findings.failed(
            name,
            ACCOUNT,
            f"It is an account of the kind {account.kind}, not one for NoSQL.",
            "Set D2C_COSMOS_ACCOUNT to an account for NoSQL.",
        )
        return
    traits = ["serverless" if account.is_serverless else "with provisioned throughput"]
    traits += ["free tier"] if account.is_free_tier else []
    traits += [] if account.is_public else ["without public network access: Spark has to reach it privately"]
    findings.ok(name, ACCOUNT, f"It is in {', '.join(account.regions) or 'no region'}, {', '.join(traits)}.")


def check_room(name: str, facts: Mapping[str, Any], tables: Sequence[Json], at_once: int) -> list[Finding]:
    """Hold what all tables of the plan need together against the account's limits.

    Args:
        name: the account's.
        facts: what `check_account` found.
        tables: of each its ``database``, ``container``, ``load_ru``, ``after_ru`` and ``ru_per_second`` (what its
            container has now, None if there is none).
        at_once: how many of them may be under way at once.
    """
    findings = Findings("Cosmos DB")
    with findings.attempt(name, NAMES):
        _check_case(findings, name, tables)
    if "containers" in facts:
        with findings.attempt(name, ROOM):
            _check_containers(findings, name, facts["containers"], tables)
            _check_throughput(findings, name, facts["account"], tables, at_once)
    return findings.found


def _check_case(findings: Findings, name: str, tables: Sequence[Json]) -> None:
    """Find containers that differ by case alone: the data plane tells them apart, Resource Manager's paths do not."""
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for table in tables:
        path = f"{table['database']}/{table['container']}"
        spellings[path.lower()].add(path)
    alike = [" and ".join(sorted(paths)) for paths in spellings.values() if len(paths) > 1]
    if alike:
        findings.failed(
            name,
            NAMES,
            f"Containers differ by upper and lower case only: {listed(alike)}.",
            "Give each a name that differs by more: Azure's management does not tell them apart.",
        )
    else:
        findings.ok(name, NAMES, f"{numbered(len(spellings), 'name')} that Cosmos DB takes as they are.")


def _check_containers(
    findings: Findings, name: str, existing: Sequence[Sequence[str]], tables: Sequence[Json]
) -> None:
    there = {tuple(pair) for pair in existing}
    after = there | {(table["database"], table["container"]) for table in tables}
    count = len(after) + len({database for database, _ in after})
    told = f"With those of the plan it has {count} databases and containers"
    if count > MOST_CONTAINERS:
        findings.failed(
            name,
            ROOM,
            f"{told}; {MOST_CONTAINERS} are allowed.",
            "Ask Azure's support for more, or load into several accounts.",
        )
    else:
        findings.ok(name, ROOM, f"{told}, of {MOST_CONTAINERS}.")


def _check_throughput(
    findings: Findings, name: str, account: Mapping[str, Any], tables: Sequence[Json], at_once: int
) -> None:
    if account["is_serverless"]:
        findings.warning(
            name,
            ROOM,
            f"It is serverless: RU/s of the plan are not set, a container has at most {SERVERLESS_CONTAINER_RU:,}.",
            "For a faster load use an account with provisioned throughput.",
        )
        return
    wanted = most_ru(tables, at_once)
    limit = account["throughput_limit"]
    if limit is not None and wanted > limit:
        findings.failed(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s together, and the account lets itself have {limit:,}.",
            "Raise the account's limit, or ask for less: throughput.load_ru_per_second, max_parallel_tables.",
        )
    elif account["is_free_tier"] and wanted > FREE_TIER_RU:
        findings.warning(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s together; {FREE_TIER_RU:,} are free.",
            "What is above is charged.",
        )
    else:
        told = "no limit of its own" if limit is None else f"a limit of {limit:,}"
        findings.ok(
            name, ROOM, f"The plan's containers have up to {wanted:,} RU/s together; the account has {told}."
        )


def most_ru(tables: Sequence[Json], at_once: int) -> int:
    """Return the most RU/s that a plan's containers have together at a time.

    Args:
        tables: of each its ``database``, ``container``, ``load_ru`` and ``after_ru``.
        at_once: how many of them may be under way at once; the others have what they have after the load.
    """
    peaks: dict[tuple[str, str], tuple[int, int]] = {}
    for table in tables:
        key = table["database"], table["container"]
        load, after = peaks.get(key, (0, 0))
        peaks[key] = max(load, table["load_ru"]), max(after, table["after_ru"])
    extra = sorted((max(load - after, 0) for load, after in peaks.values()), reverse=True)
    return sum(after for _, after in peaks.values()) + sum(extra[:at_once])
