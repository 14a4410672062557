"""The calls of the HTTP API: path, parameters, body and responses of each."""

from collections.abc import Mapping
from typing import NamedTuple

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
from d2c.api.parameters import (
    PLACE_OF_REJECTED,
    PLACE_OF_TABLE,
    Parameter,
    choice,
    flag,
    name_like,
    page_of,
    whole_number,
)
from d2c.api.plan_models import Proposal, ProposeBody
from d2c.api.report_models import Report
from d2c.api.requests import CancelBody, ReplayBody, RetryBody, VerifyBody
from d2c.mapping import REASONS
from d2c.plan.fields import MEANINGS, TABLE_NAME
from d2c.plan.model import Plan
from d2c.state.paths import INDEX_NAME
from d2c.state.table_states import STATES

Model = type[BaseModel]

JSON, HTML = "application/json", "text/html"


class Route(NamedTuple):
    """A call of the API.

    Args:
        method: the HTTP method.
        path: the path below ``/api/``.
        function: the app's function that handles it.
        summary: its text in the document.
        status: the status of success.
        answers: the models of the response by media type; None if it is not JSON.
        errors: the statuses of rejection, in addition to those of any call.
        body: the model of the body, if any.
        is_body_required: whether the body is required.
        parameters: its query parameters.
        is_open: whether it works without a function key.
        also: other statuses of success, each with the model of its JSON response.
    """

    method: str
    path: str
    function: str
    summary: str
    status: int
    answers: Mapping[str, Model | None]
    errors: tuple[int, ...] = ()
    body: Model | None = None
    is_body_required: bool = False
    parameters: tuple[Parameter, ...] = ()
    is_open: bool = False
    also: tuple[tuple[int, Model], ...] = ()


def _get(path: str, function: str, summary: str, model: Model, *parameters: Parameter) -> Route:
    errors = (400, 404) if "{id}" in path else (400,)
    return Route("GET", path, function, summary, 200, {JSON: model}, errors, parameters=parameters)


def _post(action: str, function: str, summary: str, model: Model, body: Model | None = None) -> Route:
    path = f"migrations/{{id}}/{action}"
    errors = (400, 404, 409) if body else (404, 409)
    return Route("POST", path, function, summary, 202, {JSON: model}, errors, body)


ROUTES = (
    Route(
        "POST",
        "migrations",
        "start_migration",
        "Start a plan's migration, or check the plan; the same plan again returns the running migration.",
        202,
        {JSON: AcceptedOrCheck},
        (400, 409),
        Plan,
        is_body_required=True,
        parameters=(
            flag("dry_run", "Whether to only check the plan, without starting anything."),
            whole_number(
                "wait", "How many seconds to wait for a check before responding with 202.", 0, 60, 25
            ),
        ),
        also=((200, Check),),
    ),
    Route(
        "POST",
        "plans",
        "propose_plan",
        "Propose a plan for tables: with the reasons, open questions, and what it would take and cost.",
        200,
        {JSON: Proposal},
        (400,),
        ProposeBody,
        is_body_required=True,
    ),
    _get("checks/{id}", "get_check", "Return the progress of a check, and its findings.", Check),
    _get(
        "migrations",
        "list_migrations",
        "List migrations, newest first.",
        Migrations,
        *page_of(100, 20, INDEX_NAME),
    ),
    _get(
        "migrations/{id}",
        "get_migration",
        "Return the status of a migration and a page of its tables.",
        MigrationStatus,
        choice("state", "Only tables in this state.", STATES),
        *page_of(1000, 100, PLACE_OF_TABLE),
    ),
    Route(
        "GET",
        "migrations/{id}/report",
        "get_report",
        "Return the report, as a web page if `Accept` prefers HTML.",
        200,
        {JSON: Report, HTML: None},
        (404,),
    ),
    _get(
        "migrations/{id}/rejected",
        "list_rejected_items",
        "List the currently rejected items.",
        RejectedItems,
        name_like("table", "Only this table's items.", TABLE_NAME, MEANINGS[TABLE_NAME]),
        choice("reason", "Only items with this reason.", REASONS),
        *page_of(100, 20, PLACE_OF_REJECTED),
    ),
    _post(
        "cancel",
        "cancel_migration",
        "Cancel a migration, some of its tables, or its running operation.",
        Cancelled,
        CancelBody,
    ),
    _post(
        "retry",
        "retry_migration",
        "Retry failed and cancelled tables, each from the stage at which it stopped.",
        Accepted,
        RetryBody,
    ),
    _post(
        "suspend",
        "suspend_migration",
        "Pause a migration: running stages finish, no new stage starts.",
        Accepted,
    ),
    _post("resume", "resume_migration", "Resume a suspended migration.", Accepted),
    _post(
        "verify",
        "verify_migration",
        "Compare tables with their containers again.",
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

PARAMETERS = {route.function: {one.name: one for one in route.parameters} for route in ROUTES}
