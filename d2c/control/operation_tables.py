"""The tables of an operation: those that its request names and that allow it, or all that do."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.api.requests import OperationRequest, parse_operation, parse_retry
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.threads import in_turn
from d2c.control import migrations
from d2c.errors import BodyError, ConflictError
from d2c.load_run.request import MOST_HISTORY_BYTES, fault_of_size, rules_size
from d2c.plan.rule_changes import faults_of_rules
from d2c.shapes import ComparingKind, RequestedKind, TableRecord
from d2c.shapes.operations import KINDS, RETRY
from d2c.state import paths
from d2c.state.operations import why_not_changed
from d2c.state.table_record import items_rejected, rules_history, why_not_allowed

RETRIED_STATES = KINDS[RETRY].table_states


async def tables_of(
    lake: AsyncLake, migration: str, kind: RequestedKind, body: bytes
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the tables of an operation, each with what changes for it, and the caps that change.

    Raises:
        BodyError: with every fault of the body.
        ConflictError: if a table that is named does not allow the operation, or no table does.
    """
    if kind == "retry":
        return await _retried(lake, migration, body)
    names = await migrations.table_names(lake, migration)
    request = await in_turn(parse_operation, kind, body, names)
    return await _verified(lake, migration, names, kind, request), {}


async def _retried(
    lake: AsyncLake, migration: str, body: bytes
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the tables of a retry with their changes; none if the migration ended before it listed its tables."""
    listed = await lake.read_json(paths.MigrationFiles(migration).tables)
    names = [table["table"] for table in listed["tables"]] if listed else []
    request = await in_turn(parse_retry, body, names if listed else None)
    if listed is None:
        return [], request.caps
    ended = await lake.read_log(paths.MigrationFiles(migration).ended_tables)
    states = dict.fromkeys(names, "failed") | {line["table"]: line["state"] for line in ended}
    if request.tables is None:
        return _all_retried(migration, states), request.caps
    for entry in request.tables:
        if states[entry["table"]] not in RETRIED_STATES:
            raise ConflictError(
                f"Table {entry['table']} is {states[entry['table']]}.",
                "Name tables that failed or were cancelled.",
            )
    await asyncio.gather(*(_check_changes(lake, migration, entry) for entry in request.tables))
    return request.tables, request.caps


def _all_retried(migration: str, states: Mapping[str, str]) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = [
        {"table": name} for name, state in states.items() if state in RETRIED_STATES
    ]
    if not tables:
        raise ConflictError(
            f"No table of migration {migration} has failed or was cancelled.",
            "There is nothing to retry; replay loads rejected items, verify compares again.",
        )
    return tables


async def _check_changes(lake: AsyncLake, migration: str, entry: Mapping[str, Any]) -> None:
    record = await lake.read_json(paths.MigrationFiles(migration).table(entry["table"]).record)
    size = rules_size((record or {}).get("rules"), entry.get("rules"))
    fault = fault_of_size(size) if "rules" in entry else None
    if fault:
        raise BodyError([f"rules of {entry['table']}, with its former ones: {fault}"])
    reason = why_not_changed(record, entry)
    if reason:
        raise ConflictError(
            f"Table {entry['table']} cannot have other rules: {reason}.", "Leave its rules out."
        )


async def _verified(
    lake: AsyncLake, migration: str, known: Sequence[str], kind: ComparingKind, request: OperationRequest
) -> list[dict[str, Any]]:
    """Return the tables to verify, or to replay the rejected items of.

    Raises:
        BodyError: if rules of a replay are impossible, or move documents.
        ConflictError: if a table that is named does not allow it, or no table does.
    """
    names = [name for name in known if request.tables is None or name in request.tables]
    record_paths = [paths.MigrationFiles(migration).table(name).record for name in names]
    found = await asyncio.gather(*(lake.read_json(path) for path in record_paths))
    records: dict[str, Any] = dict(zip(names, found, strict=True))
    reasons = {name: why for name in names if (why := why_not_allowed(records[name], kind))}
    possible = [name for name in names if name not in reasons]
    if reasons and (request.tables is not None or not possible):
        name, reason = next(iter(reasons.items()))
        raise ConflictError(
            f"Table {name} does not allow a {kind}: {reason}.",
            "Name other tables, or migrate it again under another name.",
        )
    if request.tables is None and KINDS[kind].needs_load:
        possible = [name for name in possible if items_rejected(records[name])]
    rules = await in_turn(_new_rules, {name: records[name] for name in possible}, request)
    return [
        {
            "table": name,
            "rules": rules[name],
            "verify": request.verify,
        }
        for name in possible
    ]


def _new_rules(records: Mapping[str, TableRecord], request: OperationRequest) -> dict[str, Any]:
    """Return each table's complete new rules, its changes over its last rules; None where nothing changes."""
    rules: dict[str, Any] = {}
    faults = []
    tables = request.tables or {}
    numbers = {name: number for number, name in enumerate(tables)}
    for name, record in records.items():
        changes = tables.get(name)
        last = rules_history(record)[-1]
        rules[name] = {**last, **changes} if changes is not None else None
        if changes is not None:
            table_faults = _faults_of_replay(record, {**last, **changes})
            faults += [f"tables.{numbers[name]}.rules: {fault}" for fault in table_faults]
    if faults:
        raise BodyError(faults)
    return rules


def _faults_of_replay(record: TableRecord, rules: Mapping[str, Any]) -> list[str]:
    history = rules_history(record)
    own, all_ = rules_size(rules), rules_size(*history, rules)
    sizes = (
        ("", fault_of_size(own)),
        ("with those of all replays ", fault_of_size(all_, MOST_HISTORY_BYTES)),
    )
    faults = [f"{whose}{fault}" for whose, fault in sizes if fault]
    return faults or list(faults_of_rules(history[-1], rules, record["source"]))
