"""Identity from data: instance ids and run keys that are the same when the same thing is started again."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from d2c.shapes.operations import MIGRATING, OperationKind

# Durable Task Scheduler allows 100 printable ASCII characters in an instance id.
INSTANCE_ID_LENGTH = 100
CHECK_ID = r"^check-[A-Za-z0-9_-]{1,48}\.[0-9a-f]{12}$"
# Runs of something outside that are lost one after the other, and brought nothing.
RUNS_AT_MOST = 3
# Load runs are given up once so many are lost and nothing has got on for so long: what takes machines away may do it
# several times within minutes.
LOAD_RUNS_AT_MOST = 5
LOAD_RUNS_LOST_FOR_SECONDS = 900.0


def run_key(operation: Mapping[str, Any], name: str, stage: str, attempt: int, part: int = 1) -> str:
    """Return the text that makes the start of something outside idempotent.

    It is the SHA-256 of its parts in hex: 64 characters, the most that a Databricks idempotency token may have, and
    free of the ``$`` that a DynamoDB client token may not contain. Both hold for a whole workspace and account, so
    another deployment has other keys.

    Args:
        operation: its ``migration``, its number as ``operation``, and the ``deployment`` if its migration has one.
        name: the table's, or the unit's for a load run.
        stage: the stage.
        attempt: counted from 1 within the operation, or within the part.
        part: of a copy, counted from 1; the keys of later ones are longer, which Data Factory allows.
    """
    deployment = [operation["deployment"]] if operation.get("deployment") else []
    parts = json.dumps([*deployment, operation["migration"], operation["operation"], name, stage, attempt])
    key = hashlib.sha256(parts.encode()).hexdigest()
    return key if part == 1 else f"{key}.{part}"


def first_run_keys(operation: Mapping[str, Any], tables: Iterable[str], stage: str) -> set[str]:
    """Return the run keys of the first parts of tables' runs, whatever attempt they are."""
    attempts = range(1, RUNS_AT_MOST + 1)
    return {run_key(operation, table, stage, attempt) for table in tables for attempt in attempts}


def without_part(key: str) -> str:
    """Return the run key of the first part, by that of any part."""
    return key.partition(".")[0]


def check_id(plan: str, number: str) -> str:
    """Return the id of a check of a plan, and of its orchestration; the dot keeps it apart from a migration's.

    Args:
        plan: its name.
        number: a text of letters and digits that no other check of it has.
    """
    return f"check-{plan}.{number}"


def clean_up_instance_id(migration: str) -> str:
    """Return the orchestration instance id of the clean-up of a migration's orphans."""
    return f"{migration}::clean-up"


def stage_instance_id(migration: str, operation: int, table: str, stage: str) -> str:
    """Return the orchestration instance id that waits for the export or copy of a table in an operation."""
    return _fit(f"{migration}:{table}", f":{stage}-{operation}")


def unit_instance_id(migration: str, operation: int, unit: str, stage: str) -> str:
    """Return the orchestration instance id that waits for a stage of a unit.

    Args:
        migration: its id.
        operation: the number of the operation.
        unit: as `unit_name` returns it.
        stage: ``prepare``, ``load``, ``scale``, ``second-load`` or ``index``.
    """
    return f"{migration}::{stage}-{operation}-{unit}"


def unit_name(lane: int, turn: int) -> str:
    """Return the name of what a load lane took in a turn."""
    return f"{lane}-{turn}"


def load_name(payload: Mapping[str, Any]) -> str:
    """Return the name of a load run of a unit: the unit's, or that of its second run, which loads what was assessed.

    Args:
        payload: the lane's.
    """
    unit = unit_name(payload["lane"], payload["turn"])
    return second_run(unit) if payload.get("is_second_run") else unit


def second_run(name: str) -> str:
    """Return the name of the second load run of what has a name."""
    return f"{name}-second"


def run_key_name(unit: str) -> str:
    """Return the name of a unit in the run key of its load run; no table has a blank in its name.

    Args:
        unit: as `load_name` returns it.
    """
    return f"unit {unit}"


def lane_instance_id(migration: str, operation: int, stage: str, lane: int) -> str:
    """Return the orchestration instance id of a lane, counted from 0 within its stage.

    It begins unlike those of what is at work for tables, of which a status asks for all at once.
    """
    return f"{migration}.{stage}-lane-{operation}-{lane}"


def start_instance_id(migration: str, operation: int) -> str:
    """Return the orchestration instance id that waits until the start (0) or a retry may begin."""
    return f"{migration}::start-{operation}"


def operation_name(kind: OperationKind, number: int) -> str:
    """Return the name of an operation, which the folders of its load runs have in theirs."""
    return f"{kind}-{number}"


def operation_instance_id(migration: str, kind: OperationKind, number: int) -> str:
    """Return the orchestration instance id of an operation: the migration's own for its start and for retries."""
    return migration if kind in MIGRATING else f"{migration}::{operation_name(kind, number)}"


def _fit(text: str, suffix: str = "") -> str:
    room = INSTANCE_ID_LENGTH - len(suffix)
    if len(text) <= room:
        return text + suffix
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[: room - 17]}~{digest}{suffix}"
