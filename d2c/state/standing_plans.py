"""Standing plans: files under ``plans/`` that load existing exports, which others copy into the lake."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from d2c.clients.azure.lake import Lake
from d2c.errors import ConflictError, PlanError
from d2c.plan.model import Plan, parse_plan, times_of
from d2c.plan.tables import Location, table_input_of

PLANS = "plans/"
MOST_PLAN_BYTES = 2**20


class StandingPlan(NamedTuple):
    """A standing plan and the path of its file."""

    path: str
    plan: Plan


def is_plan_file(path: str) -> bool:
    """Return whether a file below ``plans/`` is a plan; the blob trigger does not look at the case either."""
    return path.lower().endswith(".json")


def is_standing(plan: Plan) -> bool:
    """Return whether a plan waits for existing exports instead of starting any."""
    return plan.start == "when_exports_arrive"


def keep(lake: Lake, plan: Plan) -> None:
    """Store a posted standing plan under ``plans/``, where the blob trigger picks it up.

    Raises:
        ConflictError: if there is another plan of that name.
    """
    path = f"{PLANS}{plan.name}.json"
    content = json.dumps(plan.model_dump(mode="json", exclude_unset=True), indent=1).encode()
    if lake.create(path, content):
        return
    current = _parsed(lake.read(path) or b"")
    if current is None or current.digest() != plan.digest():
        raise ConflictError(
            f"The lake's {path} is another plan.",
            "Delete or replace that file, or give this plan another name.",
        )


def standing_plans(lake: Lake) -> list[StandingPlan]:
    """Return the standing plans without faults; the others have a file with the faults next to them."""
    sizes = lake.sizes(PLANS)
    paths = [f"{PLANS}{name}" for name in sizes if is_plan_file(name) and sizes[name] <= MOST_PLAN_BYTES]
    plans = ((path, _parsed(lake.read(path) or b"")) for path in paths)
    return [StandingPlan(path, plan) for path, plan in plans if plan and is_standing(plan)]


def plans_for(standing: Sequence[StandingPlan], table: str, place: Location) -> list[StandingPlan]:
    """Return the standing plans that have a table."""
    return [entry for entry in standing if table_input_of(entry.plan, table, place)]


def plan_of_one_table(plan: Plan, table: str, place: Location, name: str) -> Plan:
    """Return the plan of a migration of one table, with its settings in a standing plan.

    Args:
        plan: the standing plan, which has the table.
        table: its name.
        place: its account and region.
        name: the new plan's.
    """
    settings = table_input_of(plan, table, place)
    return Plan.model_validate({"name": name, "tables": [settings], **times_of(plan)})


def _parsed(content: bytes) -> Plan | None:
    try:
        return parse_plan(content)
    except PlanError:
        return None
