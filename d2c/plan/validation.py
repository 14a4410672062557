"""What is wrong between the fields of a plan, reported with what is wrong within them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from d2c.errors import listed
from d2c.foreign_json import MOST_QUOTED
from d2c.load_run.request import fault_of_size, rules_size
from d2c.mapping import KeySchema, RulesError, parse_rules
from d2c.mapping.indexing import KEYS
from d2c.plan.sharing import faults_of_own_throughput, faults_of_sharing

Json = Mapping[str, Any]
Loc = tuple[int | str, ...]


def is_pattern(table: str) -> bool:
    """Return whether a plan's name of tables means all that begin with it."""
    return table.endswith("*")


def faults_between_fields(plan: Any, spoilt: Sequence[Loc]) -> list[str]:
    """Return what is wrong between the fields of a plan that may have faults within them, too.

    Args:
        plan: the plan as a JSON value.
        spoilt: the places of the faults within its fields, as pydantic tells them.
    """
    if () in spoilt:
        return []
    entries = [] if ("tables",) in spoilt else _entries(plan.get("tables"))
    sound = _sound(entries, spoilt)
    return [
        *_faults_of_schedule(plan),
        *_faults_of_patterns(entries),
        *_incomplete_tables(plan, entries),
        *_repeated_tables(entries),
        *_faults_of_size(plan, sound),
        *_faults_of_rules(plan, sound),
        *_faults_of_throughput(plan, entries, sound, spoilt),
        *faults_of_sharers(_as_input(plan, entry) for entry in sound if not is_pattern(entry["table"])),
    ]


def faults_of_sharers(inputs: Iterable[Json]) -> Iterator[str]:
    """Find tables that share a container although it cannot hold, or tell apart, the documents of all.

    Args:
        inputs: of each table ``table``, ``database``, ``container``, ``rules``, and ``indexing`` if it has one.
    """
    sharers: defaultdict[tuple[str, str], dict[str, Json]] = defaultdict(dict)
    for table in inputs:
        sharers[table["database"], table["container"]].setdefault(table["table"], table)
    for (database, container), tables in sharers.items():
        if len(tables) > 1:
            rules = {name: table["rules"] for name, table in tables.items()}
            yield from _faults_of_one_container(f"{database}/{container}", rules)
            yield from _faults_of_indexing(f"{database}/{container}", tables)


def _faults_of_one_container(container: str, tables: Mapping[str, Json]) -> Iterator[str]:
    shared = f"{listed(list(tables))} share the container {container}"
    paths: dict[str, str] = {}
    for name, rules in tables.items():
        if "partition_key" in rules:
            paths.setdefault(_key_paths(rules), name)
    if len(paths) > 1:
        unlike = listed([f"{path[:MOST_QUOTED]} of {name}" for path, name in paths.items()])
        yield f"{shared}, but not its partition key ({unlike}): make the paths equal, with `rename` or `set`"
    marks = [_constants_in_key(rules) for rules in tables.values()]
    common = set.intersection(*map(set, marks))
    values = {tuple(mark[name] for name in sorted(common)) for mark in marks}
    if len(values) < len(tables):
        yield (
            f"{shared}: each needs a `set` constant in its partition_key, under one name for all, that differs "
            "from the others'"
        )


def _faults_of_indexing(container: str, tables: Mapping[str, Json]) -> Iterator[str]:
    """Find tables of one container with different policies: the container has that of the table which creates it."""
    if len({json.dumps(table.get("indexing", KEYS), sort_keys=True) for table in tables.values()}) > 1:
        yield (
            f"{listed(list(tables))} share the container {container}, but not its `indexing`: give all the same, at "
            "the top of the plan or in each"
        )


def _key_paths(rules: Json) -> str:
    renamed, constants = rules.get("rename", {}), rules.get("set", {})
    names = (name if name in constants else renamed.get(name, name) for name in rules["partition_key"])
    return "/" + "/".join(names)


def _constants_in_key(rules: Json) -> dict[str, Any]:
    constants = rules.get("set", {})
    # 1 and 1.0 are one value to Cosmos DB, as they are to Python; true and 1 are two.
    return {
        name: (isinstance(constants[name], bool), constants[name])
        for name in rules.get("partition_key", ())
        if name in constants
    }


def _faults_of_schedule(plan: Json) -> Iterator[str]:
    if plan.get("between") is not None and plan.get("time_zone") is None:
        yield "time_zone: missing; `between` needs to know by whose clock, such as Europe/Berlin"
    if plan.get("start_at") is not None and plan.get("start") == "when_exports_arrive":
        yield "start_at: a plan that starts when exports arrive has no other start; leave one of the two out"


def _faults_of_patterns(entries: Sequence[tuple[int, Json]]) -> Iterator[str]:
    for number, entry in entries:
        table = entry.get("table")
        if isinstance(table, str) and is_pattern(table) and entry.get("container") is not None:
            yield (
                f"tables.{number}.container: the tables of a pattern, {table[:MOST_QUOTED]}, get containers of their "
                "own names; leave it out, or list those that need another by their names"
            )


def _incomplete_tables(plan: Json, entries: Sequence[tuple[int, Json]]) -> Iterator[str]:
    for number, entry in entries:
        for field in ("database", "region"):
            if entry.get(field) is None and plan.get(field) is None:
                yield f"tables.{number}.{field}: missing, here and at the top of the plan"


def _repeated_tables(entries: Sequence[tuple[int, Json]]) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, entry in entries:
        table = entry.get("table")
        if isinstance(table, str) and first.setdefault(table, number) != number:
            yield f"tables.{number}.table: {table[:MOST_QUOTED]} is in tables.{first[table]} already"


def _faults_of_size(plan: Json, entries: Sequence[Json]) -> Iterator[str]:
    at_the_top = rules_size(plan.get("rules"))
    for entry in entries:
        fault = fault_of_size(at_the_top + rules_size(entry.get("rules")))
        if fault:
            yield f"rules of {entry['table']}, with those at the top: {fault}"


def _faults_of_throughput(
    plan: Json, entries: Sequence[tuple[int, Json]], sound: Sequence[Json], spoilt: Sequence[Loc]
) -> Iterator[str]:
    """Find faults of throughput that containers share, unless the fields of it have some."""
    yield from faults_of_sharing(_as_input(plan, entry) for entry in sound if not is_pattern(entry["table"]))
    if not any("throughput" in str(part) for place in spoilt for part in place):
        yield from faults_of_own_throughput(plan, entries)


def _faults_of_rules(plan: Json, entries: Sequence[Json]) -> Iterator[str]:
    """Find impossible rules of tables whose keys the plan has; the others are checked once theirs are known."""
    for entry in entries:
        source = _given(entry.get("source"))
        if not source:
            continue
        keys = KeySchema(source["hash_key"], source.get("range_key"))
        try:
            parse_rules(_as_input(plan, entry)["rules"], keys, ttl_attribute=source.get("ttl_attribute"))
        except RulesError as error:
            yield from (f"rules of {entry['table']}: {fault}" for fault in error.faults)


def _entries(tables: Any) -> list[tuple[int, Json]]:
    found = tables if isinstance(tables, list) else []
    return [(number, entry) for number, entry in enumerate(found) if isinstance(entry, dict)]


def _sound(entries: Sequence[tuple[int, Json]], spoilt: Sequence[Loc]) -> list[Json]:
    """Return the tables without a fault in their own fields; none if what the top says for all has one."""
    if any(place[0] in ("database", "rules", "indexing", "throughput") for place in spoilt):
        return []
    spoilt_numbers = {place[1] for place in spoilt if place[0] == "tables" and len(place) > 1}
    return [entry for number, entry in entries if number not in spoilt_numbers]


def _as_input(plan: Json, entry: Json) -> Json:
    return {
        "table": entry["table"],
        "database": entry.get("database") or plan.get("database"),
        "container": entry.get("container") or entry["table"],
        "rules": {**_given(plan.get("rules")), **_given(entry.get("rules"))},
        "indexing": entry.get("indexing") or plan.get("indexing") or KEYS,
        "throughput": {**_given(plan.get("throughput")), **_given(entry.get("throughput"))},
    }


def _given(rules: Json | None) -> Json:
    return {name: value for name, value in (rules or {}).items() if value is not None}
