"""Operations on a migration that has ended: retry, verify and replay, each with a kind and a number.

One operation runs at a time. Its number is taken by creating its file, so of two calls at once one gets it; the file
is what runs, even if the call that wrote it broke off before it started anything.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, TypedDict

from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.operation_tables import tables_of
from d2c.errors import ConflictError
from d2c.plan.model import Plan
from d2c.shapes import ErrorDict, Waits
from d2c.state import paths
from d2c.state.ids import operation_instance_id, operation_name, operation_run_instance_id
from d2c.state.operations import RETRY, VERIFY, last_number
from d2c.state.table_states import UNDER_WAY

MOST_SHOWN = 20
STARTED_WITH = ("migration", "operation", "number", "migration_state", "waits")


class AcceptedOperation(TypedDict):
    """An operation as it was accepted, in the lake; `d2c.shapes.OperationFile` is that of a verify or a replay."""

    operation: str
    number: int
    migration: str
    migration_state: str
    accepted_at: str
    tables: list[dict[str, Any]]
    max_parallel_tables: int
    waits: Waits


class OperationStatus(TypedDict):
    """A verify or a replay in the words of the HTTP API."""

    operation: str
    number: int
    state: str
    started_at: str
    finished_at: str | None
    error: ErrorDict | None


async def start(app: App, migration: str, kind: str, body: bytes) -> AcceptedOperation:
    """Start an operation on a migration; the result is the request as it was accepted, with its number.

    Args:
        app: the app.
        migration: its id.
        kind: ``retry``, ``verify`` or ``replay``.
        body: as ``docs/reference/http-api.md`` describes it.

    Raises:
        NotFoundError: if there is no such migration.
        BodyError: with every fault of the body.
        ConflictError: if the migration or an operation on it runs, or a table does not allow the operation.
    """
    state = await migrations.state_of(app, migration)
    if state in UNDER_WAY:
        raise _one_at_a_time(f"Migration {migration}", state)
    await _refuse_beside_last(app, migration)
    plan = await migrations.plan_of(app.lake, migration)
    tables = await tables_of(app.lake, migration, kind, body)
    request: AcceptedOperation = {
        "operation": kind,
        "number": await app.lake.run(last_number, migration, kind) + 1,
        "migration": migration,
        "migration_state": state,
        "accepted_at": _now(),
        "tables": tables,
        "max_parallel_tables": plan["max_parallel_tables"],
        "waits": migrations.waits(app.settings),
    }
    await _take_number(app.lake, request)
    if kind == RETRY:
        await app.lake.delete(paths.cancel_path(migration))
        await migrations.start_orchestration(app, Plan.model_validate(plan), request["number"])
    else:
        await _start_orchestration(app, request)
    return request


async def _take_number(lake: AsyncLake, request: AcceptedOperation) -> None:
    """Write an operation's request, unless another call has taken its number.

    Raises:
        ConflictError: if it has.
    """
    path = paths.operation_path(request["migration"], request["operation"], request["number"])
    if not await lake.create(path, json.dumps(request, indent=1).encode()):
        raise ConflictError(
            f"Another operation on migration {request['migration']} was started at the same moment.",
            "See the migration's status, and start this one once that operation has ended.",
        )


async def _refuse_beside_last(app: App, migration: str) -> None:
    """Refuse an operation while a verify or replay runs; start that one first if its call broke off before it did.

    Raises:
        ConflictError: if one runs.
    """
    last = await _last(app.lake, migration)
    if last is None:
        return
    if await durable.state_or_none(app.durable, instance_id(last)) is None:
        await _start_orchestration(app, last)
    status = await _status(app, last)
    if status["state"] in UNDER_WAY:
        raise _one_at_a_time(f"{_name(last)} of migration {migration}", status["state"])


def _one_at_a_time(subject: str, state: str) -> ConflictError:
    return ConflictError(
        f"{subject} is {state}; one operation runs at a time.", "Try again once it has ended, or cancel it."
    )


async def _start_orchestration(app: App, request: AcceptedOperation) -> None:
    """Start a verify or a replay; its tables are in the lake."""
    value = {name: field for name, field in request.items() if name in STARTED_WITH}
    await durable.start(app.durable, "revisit", instance_id(request), value)


async def status_list(app: App, migration: str) -> list[OperationStatus]:
    """Return the state of the last verify and replay operations on a migration, newest first.

    A retry is not among them: its state is that of the migration.
    """
    last = await app.lake.run(last_number, migration, VERIFY)
    numbers = range(last, max(last - MOST_SHOWN, 0), -1)
    requests = await asyncio.gather(*(_read(app.lake, migration, number) for number in numbers))
    return list(await asyncio.gather(*(_status(app, request) for request in requests if request)))


async def state_of(app: App, request: AcceptedOperation) -> str:
    """Return the state of a verify or a replay."""
    return (await _status(app, request))["state"]


async def cancel(app: App, migration: str) -> OperationStatus | None:
    """Cancel the verify or replay that runs, and nothing else; the result is its state, or None if none runs."""
    last = await _last(app.lake, migration)
    status = await _status(app, last) if last else None
    if not last or not status or status["state"] not in UNDER_WAY:
        return None
    flag = json.dumps({"cancelled_at": _now()}).encode()
    await app.lake.create(paths.cancel_path(migration, _name(last)), flag)
    runs = [operation_run_instance_id(migration, table["table"], _name(last)) for table in last["tables"]]
    await asyncio.gather(*(durable.wake(app.durable, run) for run in runs))
    return status


async def _status(app: App, request: AcceptedOperation) -> OperationStatus:
    """Return a verify or a replay in the words of the HTTP API."""
    instance = await app.durable.get_status(instance_id(request))
    status: OperationStatus = {
        "operation": request["operation"],
        "number": request["number"],
        "state": "pending",
        "started_at": request["accepted_at"],
        "finished_at": None,
        "error": None,
    }
    if not instance:
        return status
    times = durable.times_and_state(instance)
    error: ErrorDict | None = None
    if isinstance(instance.output, dict):
        error = instance.output["error"]
    elif times["state"] in ("failed", "cancelled"):
        error = durable.broken_off(times["state"], instance.output)
    return {**status, **times, "error": error}


async def _last(lake: AsyncLake, migration: str) -> AcceptedOperation | None:
    """Return the request of the last verify or replay, or None."""
    number = await lake.run(last_number, migration, VERIFY)
    return await _read(lake, migration, number) if number else None


async def _read(lake: AsyncLake, migration: str, number: int) -> AcceptedOperation | None:
    request: AcceptedOperation | None = await lake.read_json(paths.operation_path(migration, VERIFY, number))
    return request


def _name(request: AcceptedOperation) -> str:
    return operation_name(request["operation"], request["number"])


def instance_id(request: AcceptedOperation) -> str:
    """Return the instance id of the orchestration of a verify or a replay."""
    return operation_instance_id(request["migration"], _name(request))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
