"""Operations on a migration that has ended: retry, verify and replay, each with a kind and a number.

One operation runs at a time. Its number is taken by creating its file, so of two calls at once one gets it; the file
is what runs, even if the call that wrote it broke off before it started anything.
"""

import asyncio
import json
from collections.abc import Container, Mapping
from typing import Any, TypedDict, cast

from d2c.app import clock
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.operation_tables import tables_of
from d2c.control.orphans import input_of
from d2c.errors import MOST_FAULTS, ConflictError
from d2c.plan.allowed import forbidden_tables
from d2c.report.contents import worst_state
from d2c.shapes import ErrorDict, ListedTables, OperationFile, QueueEntry, RequestedKind, State
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.ids import operation_instance_id, operation_name
from d2c.state.operations import last_number
from d2c.state.table_states import UNDER_WAY

MOST_SHOWN = 20


class OperationStatus(TypedDict):
    """An operation in the words of the HTTP API."""

    operation: RequestedKind
    number: int
    state: str
    started_at: str
    finished_at: str | None
    error: ErrorDict | None


async def start(app: App, migration: str, kind: RequestedKind, body: bytes) -> OperationFile:
    """Start an operation on a migration; the result is the request as it was accepted, with its number.

    Args:
        app: the app.
        migration: its id.
        kind: its kind.
        body: as ``docs/reference/http-api.md`` describes it.

    Raises:
        NotFoundError: if there is no such migration.
        BodyError: with every fault of the body.
        ConflictError: if the migration or an operation on it runs, or a table or the app's settings do not allow the
            operation.
    """
    state = await migrations.state_of(app, migration)
    if state in UNDER_WAY:
        raise _one_at_a_time(f"Migration {migration}", state)
    await _refuse_beside_last(app, migration)
    await _refuse_during_clean_up(app, migration)
    tables, caps = await tables_of(app.lake, migration, kind, body)
    await _refuse_forbidden(app, migration, {table["table"] for table in tables})
    request: OperationFile = {
        "kind": kind,
        "number": await app.lake.run(last_number, migration) + 1,
        "migration": migration,
        "migration_state": cast("State", state),
        "accepted_at": clock.text(),
        "tables": tables,
        "caps": caps,
    }
    await _take_number(app.lake, request)
    await _start_orchestration(app, request)
    return request


async def _refuse_forbidden(app: App, migration: str, names: Container[str]) -> None:
    """Refuse tables that the app's settings do not allow, or no longer.

    Raises:
        ConflictError: if there are some.
    """
    listed: ListedTables | None = await app.lake.read_json(paths.MigrationFiles(migration).tables)
    if listed is None:
        return
    account = migrations.account_of((await migrations.accepted_of(app.lake, migration)).get("arrived"))
    tables = [table for table in listed["tables"] if table["table"] in names]
    faults = list(forbidden_tables(({"account": account, **_known(table)} for table in tables), app.settings))
    if faults:
        raise ConflictError("; ".join(faults[:MOST_FAULTS]), "Name tables that the app may touch.")


def _known(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


async def _take_number(lake: AsyncLake, request: OperationFile) -> None:
    """Write an operation's request, unless another call has taken its number.

    Raises:
        ConflictError: if it has.
    """
    path = paths.MigrationFiles(request["migration"]).operation(request["number"])
    if not await lake.run(_create, path, request):
        raise ConflictError(
            f"Another operation on migration {request['migration']} was started at the same moment.",
            "See the migration's status, and start this one once that operation has ended.",
        )


def _create(lake: Lake, path: str, request: OperationFile) -> bool:
    return lake.create(path, json.dumps(request, indent=1).encode())


async def _refuse_beside_last(app: App, migration: str) -> None:
    """Refuse an operation while another one runs; start that one first if its call broke off before it did.

    Raises:
        ConflictError: if one runs.
    """
    last = await _last(app.lake, migration)
    if last is None:
        return
    if not await _instance(app, last):
        await _start_orchestration(app, last)
    status = await _status(app, last)
    if status["state"] in UNDER_WAY:
        raise _one_at_a_time(f"{_name(last)} of migration {migration}", status["state"])


async def _refuse_during_clean_up(app: App, migration: str) -> None:
    """Refuse an operation until the orphans of a migration that broke off have been cleaned up.

    Raises:
        ConflictError: if the watchdog has not done so yet.
    """
    if await app.lake.exists(paths.MigrationFiles(migration).is_open):
        raise ConflictError(
            f"Migration {migration} has ended early, and its tables are still being ended.",
            "Try again in some minutes: the watchdog cleans up (docs/operate/watchdog.md).",
        )


def _one_at_a_time(subject: str, state: str) -> ConflictError:
    return ConflictError(
        f"{subject} is {state}; one operation runs at a time.", "Try again once it has ended, or cancel it."
    )


async def _start_orchestration(app: App, request: OperationFile) -> None:
    """Start an operation; its tables are in the lake."""
    accepted = await migrations.accepted_of(app.lake, request["migration"])
    if request["kind"] in MIGRATING:
        await migrations.start_orchestration(app, accepted, request["number"])
        return
    value = migrations.operation_input(app.settings, accepted, request["number"], request["kind"])
    await durable.start(app.durable, "run_operation", instance_id(request), value)


async def status_list(app: App, migration: str) -> list[OperationStatus]:
    """Return the state of the last operations on a migration, newest first; its start is not among them."""
    last = await app.lake.run(last_number, migration)
    numbers = range(last, max(last - MOST_SHOWN, 0), -1)
    requests = [
        request
        for request in await asyncio.gather(*(_read(app.lake, migration, number) for number in numbers))
        if request
    ]
    newest = next((request["number"] for request in requests if request["kind"] in MIGRATING), None)
    return list(await asyncio.gather(*(_listed(app, request, newest) for request in requests)))


async def _listed(app: App, request: OperationFile, newest_retry: int | None) -> OperationStatus:
    """Return an operation's state; for a retry that another one followed, the lake has it and Durable has not."""
    if request["kind"] not in MIGRATING or request["number"] == newest_retry:
        return await _status(app, request)
    migration, number = request["migration"], request["number"]
    log: list[QueueEntry] = await app.lake.read_log(paths.MigrationFiles(migration).work(number).queue_log)
    states = [entry["state"] for entry in log if entry["did"] == "ended"]
    finished_at = log[-1]["at"] if log else None
    # One of which no table ended was overtaken before it began, or could not list its tables.
    state = worst_state(states) if states else "failed"
    return {**_pending(request), "state": state, "finished_at": finished_at}


async def state_of(app: App, request: OperationFile) -> str:
    """Return the state of a verify or a replay."""
    return (await _status(app, request))["state"]


async def cancel(app: App, migration: str) -> OperationStatus | None:
    """Cancel the verify or replay that runs, and nothing else; the result is its state, or None if none runs."""
    last = await _last(app.lake, migration)
    if last is None or last["kind"] in MIGRATING:
        return None
    status = await _status(app, last)
    if status["state"] not in UNDER_WAY:
        return None
    flag = json.dumps({"cancelled_at": clock.text(), "tables": None}).encode()
    await app.lake.create(paths.MigrationFiles(migration).cancel(last["number"]), flag)
    return status


async def _status(app: App, request: OperationFile) -> OperationStatus:
    """Return an operation in the words of the HTTP API."""
    instance = await _instance(app, request)
    status = _pending(request)
    if not instance:
        return status
    times = durable.times_and_state(instance)
    error: ErrorDict | None = None
    if isinstance(instance.output, dict):
        error = instance.output["error"]
    elif times["state"] in ("failed", "cancelled"):
        error = durable.broken_off(times["state"], instance.output)
    return {**status, **times, "started_at": request["accepted_at"], "error": error}


async def _instance(app: App, request: OperationFile) -> Any:
    """Return the status of an operation's orchestration; None if it has not started."""
    instance = await app.durable.get_status(instance_id(request), show_input=True)
    # Until a retry has started, the migration's instance is that of the operation before.
    is_of_another = (
        request["kind"] in MIGRATING and instance and input_of(instance)["operation"] != request["number"]
    )
    return instance if instance and not is_of_another else None


def _pending(request: OperationFile) -> OperationStatus:
    return {
        "operation": request["kind"],
        "number": request["number"],
        "state": "pending",
        "started_at": request["accepted_at"],
        "finished_at": None,
        "error": None,
    }


async def _last(lake: AsyncLake, migration: str) -> OperationFile | None:
    """Return the request of the last operation, or None."""
    number = await lake.run(last_number, migration)
    return await _read(lake, migration, number) if number else None


async def _read(lake: AsyncLake, migration: str, number: int) -> OperationFile | None:
    request: OperationFile | None = await lake.read_json(paths.MigrationFiles(migration).operation(number))
    return request


def _name(request: OperationFile) -> str:
    return operation_name(request["kind"], request["number"])


def instance_id(request: OperationFile) -> str:
    """Return the instance id of the orchestration of an operation."""
    return operation_instance_id(request["migration"], request["kind"], request["number"])
