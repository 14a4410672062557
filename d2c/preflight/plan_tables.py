"""The tables that a plan comes to, as far as they can be found."""

from collections.abc import Callable, Sequence
from typing import Any

from d2c.errors import PlanError
from d2c.plan import Plan
from d2c.preflight.findings import Finding, Findings, numbered
from d2c.resolving import Place, needs_listing, resolve_tables

TABLES = "tables"

Json = dict[str, Any]


def find_tables(
    plan: Plan, list_tables: Callable[[Place], Sequence[str]]
) -> tuple[list[Json], list[Finding]]:
    """Return the plan's tables, those of patterns too; where they cannot be resolved, those listed by name.

    Args:
        plan: the plan.
        list_tables: returns the names of all tables in a place.
    """
    findings = Findings("Plan")
    tables = plan.table_inputs()
    with findings.attempt(plan.name, TABLES):
        existing = {place: list_tables(place) for place in needs_listing(plan)}
        try:
            tables = resolve_tables(plan, existing)
            findings.ok(plan.name, TABLES, f"It comes to {numbered(len(tables), 'table')}.")
        except PlanError as error:
            for fault in error.faults:
                findings.failed(plan.name, TABLES, fault, error.next_step)
    return tables, findings.found
