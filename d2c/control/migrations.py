"""Migrations: starting them, and the facts about one that every other module of this room asks for."""

import json
import logging
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from d2c.app.logs import log_fields
from d2c.app.settings import Settings
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.clients.threads import in_turn
from d2c.control.app import App
from d2c.errors import ConflictError, NotFoundError, PlanError
from d2c.foreign_json import quoted
from d2c.plan.allowed import account_faults, forbidden_entries
from d2c.plan.fields import NAME
from d2c.plan.model import Plan
from d2c.shapes import AcceptedPlan, Arrived, OperationInput, OperationKind, Waits
from d2c.state import paths, standing_plans
from d2c.state.operations import migrating_kind
from d2c.state.table_states import UNDER_WAY

logger = logging.getLogger(__name__)


async def submit(app: App, plan: Plan) -> str:
    """Start a plan's migration, or store a standing plan in the lake; the result is the migration's state.

    Raises:
        ConflictError: if another plan, or a migration that has ended, has the name.
        PlanError: if the app has no role for an AWS account of the plan, or may not touch one of its tables.
    """
    if standing_plans.is_standing(plan):
        refuse_forbidden(app, plan)
        await app.lake.run(standing_plans.keep, plan)
        return "pending"
    await start(app, plan)
    return await state_of(app, plan.name)


async def start(app: App, plan: Plan, arrived: Arrived | None = None) -> None:
    """Start a plan's migration unless it runs already.

    Args:
        app: the app.
        plan: the plan.
        arrived: the existing export that the plan's one table is loaded from; None to start an export.

    Raises:
        ConflictError: if another plan, or a migration that has ended, has the name.
        PlanError: if the app has no role for an AWS account of the plan, which an existing export does not need, or
            may not touch one of its tables.
    """
    refuse_forbidden(app, plan, account_of(arrived))
    faults = [] if arrived else account_faults(plan, app.settings.aws)
    if faults:
        raise PlanError(faults)
    files = paths.MigrationFiles(plan.name)
    if not await app.lake.exists(files.plan):
        # The watchdog starts a migration that a crash from here on leaves accepted and not started.
        await app.lake.write(files.is_open, b"")
    digest = await in_turn(plan.digest)
    deployment = await deployment_id(app.lake)
    accepted = await app.lake.run(_accept, plan, digest, deployment, arrived)
    if accepted["digest"] != digest:
        raise ConflictError(
            f"Another plan has the name {plan.name}.",
            "Give this plan another name, or submit the other one again.",
        )
    state = await durable.state_or_none(app.durable, plan.name)
    if state in UNDER_WAY:
        return
    if state is not None:
        raise ConflictError(
            f"Migration {plan.name} has run already and is {state}.",
            "Retry it if tables failed; to run it again, give the plan another name.",
        )
    # The index entry comes before the instance: a running migration is listed even after a crash between the two.
    accepted_at = datetime.fromisoformat(accepted["accepted_at"])
    await app.lake.write(files.index(int(accepted_at.timestamp() * 1000)), b"")
    await start_orchestration(app, accepted, 0)


def account_of(arrived: Arrived | None) -> str | None:
    """Return the AWS account of an existing export's table; None if there is no such export."""
    # arn:aws:dynamodb:<region>:<account>:table/<name>
    return arrived["export"]["table_arn"].split(":")[4] if arrived else None


def refuse_forbidden(app: App, plan: Plan, account: str | None = None) -> None:
    """Refuse a plan that has tables, databases or accounts that the app's settings do not allow.

    Args:
        app: the app.
        plan: the plan.
        account: that of an existing export's table.

    Raises:
        PlanError: with each of them.
    """
    faults = forbidden_entries(plan, app.settings, account)
    if faults:
        raise PlanError(faults)


async def start_orchestration(app: App, accepted: AcceptedPlan, number: int) -> None:
    """Start a migration's orchestration.

    Args:
        app: the app.
        accepted: the migration's plan.
        number: 0 for its start, or the number of a retry, whose request is in the lake.
    """
    value = operation_input(app.settings, accepted, number, migrating_kind(number))
    migration = value["migration"]
    await app.lake.write(paths.MigrationFiles(migration).is_open, b"")
    await durable.start(app.durable, "run_operation", migration, value)
    with log_fields(migration=migration):
        logger.info("%s of migration %s has started", f"Retry {number}" if number else "The start", migration)


def operation_input(
    settings: Settings, accepted: AcceptedPlan, number: int, kind: OperationKind
) -> OperationInput:
    """Return the input of the orchestration of an operation.

    Args:
        settings: the app's.
        accepted: the migration's plan.
        number: the operation's.
        kind: its kind.
    """
    value: OperationInput = {
        "migration": accepted["plan"]["name"],
        "operation": number,
        "kind": kind,
        "waits": waits(settings),
    }
    if "deployment" in accepted:
        value["deployment"] = accepted["deployment"]
    return value


def _accept(lake: Lake, plan: Plan, digest: str, deployment: str, arrived: Arrived | None) -> AcceptedPlan:
    """Return the accepted plan of this name, with its digest and its time: this plan if there was none."""
    path = paths.MigrationFiles(plan.name).plan
    accepted: AcceptedPlan = {
        "plan": plan.model_dump(mode="json", exclude_none=True),
        "accepted_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "digest": digest,
        "deployment": deployment,
    }
    if arrived:
        accepted["arrived"] = arrived
    if not lake.create(path, json.dumps(accepted, indent=1).encode()):
        accepted = lake.read_json(path)
    return accepted


async def deployment_id(lake: AsyncLake) -> str:
    """Return the id of the deployment that has this lake: random, and made now if it has none yet."""
    known = await lake.read_json(paths.DEPLOYMENT)
    if known is None:
        # Of two that make one at once, the first to write it wins.
        await lake.create(paths.DEPLOYMENT, json.dumps({"id": secrets.token_hex(8)}).encode())
        known = await lake.read_json(paths.DEPLOYMENT)
    return str(known["id"])


def waits(settings: Settings) -> Waits:
    """Return the intervals at which orchestrations poll external runs."""
    polling = settings.polling
    return {
        "first_seconds": polling.first_seconds,
        "factor": polling.factor,
        "longest_seconds": polling.longest_seconds,
    }


async def state_of(app: App, migration: str) -> str:
    """Return a migration's state.

    Raises:
        NotFoundError: if there is no such migration.
    """
    return durable.state_of(await instance_of(app, migration))


def check_id(migration: str) -> None:
    """Refuse an impossible migration id before it becomes part of addresses and lake paths.

    Raises:
        NotFoundError: if no plan can have the name.
    """
    if not re.fullmatch(NAME, migration):
        raise _no_migration(quoted(migration))


async def instance_of(app: App, migration: str) -> Any:
    """Return the status of a migration's orchestration.

    Raises:
        NotFoundError: if there is no such migration.
    """
    status = await app.durable.get_status(migration)
    if not status:
        raise _no_migration(migration)
    return status


def _no_migration(migration: str) -> NotFoundError:
    return NotFoundError(f"There is no migration {migration}.", "GET /api/migrations lists all migrations.")


async def plan_of(lake: AsyncLake, migration: str) -> dict[str, Any]:
    """Return a migration's plan, as it was accepted.

    Raises:
        NotFoundError: if it is not in the lake.
    """
    return (await accepted_of(lake, migration))["plan"]


async def accepted_of(lake: AsyncLake, migration: str) -> AcceptedPlan:
    """Return a migration's plan with the time of its acceptance.

    Raises:
        NotFoundError: if it is not in the lake.
    """
    accepted: AcceptedPlan | None = await lake.read_json(paths.MigrationFiles(migration).plan)
    if accepted is None:
        raise NotFoundError(
            f"The plan of migration {migration} is not in the lake.",
            "Look for it in the lake's migrations folder.",
        )
    return accepted


async def table_names(lake: AsyncLake, migration: str) -> list[str]:
    """Return the names of a migration's tables; until they are listed, those that the plan names."""
    listed = await lake.read_json(paths.MigrationFiles(migration).tables)
    tables = (listed or await plan_of(lake, migration))["tables"]
    return [table["table"] for table in tables]
