"""Build a first plan from tables that were looked at."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from d2c.app.threads import side_by_side
from d2c.errors import D2CError, PlanError
from d2c.plan.model import DEFAULT_INDEXING, DEFAULT_VERIFY, Plan, parse_plan
from d2c.plan.tables import Location, location_of, locations_with_patterns, resolve_tables
from d2c.proposal.advice import Seen, questions_about, questions_about_all, reasons_for
from d2c.proposal.sharing import sharing_questions

if TYPE_CHECKING:
    from d2c.clients.aws.dynamodb import DynamoDB

MOST_TABLES = 1000
# DynamoDB answers some ten calls a second about time to live and recovery; its SDK waits and repeats what is refused.
TABLES_AT_ONCE = 8
# As somebody reads a plan; the others follow.
FIRST_FIELDS = ("name", "region", "database", "tables")

Json = dict[str, Any]


def asked_plan(asked: Mapping[str, Any]) -> Plan:
    """Return the plan that a request for a proposal stands for, with no more than its defaults.

    Args:
        asked: ``region``, ``database``, ``tables`` (names or patterns), and maybe ``name``, ``account``, ``exclude``.

    Raises:
        PlanError: with every fault, as of any plan.
    """
    plan = {
        "name": asked.get("name") or name_for(asked["database"]),
        "tables": [{"table": table} for table in asked["tables"]],
        **{field: asked[field] for field in ("exclude", "database", "account", "region") if asked.get(field)},
        "order": "largest_first",
        "indexing": DEFAULT_INDEXING,
        "throughput": {"load_ru_per_second": "auto"},
        "limits": {"max_rejected_items": 0},
        "verify": DEFAULT_VERIFY,
    }
    return parse_plan(json.dumps(plan).encode())


def name_for(database: str) -> str:
    """Return a plan's name for the tables of a database."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", database).strip("-_")[:48] or "migration"


def find_tables(plan: Plan, connect: Callable[[Location], "DynamoDB"]) -> list[Json]:
    """Return the settings of the plan's tables, those of patterns among them.

    Raises:
        PlanError: if a pattern matches none, or they are more than a proposal looks at.
    """
    existing = {place: connect(place).list_tables() for place in locations_with_patterns(plan)}
    tables = resolve_tables(plan, existing)
    if len(tables) > MOST_TABLES:
        raise PlanError(
            [
                f"tables: {len(tables):,} tables match, and a proposal looks at {MOST_TABLES:,}; narrow the patterns"
            ]
        )
    return tables


def look_at(tables: Sequence[Json], connect: Callable[[Location], "DynamoDB"]) -> list[Seen]:
    """Return tables as DynamoDB describes them.

    Args:
        tables: their settings, all of one location.
        connect: connects to it.
    """
    dynamodb = connect(location_of(tables[0]))
    return side_by_side(lambda table: _look(dynamodb, table["table"]), tables, at_once=TABLES_AT_ONCE)


def _look(dynamodb: "DynamoDB", name: str) -> Seen:
    try:
        description = dynamodb.describe_table(name)
        return Seen(name, description, dynamodb.recovery_window(name).latest is not None)
    except D2CError as error:
        return Seen(name, None, problem=f"{error.detail} {error.next_step}")


def proposal(plan: Plan, tables: Sequence[Seen], estimate: Json) -> Json:
    """Return a proposal: the plan, the reasons for what it has, and the questions that only the user can answer.

    Args:
        plan: as `asked_plan` returns it.
        tables: its tables.
        estimate: what the plan takes and costs.
    """
    region = str(plan.region)
    shared = [
        {"table": None, "field": field, "value": value, "reason": reason}
        for field, value, reason in _shared_reasons(plan, tables)
    ]
    return {
        "plan": {**dict.fromkeys(FIRST_FIELDS), **_json_of(plan)},
        "reasons": [*shared, *(reason for seen in tables for reason in reasons_for(seen))],
        "questions": [
            *sharing_questions(tables, str(plan.database)),
            *questions_about_all(tables),
            *(question for seen in tables for question in questions_about(seen, region)),
        ],
        "estimate": estimate,
    }


def _json_of(plan: Plan) -> Json:
    return plan.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _shared_reasons(plan: Plan, tables: Sequence[Seen]) -> list[tuple[str, str, str]]:
    sizes = [seen.description.size_bytes for seen in tables if seen.description]
    small = sum(each < plan.share_load_run_below_bytes for each in sizes)
    return [
        ("order", plan.order, "large tables do not start last, so that all end earlier"),
        (
            "share_load_run_below_bytes",
            f"{plan.share_load_run_below_bytes:,}",
            f"{small:,} of {len(sizes):,} tables are smaller, and share load runs of up to "
            f"{plan.max_tables_per_load_run} tables: a cluster for each would cost more than its load",
        ),
        (
            "throughput.load_ru_per_second",
            "auto",
            "enough to load a table in about an hour, by its size; lowered after the load",
        ),
    ]
