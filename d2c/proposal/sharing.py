"""The question whether small tables are to share their database's throughput."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from d2c.load_run.throughput.request_units import size_of_items
from d2c.load_run.throughput.sizing import AFTER_LOAD_RU, SMALL_LOAD_RU
from d2c.mapping.indexing import KEYS, policy_of, write_factor
from d2c.plan.sharing import MOST_SHARERS, SHARED
from d2c.proposal.advice import Seen, provisioned_ru, rules_of

# Fewer save too little for what they lose.
LEAST_SHARERS = 3

Json = dict[str, Any]


def sharing_questions(tables: Sequence[Seen], database: str) -> Iterator[Json]:
    """Yield the question, if there are enough small tables.

    Args:
        tables: all of the plan.
        database: where their containers will be.
    """
    names = [seen.name for seen in tables if _is_small(seen)]
    if len(names) < LEAST_SHARERS:
        return
    parts = [names[start : start + MOST_SHARERS] for start in range(0, len(names), MOST_SHARERS)]
    databases = [database, *(f"{database}-{number}" for number in range(2, len(parts) + 1))]
    yield {
        "table": None,
        "field": "throughput.kind",
        "question": f"{len(names):,} tables are so small that {AFTER_LOAD_RU} RU/s load each within minutes. Are their "
        "containers to share the throughput of their database? They can never be moved to throughput of their own, nor "
        "back.",
        "choices": [
            {
                "answer": f"No: each has throughput of its own, {AFTER_LOAD_RU * len(names):,} RU/s in all at least",
                "settings": {},
                "leave_out": False,
                "tables": {},
            },
            {
                "answer": f"Yes: they share {_told(databases)}. A busy one slows the others down",
                "settings": {},
                "leave_out": False,
                "tables": dict(_settings(parts, databases)),
            },
        ],
    }


def _is_small(seen: Seen) -> bool:
    table = seen.description
    rules = rules_of(table) if table else None
    if table is None or rules is None or provisioned_ru(table) > AFTER_LOAD_RU:
        return False
    factor = write_factor(policy_of(KEYS, rules, table.index_keys))
    return size_of_items(table.item_count, table.size_bytes, factor).ru <= SMALL_LOAD_RU


def _told(databases: Sequence[str]) -> str:
    if len(databases) == 1:
        return f"the {AFTER_LOAD_RU} RU/s of the database {databases[0]}"
    return (
        f"{AFTER_LOAD_RU} RU/s in each of the databases {', '.join(databases)}, since {MOST_SHARERS} containers can "
        "share one"
    )


def _settings(
    parts: Sequence[Sequence[str]], databases: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the settings of each table: those beyond the first part have another database."""
    for number, (names, database) in enumerate(zip(parts, databases, strict=True)):
        elsewhere = {"database": database} if number else {}
        for name in names:
            yield name, {**elsewhere, "throughput": {"kind": SHARED}}
