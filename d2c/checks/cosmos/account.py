"""Cosmos DB checks of the account: both planes, and its limits against the whole plan."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from d2c.checks.findings import Finding, Findings, numbered
from d2c.clients.azure.cosmos.management import Account, CosmosManagement
from d2c.errors import listed
from d2c.plan.caps import is_small
from d2c.shapes import Caps

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
            "regions": max(len(account.regions), 1),
            "writes_in_all": account.writes_in_all,
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
    traits += ["writes in every region"] if account.writes_in_all else []
    traits += ["free tier"] if account.is_free_tier else []
    traits += [] if account.is_public else ["without public network access: Spark needs private access"]
    findings.ok(name, ACCOUNT, f"It is in {', '.join(account.regions) or 'no region'}, {', '.join(traits)}.")


def check_room(name: str, facts: Mapping[str, Any], tables: Sequence[Json], caps: Caps) -> list[Finding]:
    """Compare the needs of all tables of the plan with the account's limits.

    Args:
        name: the account's.
        facts: from `check_account`.
        tables: each with ``database``, ``container``, ``size_bytes``, ``load_ru``, ``after_ru`` and
            ``ru_per_second`` (of the existing container, None if there is none).
        caps: the plan's.
    """
    findings = Findings("Cosmos DB")
    with findings.attempt(name, NAMES):
        _check_case(findings, name, tables)
    if "containers" in facts:
        with findings.attempt(name, ROOM):
            _check_containers(findings, name, facts["containers"], tables)
            _check_throughput(findings, name, facts["account"], tables, caps)
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
    findings: Findings, name: str, account: Mapping[str, Any], tables: Sequence[Json], caps: Caps
) -> None:
    if account["is_serverless"]:
        findings.warning(
            name,
            ROOM,
            f"It is serverless: the plan's RU/s do not apply, and a container has at most {SERVERLESS_CONTAINER_RU:,}.",
            "Use an account with provisioned throughput for a faster load.",
        )
        return
    wanted = most_ru(tables, caps)
    limit = account["throughput_limit"]
    if limit is not None and wanted > limit:
        findings.failed(
            name,
            ROOM,
            f"The plan's containers have up to {wanted:,} RU/s in total, and the account's limit is {limit:,}.",
            "Raise the account's limit, or request less: throughput.load_ru_per_second, max_parallel_loads,"
            " max_tables_per_load_run.",
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


def most_ru(tables: Sequence[Json], caps: Caps) -> int:
    """Return the peak of the RU/s of all containers of a plan.

    A container has the RU/s of its load while a load lane has its table; the others have their RU/s of after the load.

    Args:
        tables: each with ``database``, ``container``, ``size_bytes``, ``load_ru`` and ``after_ru``.
        caps: the plan's.
    """
    peaks: dict[tuple[str, str], _Peak] = {}
    for table in tables:
        key = _scaled(table)
        before = peaks.get(key, _Peak(0, 0, False))
        peaks[key] = _Peak(
            max(before.load_ru, table["load_ru"], _shared_ru(table)),
            max(before.after_ru, table["after_ru"], _shared_ru(table)),
            before.is_small or is_small(table["size_bytes"], caps),
        )
    return sum(peak.after_ru for peak in peaks.values()) + _most_extra_ru(list(peaks.values()), caps)


def _scaled(table: Json) -> tuple[str, str]:
    """Return what has a table's RU/s: its container, or its database, in which others share them."""
    return table["database"], "" if _shared_ru(table) else table["container"]


def _shared_ru(table: Json) -> int:
    shared = (table.get("scaling") or {}).get("shared")
    return int(shared["ru_per_second"]) if shared else 0


class _Peak(NamedTuple):
    load_ru: int
    after_ru: int
    is_small: bool  # so that its table may share a load run


def _most_extra_ru(peaks: Sequence[_Peak], caps: Caps) -> int:
    """Return the most that loads side by side add: each lane has one large table, or a run of small ones."""
    extras = sorted((max(peak.load_ru - peak.after_ru, 0), peak.is_small) for peak in peaks)
    small = [extra for extra, shares in reversed(extras) if shares]
    large = [extra for extra, shares in reversed(extras) if not shares]
    most_tables = len(peaks) if caps["tables"] is None else caps["tables"]

    def extra_beside(large_lanes: int) -> int:
        small_tables = (caps["load"] - large_lanes) * caps["tables_per_load_run"]
        return sum(large[:large_lanes]) + sum(small[: min(small_tables, most_tables - large_lanes)])

    return max(extra_beside(lanes) for lanes in range(min(caps["load"], most_tables, len(large)) + 1))
