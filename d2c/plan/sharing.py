"""Tables whose containers share their database's throughput: what is wrong with them, and how many they are.

https://learn.microsoft.com/azure/cosmos-db/set-throughput#set-throughput-on-a-database
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from d2c.errors import listed

SHARED = "shared"
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#provisioned-throughput-1
MOST_SHARERS = 25
OWN_FIELDS = ("load_ru_per_second", "after_load_ru_per_second")

Json = Mapping[str, Any]


def shares(table: Json) -> bool:
    """Return whether a table's container is to share its database's throughput.

    Args:
        table: its settings.
    """
    return bool((table.get("throughput") or {}).get("kind") == SHARED)


def with_sharers(tables: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the settings of all tables of a plan, those that share with how many do so in their database."""
    found = list(tables)
    counts = Counter(table["database"] for table in found if shares(table))

    def counted(table: dict[str, Any]) -> dict[str, Any]:
        if not shares(table):
            return table
        return {**table, "throughput": {**table["throughput"], "sharers": counts[table["database"]]}}

    return [counted(table) for table in found]


def faults_of_sharing(inputs: Iterable[Json]) -> Iterator[str]:
    """Find databases that too many containers share, and containers that both share and do not.

    Args:
        inputs: of each table ``table``, ``database``, ``container`` and ``throughput``.
    """
    containers: defaultdict[str, defaultdict[str, dict[bool, str]]] = defaultdict(lambda: defaultdict(dict))
    for table in inputs:
        containers[table["database"]][table["container"]].setdefault(shares(table), table["table"])
    for database, names in containers.items():
        count = sum(True in kinds for kinds in names.values())
        if count > MOST_SHARERS:
            yield (
                f"{count} containers of the database {database} have throughput.kind {SHARED}, and {MOST_SHARERS} can "
                "share a database's throughput: give the others another database, or throughput.kind manual or "
                "autoscale"
            )
        for container, kinds in names.items():
            if len(kinds) > 1:
                yield (
                    f"{listed(sorted(kinds.values()))} share the container {database}/{container}, but only one has "
                    f"throughput.kind {SHARED}: give all the same"
                )


def faults_of_own_throughput(plan: Json, entries: Sequence[tuple[int, Json]]) -> Iterator[str]:
    """Find RU/s of containers that have none of their own, and RU/s of databases that no table shares.

    Args:
        plan: the plan as a JSON value, sound in its fields.
        entries: its tables with their numbers.
    """
    top = _given(plan.get("throughput"))
    any_shares = False
    for number, entry in entries:
        own = _given(entry.get("throughput"))
        if not shares({"throughput": {**top, **own}}):
            continue
        any_shares = True
        for field in OWN_FIELDS:
            if own.get(field, "auto") != "auto":
                yield (
                    f"tables.{number}.throughput.{field}: with throughput.kind {SHARED} the container has no RU/s of "
                    "its own; remove it, or give the table throughput.kind manual or autoscale"
                )
    if plan.get("database_throughput") is not None and not any_shares:
        yield f"database_throughput: no table has throughput.kind {SHARED}, which shares it; set that, or remove this"


def _given(part: Json | None) -> Json:
    return {name: value for name, value in (part or {}).items() if value is not None}
