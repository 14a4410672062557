"""Cosmos DB checks of the account: both planes, and its limits against the whole plan."""

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
    """Check the account; the second value has the facts that `check_room` needs, as far as known.

    Args:
        management: connects to the management plane.
        try_data_plane: calls the data plane.
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
        findings.ok(name, DATA_PLANE, "The app can read it.")
    return findings.found, facts


def _check_kind(findings: Findings, name: str, account: Account) -> None:
    if account.kind != "GlobalDocumentDB":
        findings.failed(
            name,
            ACCOUNT,
            f"It is an account of kind {account.kind}, not for NoSQL.",
            "Set D2C_COSMOS_ACCOUNT to an account for NoSQL.",
        )
        return
    traits = ["serverless" if account.is_serverless else "with provisioned throughput"]
    traits += ["free tier"] if account.is_free_tier else []
    traits += [] if account.is_public else ["without public network access: Spark needs private access"]
    findings.ok(name, ACCOUNT, f"It is in {', '.join(account.regions) or 'no region'}, {', '.join(traits)}.")


def check_room(name: str, facts: Mapping[str, Any], tables: Sequence[Json], at_once: int) -> list[Finding]:
    """Compare the needs of all tables of the plan with the account's limits.

    Args:
        name: the account's.
        facts: from `check_account`.
        tables: each with ``database``, ``container``, ``load_ru``, ``after_ru`` and ``ru_per_second`` (of the
            existing container, None if there is none).
        at_once: how many of them may run at once.
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
    """Find containers that differ only in case: the data plane distinguishes them, Resource Manager does not."""
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for table in tables:
        path = f"{table['database']}/{table['container']}"
        spellings[path.lower()].add(path)
    alike = [" and ".join(sorted(paths)) for paths in spellings.values() if len(paths) > 1]
    if alike:
        findings.failed(
            name,
            NAMES,
            f"Containers differ only in upper and lower case: {listed(alike)}.",
            "Give each a distinct name: Azure Resource Manager ignores case.",
        )
    else:
        findings.ok(name, NAMES, f"{numbered(len(spellings), 'name')} that are distinct in Cosmos DB.")


def _check_containers(
    findings: Findings, name: str, existing: Sequence[Sequence[str]], tables: Sequence[Json]
) -> None:
    current = {tuple(pair) for pair in existing}
    after = current | {(table["database"], table["container"]) for table in tables}
    count = len(after) + len({database for database, _ in after})
    summary = f"With those of the plan it will have {count} databases and containers"
    if count > MOST_CONTAINERS:
        findings.failed(
            name,
            ROOM,
            f"{summary}; {MOST_CONTAINERS} are allowed.",
            "Request a higher limit from Azure's support, or load into several accounts.",
        )
    else:
        findings.ok(name, ROOM, f"{summary}, of {MOST_CONTAINERS}.")


def _check_throughput(
    findings: Findings, name: str, account: Mapping[str, Any], tables: Sequence[Json], at_once: int
) -> None:
    if account["is_serverless"]:
        findings.warning(
            name,
            ROOM,
            f"It is serverless: the plan's RU/s do not apply, and a container has at most {SERVERLESS_CONTAINER_RU:,}.",
            "Use an account with provisioned throughput for a faster load.",
        )
        return
    wanted = most_ru(tables, at_once)
    limit = account["throughput_limit"]
    if limit is not None and wanted > limit:
        findings.failed(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s in total, and the account's limit is {limit:,}.",
            "Raise the account's limit, or request less: throughput.load_ru_per_second, max_parallel_tables.",
        )
    elif account["is_free_tier"] and wanted > FREE_TIER_RU:
        findings.warning(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s in total; {FREE_TIER_RU:,} are free.",
            "The excess is charged.",
        )
    else:
        limit_text = "no limit" if limit is None else f"a limit of {limit:,}"
        findings.ok(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s in total; the account has {limit_text}.",
        )


def most_ru(tables: Sequence[Json], at_once: int) -> int:
    """Return the peak of the RU/s of all containers of a plan.

    Args:
        tables: each with ``database``, ``container``, ``load_ru`` and ``after_ru``.
        at_once: how many of them may run at once; the others have their RU/s of after the load.
    """
    peaks: dict[tuple[str, str], tuple[int, int]] = {}
    for table in tables:
        key = table["database"], table["container"]
        load, after = peaks.get(key, (0, 0))
        peaks[key] = max(load, table["load_ru"]), max(after, table["after_ru"])
    extra = sorted((max(load - after, 0) for load, after in peaks.values()), reverse=True)
    return sum(after for _, after in peaks.values()) + sum(extra[:at_once])
