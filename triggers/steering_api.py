"""The HTTP API: holding migrations back, ending them early, and going on with what failed."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.clients.lake import connect_lake
from d2c.errors import ConflictError
from d2c.settings import app_settings
from d2c.steering import parse_cancel
from triggers import migrations, revisits, steering
from triggers.answers import answers_problems, json_answer, links_of

blueprint = df.Blueprint()


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
        await steering.cancel(client, migration, tables)
    else:
        revisit = await revisits.cancel(client, migration)
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
    await steering.retry(client, migration, req.get_body())
    return await _steered(req, client, migration)


@blueprint.route(route="migrations/{id}/suspend", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def suspend_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Let no stage begin that has not begun; what runs goes on to its end."""
    migration = req.route_params["id"]
    await _refuse_if_ended(client, migration)
    await steering.suspend(migration)
    return await _steered(req, client, migration)


@blueprint.route(route="migrations/{id}/resume", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def resume_migration(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Let a migration go on that was suspended."""
    migration = req.route_params["id"]
    await _refuse_if_ended(client, migration)
    await steering.resume(client, migration)
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
