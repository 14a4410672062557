"""Standing plans: files under ``plans/`` that load existing exports, which others copy into the lake."""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from d2c.app import clock
from d2c.clients.azure.lake import Lake, Listed
from d2c.errors import ConflictError, PermanentError, PlanError
from d2c.foreign_json import quoted
from d2c.plan.model import MOST_PLAN_BYTES, Plan, parse_plan, times_of
from d2c.plan.tables import Location, table_input_of
from d2c.state.paths import is_plain

logger = logging.getLogger(__name__)
PLANS = "plans/"
ACCEPTED, REFUSED = ".accepted", ".refused"
FILES_OF_A_PAGE = 5_000


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
    fields = plan.model_dump(mode="json", exclude_unset=True)
    # Compact, so that the largest plan that is accepted is not too large as a file.
    content = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    if lake.create(path, content):
        return
    current = _parsed(lake.read(path, MOST_PLAN_BYTES) or b"")
    if current is None or current.digest() != plan.digest():
        raise ConflictError(
            f"The lake's {path} is another plan.",
            "Delete or replace that file, or give this plan another name.",
        )


Known = dict[Listed, Plan | None]


def standing_plans(lake: Lake, known: Known | None = None) -> list[StandingPlan]:
    """Return the standing plans without faults; the others have a file with the faults next to them.

    Args:
        lake: the lake.
        known: the plans as a look before has read them, which are not read again unless they were written since; this
            look adds its own.
    """
    known = {} if known is None else known
    found: list[StandingPlan] = []
    for file in _plan_files(lake):
        if file not in known:
            known[file] = _read(lake, file.path)
        plan = known[file]
        if plan and is_standing(plan):
            found.append(StandingPlan(file.path, plan))
    return found


def _plan_files(lake: Lake) -> Iterator[Listed]:
    """Yield the files below ``plans/`` that are plans by their names."""
    token: str | None = None
    while True:
        files, token = lake.listed(PLANS, FILES_OF_A_PAGE, token)
        yield from (file for file in files if is_plan_file(file.path) and is_plain(file.path))
        if token is None:
            return


def _read(lake: Lake, path: str) -> Plan | None:
    """Return a plan; None if it has faults or cannot be read, as an archived file, which its outcome file says."""
    try:
        return _parsed(lake.read(path, MOST_PLAN_BYTES) or b"")
    except PermanentError as error:
        logger.warning("The plan %s is left out: %s", quoted(path), error)
        refused = {**error.texts(), "at": clock.text()}
        lake.create(path + REFUSED, json.dumps(refused, indent=1).encode())
        return None


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
