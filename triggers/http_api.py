"""The HTTP API: starting migrations, and asking how they stand."""

import asyncio
import json
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c import lake_paths, standing_plans
from d2c.clients.lake import connect_lake
from d2c.errors import NotFoundError
from d2c.plan import parse_plan
from d2c.run_keys import revisit_instance_id
from d2c.settings import app_settings
from d2c.table_record import revisit_name
from triggers import checks, migrations, rejected, revisits, statuses
from triggers.answers import answers_problems, json_answer, links_of, prefers_html

PAGE_SIZE = 20
LARGEST_PAGE = 100

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
        return await checks.check(req, client, plan)
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
    page, token = await statuses.page_of_migrations(client, _page_size(req), req.params.get("token"))
    return json_answer({"migrations": page, "next": token})


@blueprint.route(route="migrations/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Tell how a migration and a page of its tables stand."""
    migration = req.route_params["id"]
    migrations.check_id(migration)
    status, operations = await asyncio.gather(
        statuses.status_of(client, migration, statuses.wanted_tables(req.params)),
        revisits.operations_of(client, migration),
    )
    for table in status["tables"]:
        table["links"] = client.create_http_management_payload(table.pop("instance"))
    return json_answer({**status, "operations": operations, "links": links_of(req, client, migration)})


@blueprint.route(route="migrations/{id}/report", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_report(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Return the report, as a page where the caller prefers HTML."""
    migration = req.route_params["id"]
    migrations.check_id(migration)
    page_wanted = prefers_html(req.headers.get("accept", ""))
    path = lake_paths.report_page_path(migration) if page_wanted else lake_paths.report_path(migration)
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
    started = await revisits.start(client, migration, operation, req.get_body())
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
    items, following = await rejected.page(migration, size=_page_size(req), **wanted)
    body = b'{"rejected":[' + b",".join(items) + b'],"next":' + json.dumps(following).encode() + b"}"
    return func.HttpResponse(body, mimetype="application/json")


def _page_size(req: func.HttpRequest) -> int:
    return statuses.page_size(req.params, PAGE_SIZE, LARGEST_PAGE)
