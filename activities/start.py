"""Decide whether an operation may begin: the plan's start time, a pause, its time window."""

from datetime import UTC, datetime
from typing import Literal

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.clients import Clients
from d2c.shapes import Look, OperationInput, Waiting
from d2c.state import paths
from d2c.state.table_states import waiting_until

LONGEST_WAIT_SECONDS = 3600.0
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_start(clients: Clients, payload: OperationInput) -> Look[Literal[True]]:
    """Look whether the time of a start or a retry has come."""
    lake, migration = clients.lake, payload["migration"]
    refuse_if_cancelled(lake, payload)
    accepted = lake.read_json(paths.MigrationFiles(migration).plan)
    now = datetime.now(UTC)
    until = waiting_until(accepted["plan"], now) if accepted else None
    if until:
        is_window = datetime.fromisoformat(accepted["plan"].get("start_at") or now.isoformat()) <= now
        seconds = min((until - now).total_seconds(), LONGEST_WAIT_SECONDS)
        waiting: Waiting = {"for": "window" if is_window else "start", "until": _seconds(until)}
        return _running(waiting, seconds)
    if lake.exists(paths.MigrationFiles(migration).pause):
        return _running({"for": "pause", "until": None}, None)
    return {"state": "succeeded", "result": True}


def _running(waiting: Waiting, seconds: float | None) -> Look[Literal[True]]:
    return {"state": "running", "progress": {"waiting": waiting}, "look_again_in_seconds": seconds}


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
