"""The HTTP API: one function a call, which reads the request, calls `d2c.control` and writes the answer."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.api.openapi import api_document
from d2c.api.requests import MOST_BODY_BYTES
from d2c.clients.threads import in_thread, in_turn
from d2c.control import checks, lifecycle, migrations, operations, plans, queries, results
from d2c.control.app import App
from d2c.plan.model import MOST_PLAN_BYTES, Plan, parse_plan
from d2c.shapes import RequestedKind
from d2c.shapes.operations import REPLAY, RETRY, VERIFY
from triggers.answers import (
    answers_problems,
    durable_links,
    json_answer,
    links_of,
    page_answer,
    prefers_html,
)
from triggers.app import with_app
from triggers.requests import body_of, check_of, migration_of, parameters_of

RETRY_AFTER_SECONDS = 2

blueprint = df.Blueprint()


@blueprint.route(route="migrations", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def start_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Start a plan's migration, or check the plan; the same plan again returns the running migration.

    A standing plan is stored in the lake, where the exports that it waits for find it.
    """
    parameters = parameters_of(req, "start_migration")
    plan = await in_turn(parse_plan, body_of(req, MOST_PLAN_BYTES))
    if parameters["dry_run"]:
        return await _check(req, app, plan, parameters["wait"])
    return _accepted(req, app, plan.name, {"state": await migrations.submit(app, plan)})


@blueprint.route(route="migrations", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def list_migrations(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """List migrations, newest first; ``next`` of one page is the ``token`` of the following one."""
    parameters = parameters_of(req, "list_migrations")
    page, token = await queries.page_of_migrations(app, parameters["top"], parameters["token"])
    return json_answer({"migrations": page, "next": token})


@blueprint.route(route="migrations/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def get_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Return the status of a migration and a page of its tables."""
    migration, parameters = migration_of(req), parameters_of(req, "get_migration")
    tables = queries.TableFilter(parameters["state"], parameters["top"], int(parameters["token"] or 0))
    status, last_operations = await asyncio.gather(
        queries.status_of(app, migration, tables),
        operations.status_list(app, migration),
    )
    return await in_thread(_status_answer, req, app, {**status, "operations": last_operations})


def _status_answer(req: func.HttpRequest, app: App, status: dict[str, Any]) -> func.HttpResponse:
    """Return a status with the addresses of the migration and its tables; of 1,000 tables that takes its time."""
    for table in status["tables"]:
        table["links"] = durable_links(app, table.pop("instance"))
    return json_answer({**status, "links": links_of(req, app, status["id"])})


@blueprint.route(route="migrations/{id}/report", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def get_report(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Return the report, as a page where the caller prefers HTML."""
    as_page = prefers_html(req.headers.get("accept", ""))
    report = await results.report_of(app, migration_of(req), as_page=as_page)
    return page_answer(report) if as_page else func.HttpResponse(report, mimetype="application/json")


@blueprint.route(route="migrations/{id}/verify", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def verify_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Compare the exports of tables with their containers again."""
    return await _operate(req, app, VERIFY)


@blueprint.route(route="migrations/{id}/replay", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def replay_rejected_items(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Map and load the rejected items again, then verify their tables."""
    return await _operate(req, app, REPLAY)


async def _operate(req: func.HttpRequest, app: App, kind: RequestedKind) -> func.HttpResponse:
    request = await operations.start(app, migration_of(req), kind, body_of(req, MOST_BODY_BYTES))
    answer = {
        "operation": kind,
        "number": request["number"],
        "state": await operations.state_of(app, request),
    }
    return _accepted(req, app, request["migration"], answer, operations.instance_id(request))


@blueprint.route(route="migrations/{id}/rejected", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def list_rejected_items(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """List the items that are currently rejected; ``next`` of one page is the ``token`` of the following one."""
    wanted = results.RejectedFilter(**parameters_of(req, "list_rejected_items"))
    items, following = await results.rejected_items(app, migration_of(req), wanted)
    body = b'{"rejected":[' + b",".join(items) + b'],"next":' + json.dumps(following).encode() + b"}"
    return func.HttpResponse(body, mimetype="application/json")


async def _check(req: func.HttpRequest, app: App, plan: Plan, wait_seconds: int) -> func.HttpResponse:
    check = await checks.start(app, plan, wait_seconds)
    if check["state"] != "running":
        return await in_thread(json_answer, check)
    answer = json_answer(check, 202)
    answer.headers["Location"] = f"{req.url.split('/migrations', 1)[0]}/checks/{check['id']}"
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


@blueprint.route(route="plans", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def propose_plan(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Propose a plan for tables, by what DynamoDB says of them; nothing is started or kept."""
    proposal = await in_thread(plans.propose, app.settings, body_of(req, MOST_BODY_BYTES))
    return await in_thread(json_answer, proposal)


@blueprint.route(route="checks/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def get_check(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Return a check: its progress, or its findings."""
    return await in_thread(json_answer, await checks.find(app, check_of(req)))


@blueprint.route(route="migrations/{id}/cancel", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def cancel_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Cancel a migration, tables of it, or the operation that runs on it: external runs are stopped."""
    migration, body = migration_of(req), body_of(req, MOST_BODY_BYTES)
    return _accepted(req, app, migration, await lifecycle.cancel(app, migration, body))


@blueprint.route(route="migrations/{id}/retry", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def retry_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Start the failed and cancelled tables again, each from its last completed stage."""
    migration, body = migration_of(req), body_of(req, MOST_BODY_BYTES)
    await operations.start(app, migration, RETRY, body)
    return _accepted(req, app, migration, {"state": await migrations.state_of(app, migration)})


@blueprint.route(route="migrations/{id}/suspend", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def suspend_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Pause: running stages finish, no new stage starts."""
    migration = migration_of(req)
    await lifecycle.suspend(app, migration)
    return _accepted(req, app, migration, {"state": await migrations.state_of(app, migration)})


@blueprint.route(route="migrations/{id}/resume", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
@with_app
async def resume_migration(req: func.HttpRequest, app: App) -> func.HttpResponse:
    """Resume a paused migration."""
    migration = migration_of(req)
    await lifecycle.resume(app, migration)
    return _accepted(req, app, migration, {"state": await migrations.state_of(app, migration)})


def _accepted(
    req: func.HttpRequest, app: App, migration: str, answer: Mapping[str, Any], instance: str | None = None
) -> func.HttpResponse:
    """Return an answer of 202 about a migration, with the addresses of it and of an orchestration."""
    links = links_of(req, app, migration, instance)
    return json_answer({"id": migration, **answer, "links": links}, 202)


@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers_problems
async def get_api_document(req: func.HttpRequest) -> func.HttpResponse:
    """Return the OpenAPI document, which has nothing about migrations in it."""
    return json_answer(await in_thread(api_document))
