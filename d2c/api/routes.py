"""The calls of the HTTP API: what each takes and answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from d2c.api.check_models import AcceptedOrCheck, Check
from d2c.api.models import (
    Accepted,
    Cancelled,
    Migrations,
    MigrationStatus,
    OperationAccepted,
    RejectedItems,
)
from d2c.api.report_models import Report
from d2c.api.requests import CancelBody, ReplayBody, RetryBody, VerifyBody
from d2c.mapping import REASONS
from d2c.plan.model import Plan
from d2c.state.table_states import STATES

Schema = dict[str, Any]
Model = type[BaseModel]

JSON, HTML = "application/json", "text/html"


class Parameter(NamedTuple):
    """A parameter in a call's query, which may be left out.

    Args:
        name: its name.
        does: what it does.
        schema: of its value.
    """

    name: str
    does: str
    schema: Schema


class Route(NamedTuple):
    """A call of the API.

    Args:
        method: of HTTP.
        path: below ``/api/``.
        function: the app's function that answers.
        does: what it does.
        status: what it answers with when it succeeds.
        answers: models of that answer by media types; None for what is no JSON.
        errors: the statuses that it refuses with, beside those that any call may fail with.
        body: what it takes, if anything.
        must_have_body: whether the body may not be left out.
        parameters: in its query.
        is_open: whether it needs no function key.
        also: other statuses of success, each with the model of its JSON answer.
    """

    method: str
    path: str
    function: str
    does: str
    status: int
    answers: Mapping[str, Model | None]
    errors: tuple[int, ...] = ()
    body: Model | None = None
    must_have_body: bool = False
    parameters: tuple[Parameter, ...] = ()
    is_open: bool = False
    also: tuple[tuple[int, Model], ...] = ()


def _page_of(most: int, usual: int) -> tuple[Parameter, Parameter]:
    bounds = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return (
        Parameter("top", "How many entries a page has at the most.", bounds),
        Parameter("token", "The `next` of the page before.", {"type": "string"}),
    )


def _get(path: str, function: str, does: str, model: Model, *parameters: Parameter) -> Route:
    errors = (400, 404) if "{id}" in path else (400,)
    return Route("GET", path, function, does, 200, {JSON: model}, errors, parameters=parameters)


def _post(action: str, function: str, does: str, model: Model, body: Model | None = None) -> Route:
    path = f"migrations/{{id}}/{action}"
    errors = (400, 404, 409) if body else (404, 409)
    return Route("POST", path, function, does, 202, {JSON: model}, errors, body)


ROUTES = (
    Route(
        "POST",
        "migrations",
        "start_migration",
        "Start the migration that a plan asks for, or check the plan; the same plan again finds the one that runs.",
        202,
        {JSON: AcceptedOrCheck},
        (400, 409),
        Plan,
        must_have_body=True,
        parameters=(
            Parameter("dry_run", "Whether to check the plan and start nothing.", {"type": "boolean"}),
            Parameter(
                "wait",
                "How many seconds a check may be waited for before the answer is 202.",
                {"type": "integer", "minimum": 0, "maximum": 60, "default": 25},
            ),
        ),
        also=((200, Check),),
    ),
    _get("checks/{id}", "get_check", "Tell how far a check is, or what it found.", Check),
    _get("migrations", "list_migrations", "List migrations, newest first.", Migrations, *_page_of(100, 20)),
    _get(
        "migrations/{id}",
        "get_migration",
        "Tell how a migration and a page of its tables stand.",
        MigrationStatus,
        Parameter("state", "Tables in this state only.", {"enum": list(STATES)}),
        *_page_of(1000, 100),
    ),
    Route(
        "GET",
        "migrations/{id}/report",
        "get_report",
        "Return the report, as a page where `Accept` prefers HTML.",
        200,
        {JSON: Report, HTML: None},
        (404,),
    ),
    _get(
        "migrations/{id}/rejected",
        "list_rejected_items",
        "List the items that are rejected now.",
        RejectedItems,
        Parameter("table", "This table's items only.", {"type": "string"}),
        Parameter("reason", "Items with this reason only.", {"enum": list(REASONS)}),
        *_page_of(100, 20),
    ),
    _post(
        "cancel",
        "cancel_migration",
        "Cancel a migration or tables of it, or the revisit of it that runs.",
        Cancelled,
        CancelBody,
    ),
    _post(
        "retry",
        "retry_migration",
        "Go on with tables that failed or were cancelled, from where they stopped.",
        Accepted,
        RetryBody,
    ),
    _post("suspend", "suspend_migration", "Let no stage begin that has not begun.", Accepted),
    _post("resume", "resume_migration", "Let a migration go on that was suspended.", Accepted),
    _post(
        "verify",
        "verify_migration",
        "Compare tables with their containers once more.",
        OperationAccepted,
        VerifyBody,
    ),
    _post(
        "replay",
        "replay_rejected_items",
        "Map and load the rejected items again.",
        OperationAccepted,
        ReplayBody,
    ),
    Route(
        "GET", "openapi.json", "get_api_document", "Return this document.", 200, {JSON: None}, is_open=True
    ),
    Route(
        "GET", "dashboard", "show_dashboard", "Return the dashboard's page.", 200, {HTML: None}, is_open=True
    ),
    Route(
        "GET",
        "dashboard/{*path}",
        "show_dashboard_file",
        "Return a file of the dashboard.",
        200,
        dict.fromkeys((HTML, "text/css", "text/javascript", "image/svg+xml")),
        (404,),
        is_open=True,
    ),
)
