"""Revisits of migrations that have ended, put together from the lake and from Durable's instances.

A revisit's number is taken by writing its file, so of two calls at once one gets it; what the file says is what runs,
even if the call that wrote it broke off before it started anything.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.api.requests import Asked, parse_body
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.control import migrations
from d2c.errors import BodyError, ConflictError
from d2c.mapping.rule_changes import faults_of_rules
from d2c.state import paths
from d2c.state.ids import revisit_instance_id, revisit_run_instance_id
from d2c.state.table_record import items_rejected, revisit_name, rules_history, why_no_revisit

Json = dict[str, Any]

MOST_SHOWN = 20
UNDER_WAY = ("pending", "running")
STARTED_WITH = ("migration", "operation", "number", "migration_state", "waits")


async def start(client: Any, migration: str, operation: str, body: bytes) -> Json:
    """Start a revisit of a migration; the result is its number and its state.

    Args:
        client: Durable's.
        migration: its id.
        operation: ``verify`` or ``replay``.
        body: as ``docs/reference/http-api.md`` describes it.

    Raises:
        NotFoundError: if there is no such migration.
        BodyError: with every fault of the body.
        ConflictError: if the migration or a revisit of it runs, or a table cannot be revisited.
    """
    state = await migrations.state_of(client, migration)
    lake = connect_lake(app_settings())
    plan = await migrations.plan_of(lake, migration)
    known = await migrations.table_names(lake, migration)
    asked = parse_body(operation, body, known)
    if state in UNDER_WAY:
        raise ConflictError(
            f"Migration {migration} is {state}.", f"Ask for {operation} again once it has ended."
        )
    files = await refuse_beside_one(client, lake, migration)
    number = _number(files[-1]) + 1 if files else 1
    accepted = {
        "operation": operation,
        "number": number,
        "migration": migration,
        "migration_state": state,
        "accepted_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "tables": await _tables(lake, migration, known, operation, asked),
        "max_parallel_tables": plan["max_parallel_tables"],
        "waits": migrations.waits(),
    }
    content = json.dumps(accepted, indent=1).encode()
    if not await asyncio.to_thread(lake.create, paths.revisit_path(migration, number), content):
        raise ConflictError(
            f"Another revisit of migration {migration} was asked for at the same moment.",
            "See the migration's status, and ask again once that revisit has ended.",
        )
    await _start_instance(client, accepted)
    return {"number": number, "state": (await _described(client, accepted))["state"]}


async def refuse_beside_one(client: Any, lake: Lake, migration: str) -> list[str]:
    """Refuse whatever must not run beside a revisit; the result is the files of the revisits that there were.

    Raises:
        ConflictError: if one runs.
    """
    files = await _files(lake, migration)
    if files:
        await _refuse_beside(client, await _read(lake, files[-1]))
    return files


async def _refuse_beside(client: Any, last: Json) -> None:
    """Refuse a revisit beside one that runs, or that a call broke off from: that one is started then."""
    if await durable.state_or_none(client, _instance_id(last)) is None:
        await _start_instance(client, last)
    described = await _described(client, last)
    if described["state"] in UNDER_WAY:
        raise ConflictError(
            f"{revisit_name(last['operation'], last['number'])} of migration {last['migration']} is "
            f"{described['state']}; one revisit runs at a time.",
            "Ask again once it has ended, or cancel it.",
        )


async def _start_instance(client: Any, accepted: Json) -> None:
    """Start a revisit; its tables are in the lake."""
    value = {name: accepted[name] for name in STARTED_WITH}
    await durable.start(client, "revisit", _instance_id(accepted), value)


async def _tables(
    lake: Lake, migration: str, known: Sequence[str], operation: str, asked: Asked
) -> list[Json]:
    """Return the tables to revisit, each with what its orchestration needs.

    Raises:
        BodyError: if rules of a replay are impossible, or change where documents lie.
        ConflictError: if a table that was named cannot be revisited, or none can.
    """
    names = [name for name in known if asked.tables is None or name in asked.tables]
    records: dict[str, Any] = dict(zip(names, await _records(lake, migration, names), strict=True))
    reasons = {name: why for name in names if (why := why_no_revisit(records[name], operation))}
    possible = [name for name in names if name not in reasons]
    if reasons and (asked.tables is not None or not possible):
        name, why = next(iter(reasons.items()))
        raise ConflictError(
            f"Table {name} cannot be revisited: {why}.",
            "Name other tables, or migrate it again under another name.",
        )
    if asked.tables is None and operation == "replay":
        possible = [name for name in possible if items_rejected(records[name])]
    rules = _new_rules({name: records[name] for name in possible}, asked)
    return [
        {
            "table": name,
            "database": records[name]["database"],
            "container": records[name]["container"],
            "rules": rules[name],
            "verify": asked.verify,
        }
        for name in possible
    ]


def _new_rules(records: Mapping[str, Json], asked: Asked) -> dict[str, Json | None]:
    """Return each table's whole new rules, those of before with what changes; None where nothing does."""
    rules: dict[str, Json | None] = {}
    faults = []
    for name, record in records.items():
        changed = (asked.tables or {}).get(name)
        before = rules_history(record)[-1]
        rules[name] = {**before, **changed} if changed is not None else None
        if changed is not None:
            found = faults_of_rules(before, {**before, **changed}, record["source"])
            faults += [f"tables.{list(asked.tables or ()).index(name)}.rules: {fault}" for fault in found]
    if faults:
        raise BodyError(faults)
    return rules


async def operations_of(client: Any, migration: str) -> list[Json]:
    """Return the last revisits of a migration and how they stand, newest first."""
    lake = connect_lake(app_settings())
    files = (await _files(lake, migration))[-MOST_SHOWN:]
    accepted = await asyncio.gather(*(_read(lake, path) for path in reversed(files)))
    return list(await asyncio.gather(*(_described(client, one) for one in accepted)))


async def cancel(client: Any, migration: str) -> Json | None:
    """Cancel the revisit that runs, and nothing else; the result is that revisit, or None if none runs."""
    lake = connect_lake(app_settings())
    files = await _files(lake, migration)
    last = await _read(lake, files[-1]) if files else None
    described = last and await _described(client, last)
    if not last or not described or described["state"] not in UNDER_WAY:
        return None
    name = revisit_name(last["operation"], last["number"])
    mark = json.dumps({"cancelled_at": datetime.now(UTC).isoformat(timespec="seconds")}).encode()
    await asyncio.to_thread(lake.create, paths.cancel_path(migration, name), mark)
    runs = [revisit_run_instance_id(migration, table["table"], name) for table in last["tables"]]
    await asyncio.gather(*(durable.wake(client, run) for run in runs))
    return described


async def _described(client: Any, accepted: Json) -> Json:
    status = await client.get_status(_instance_id(accepted))
    shown = {"operation": accepted["operation"], "number": accepted["number"]}
    if not status:
        times = {"state": "pending", "started_at": accepted["accepted_at"], "finished_at": None}
        return {**shown, **times, "error": None}
    times = durable.times_and_state(status)
    error = None
    if isinstance(status.output, dict):
        error = status.output["error"]
    elif times["state"] in ("failed", "cancelled"):
        error = durable.broken_off(times["state"], status.output)
    return {**shown, **times, "error": error}


def _instance_id(accepted: Json) -> str:
    return revisit_instance_id(accepted["migration"], revisit_name(accepted["operation"], accepted["number"]))


async def _files(lake: Lake, migration: str) -> list[str]:
    """Return the paths of what revisits were asked, in the order of their numbers."""
    prefix = paths.revisits_prefix(migration)
    return [prefix + name for name in sorted(await asyncio.to_thread(lake.sizes, prefix))]


def _number(path: str) -> int:
    return int(path.rpartition("/")[2].removesuffix(".json"))


async def _read(lake: Lake, path: str) -> Json:
    accepted: Json = await asyncio.to_thread(lake.read_json, path)
    return accepted


async def _records(lake: Lake, migration: str, tables: list[str]) -> list[Json | None]:
    record_paths = [paths.table_record_path(migration, table) for table in tables]
    return list(await asyncio.gather(*(asyncio.to_thread(lake.read_json, path) for path in record_paths)))
