"""Proposing a plan for tables that the app can describe."""

from typing import Any

from d2c.api.plan_models import ProposeBody
from d2c.api.requests import read_body
from d2c.app.settings import Settings
from d2c.clients.clients import Clients
from d2c.errors import PlanError
from d2c.plan.allowed import account_faults, forbidden_entries, refuse_forbidden
from d2c.plan.tables import Location
from d2c.proposal.pricing import price_of
from d2c.proposal.proposing import asked_plan, find_tables, look_at, proposal


def propose(settings: Settings, body: bytes) -> dict[str, Any]:
    """Return a proposal in the words of the HTTP API.

    Args:
        settings: the app's.
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it.

    Raises:
        BodyError: with every fault of the body.
        PlanError: if no plan can have these tables, or the app may not touch them.
    """
    asked = read_body(ProposeBody, body).model_dump(exclude_none=True)
    plan = asked_plan(asked)
    faults = [*account_faults(plan, settings.aws), *forbidden_entries(plan, settings)]
    if faults:
        raise PlanError(faults)
    clients = Clients(settings)

    def connect(place: Location) -> Any:
        return clients.dynamodb(*place)

    tables = find_tables(plan, connect)
    refuse_forbidden(tables, settings)
    seen = look_at(tables, connect)
    return proposal(plan, seen, price_of(plan, tables, seen, settings))
