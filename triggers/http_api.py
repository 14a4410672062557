"""The HTTP API: one function a call, which reads the request, has `d2c.control` act and writes the answer."""

import asyncio
import json
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.api.openapi import api_document
from d2c.api.requests import parse_cancel
from d2c.app.settings import app_settings
from d2c.clients.azure.lake import connect_lake
from d2c.control import checks, lifecycle, migrations, operations, queries
from d2c.errors import BodyError, ConflictError, NotFoundError
from d2c.plan.model import Plan, parse_plan
from d2c.state import paths, standing_plans
from d2c.state.ids import revisit_instance_id
from d2c.state.table_record import revisit_name
from triggers.answers import answers_problems, json_answer, links_of, prefers_html

PAGE_SIZE = 20
LARGEST_PAGE = 100
DEFAULT_WAIT_SECONDS = 25
# A Function app's HTTP call may take 230 seconds, and callers give up earlier.
LONGEST_WAIT_SECONDS = 60
RETRY_AFTER_SECONDS = 2

blueprint = df.Blueprint()


@blueprint.route(route="migrations", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def start_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Start the migration that a plan asks for, or check the plan; the same plan again returns the running one.

    A standing plan is kept in the lake, where the exports that it waits for find it.
    """
    plan = parse_plan(req.get_body())
    if req.params.get("dry_run", "").lower() == "true":
        return await _check(req, client, plan)
    if standing_plans.is_standing(plan):
        await asyncio.to_thread(standing_plans.keep, connect_lake(app_settings()), plan)
        state = "pending"
    else:
        await migrations.start(client, plan)
        state = await migrations.state_of(client, plan.name)
    return json_answer({"id": plan.name, "state": state, "links": links_of(req, client, plan.name)}, 202)


@blueprint.route(route="migrations", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def list_migrations(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """List migrations, newest first; ``next`` of one page is the ``token`` of the following one."""
    page, token = await queries.page_of_migrations(client, _page_size(req), req.params.get("token"))
    return json_answer({"migrations": page, "next": token})


@blueprint.route(route="migrations/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Tell how a migration and a page of its tables stand."""
    migration = req.route_params["id"]
    migrations.check_id(migration)
    status, later_work = await asyncio.gather(
        queries.status_of(client, migration, queries.wanted_tables(req.params)),
        operations.operations_of(client, migration),
    )
    for table in status["tables"]:
        table["links"] = client.create_http_management_payload(table.pop("instance"))
    return json_answer({**status, "operations": later_work, "links": links_of(req, client, migration)})


@blueprint.route(route="migrations/{id}/report", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_report(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Return the report, as a page where the caller prefers HTML."""
    migration = req.route_params["id"]
    migrations.check_id(migration)
    page_wanted = prefers_html(req.headers.get("accept", ""))
    path = paths.report_page_path(migration) if page_wanted else paths.report_path(migration)
    report = await asyncio.to_thread(connect_lake(app_settings()).read, path)
    if report is None:
        state = await migrations.state_of(client, migration)
        raise NotFoundError(
            f"Migration {migration} is {state} and has no report yet.", "Ask again once it has ended."
        )
    return func.HttpResponse(report, mimetype="text/html" if page_wanted else "application/json")


@blueprint.route(route="migrations/{id}/verify", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def verify_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Compare the export of tables that were moved with their containers once more."""
    return await _revisit(req, client, "verify")


@blueprint.route(route="migrations/{id}/replay", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def replay_rejected_items(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Map and load the rejected items again, then verify their tables."""
    return await _revisit(req, client, "replay")


async def _revisit(req: func.HttpRequest, client: Any, operation: str) -> func.HttpResponse:
    migration = req.route_params["id"]
    started = await operations.start(client, migration, operation, req.get_body())
    instance = revisit_instance_id(migration, revisit_name(operation, started["number"]))
    links = links_of(req, client, migration, instance)
    return json_answer({"id": migration, "operation": operation, **started, "links": links}, 202)


@blueprint.route(route="migrations/{id}/rejected", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def list_rejected_items(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """List the items that are rejected now; ``next`` of one page is the ``token`` of the following one."""
    migration = req.route_params["id"]
    await migrations.state_of(client, migration)
    wanted = {name: req.params.get(name) for name in ("table", "reason", "token")}
    items, following = await queries.page(migration, size=_page_size(req), **wanted)
    body = b'{"rejected":[' + b",".join(items) + b'],"next":' + json.dumps(following).encode() + b"}"
    return func.HttpResponse(body, mimetype="application/json")


async def _check(req: func.HttpRequest, client: Any, plan: Plan) -> func.HttpResponse:
    check = await checks.start(client, plan, _wait_seconds(req))
    if check["state"] != "running":
        return json_answer(check)
    answer = json_answer(check, 202)
    answer.headers["Location"] = f"{req.url.split('/migrations', 1)[0]}/checks/{check['id']}"
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _wait_seconds(req: func.HttpRequest) -> int:
    text = req.params.get("wait", str(DEFAULT_WAIT_SECONDS))
    if not text.isdecimal() or int(text) > LONGEST_WAIT_SECONDS:
        raise BodyError([f"wait: it takes whole seconds from 0 to {LONGEST_WAIT_SECONDS}, not {text!r}"])
    return int(text)


def _page_size(req: func.HttpRequest) -> int:
    return queries.page_size(req.params, PAGE_SIZE, LARGEST_PAGE)


@blueprint.route(route="checks/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_check(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Tell how far a check is, or what it found."""
    return json_answer(await checks.find(client, req.route_params["id"]))


@blueprint.route(route="migrations/{id}/cancel", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def cancel_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Cancel a migration, tables of it, or the revisit of it that runs: what runs outside is stopped."""
    migration = req.route_params["id"]
    answer: dict[str, Any] = {"id": migration, "state": await migrations.state_of(client, migration)}
    if answer["state"] in migrations.UNDER_WAY:
        names = await migrations.table_names(connect_lake(app_settings()), migration)
        tables = parse_cancel(req.get_body(), names)
        await lifecycle.cancel(client, migration, tables)
    else:
        revisit = await operations.cancel(client, migration)
        if revisit is None:
            raise ConflictError(
                f"Migration {migration} is {answer['state']} already.", "There is nothing left to cancel."
            )
        answer |= {name: revisit[name] for name in ("operation", "number", "state")}
    return json_answer({**answer, "links": links_of(req, client, migration)}, 202)


@blueprint.route(route="migrations/{id}/retry", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def retry_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Go on with the tables that failed or were cancelled, from where they stopped."""
    migration = req.route_params["id"]
    await lifecycle.retry(client, migration, req.get_body())
    return await _steered(req, client, migration)


@blueprint.route(route="migrations/{id}/suspend", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def suspend_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Let no stage begin that has not begun; what runs goes on to its end."""
    migration = req.route_params["id"]
    await _refuse_if_ended(client, migration)
    await lifecycle.suspend(migration)
    return await _steered(req, client, migration)


@blueprint.route(route="migrations/{id}/resume", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def resume_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Let a migration go on that was suspended."""
    migration = req.route_params["id"]
    await _refuse_if_ended(client, migration)
    await lifecycle.resume(client, migration)
    return await _steered(req, client, migration)


async def _refuse_if_ended(client: Any, migration: str) -> None:
    state = await migrations.state_of(client, migration)
    if state not in migrations.UNDER_WAY:
        raise ConflictError(
            f"Migration {migration} is {state} already.", "Retry goes on with what failed or was cancelled."
        )


async def _steered(req: func.HttpRequest, client: Any, migration: str) -> func.HttpResponse:
    state = await migrations.state_of(client, migration)
    return json_answer({"id": migration, "state": state, "links": links_of(req, client, migration)}, 202)


@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers_problems
async def get_api_document(req: func.HttpRequest) -> func.HttpResponse:
    """Return the document; it tells what the API is, and nothing of anybody's migrations."""
    return json_answer(api_document())
