"""Identity from data: instance ids and run keys that are the same when the same thing is started again."""

import hashlib
import json

# Durable Task Scheduler allows 100 printable ASCII characters in an instance id.
INSTANCE_ID_LENGTH = 100
# Attempts of a retry have numbers of their own, and with them other run keys and folders.
ATTEMPTS_PER_RETRY = 10


def run_key(migration: str, table: str, stage: str, attempt: int) -> str:
    """Return the text that makes the start of something outside idempotent.

    It is the SHA-256 of its parts in hex: 64 characters, the most that a Databricks idempotency token may have, and
    free of the ``$`` that a DynamoDB client token may not contain.
    """
    parts = json.dumps([migration, table, stage, attempt])
    return hashlib.sha256(parts.encode()).hexdigest()


def attempts_of_retry(number: int) -> range:
    """Return the numbers that attempts within a retry may have; 0 stands for the migration's start."""
    first = number * ATTEMPTS_PER_RETRY + 1
    return range(first, first + ATTEMPTS_PER_RETRY - 1)


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


def table_instance_id(migration: str, table: str, number: int = 0) -> str:
    """Return the orchestration instance id of one table's migration, in the start (0) or a retry."""
    return _fit(f"{migration}:{table}", _in_retry(number))


def stage_instance_id(migration: str, table: str, stage: str, number: int = 0) -> str:
    """Return the orchestration instance id of one long-running stage of a table, in the start (0) or a retry."""
    return _fit(f"{migration}:{table}", f":{stage}{_in_retry(number)}")


def lane_instance_id(migration: str, name: int | str, lane: int) -> str:
    """Return the orchestration instance id of a lane, in which units of work run one after another.

    Args:
        migration: its id.
        name: the operation's, as `d2c.state.paths.operation_folder` takes it.
        lane: counted from 0.
    """
    return f"{migration}::lane-{name}-{lane}"


def start_instance_id(migration: str, number: int) -> str:
    """Return the orchestration instance id that waits until the start (0) or a retry may begin."""
    return f"{migration}::start-{number}"


def _in_retry(number: int) -> str:
    return f":{number}" if number else ""


def operation_name(kind: str, number: int) -> str:
    """Return the name of an operation, which its folders, runs and instances have in theirs."""
    return f"{kind}-{number}"


def operation_instance_id(migration: str, operation: str) -> str:
    """Return the orchestration instance id of an operation such as ``verify-1``, which no table's can equal."""
    return f"{migration}::{operation}"


def operation_run_instance_id(migration: str, table: str, operation: str) -> str:
    """Return the orchestration instance id that waits for the load run of an operation on a table."""
    return stage_instance_id(migration, table, f"{operation}-run")


def _fit(text: str, suffix: str = "") -> str:
    room = INSTANCE_ID_LENGTH - len(suffix)
    if len(text) <= room:
        return text + suffix
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[: room - 17]}~{digest}{suffix}"
