"""How a command ends: its exit status and its error output.

One rule for errors: their text goes to standard error, whatever the options; with ``--json`` standard output holds one
JSON object in every outcome, which for an error is ``{"error": {"title", "detail", "next_step"}}``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from d2c.errors import D2CError

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_NOT_ALL_ARRIVED = 3
EXIT_INTERRUPTED = 130

FAILURES = ("failed", "cancelled")
ENDED = ("succeeded", *FAILURES)
MISMATCHES = ("missing", "unexpected", "different")


@contextmanager
def errors_reported(as_json: bool) -> Iterator[None]:
    """Print an error that a user can act on and exit with 1, instead of showing a stack trace."""
    try:
        yield
    except D2CError as error:
        typer.echo(error_text(error), err=True)
        if as_json:
            print_json({"error": _as_dict(error)})
        raise typer.Exit(EXIT_FAILED) from None


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    typer.echo(json.dumps(value))


def print_answer(answer: Mapping[str, Any], as_json: bool, *lines: str) -> None:
    """Print an answer as one line of JSON, or the given lines for people."""
    if as_json:
        print_json(answer)
    else:
        typer.echo("\n".join(lines))


def error_text(error: D2CError) -> str:
    """Return an error's lines; a rejected plan has one for each fault."""
    faults = faults_of(error)
    with_faults = [f"{error.title}:", *(f"  {fault}" for fault in faults)]
    lines = with_faults if faults else [f"{error.title}: {error.detail}"]
    return "\n".join([*lines, f"Next: {error.next_step}"])


def faults_of(error: D2CError) -> Sequence[str]:
    """Return the faults of a rejected plan; empty for any other error."""
    return tuple(getattr(error, "faults", ()))


def operations_of(migration: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the operations on a migration, newest first; older apps report none."""
    operations: Sequence[Mapping[str, Any]] = migration.get("operations", ())
    return operations


def exit_status_of_migration(migration: Mapping[str, Any]) -> int:
    """Return the exit status for a migration's status; a running migration is no failure.

    A failed last operation counts as a failure: the counts that it should have updated prove nothing.
    """
    if any(operation["state"] in FAILURES for operation in operations_of(migration)[:1]):
        return EXIT_FAILED
    lost = any(table["items_rejected"] or table["mismatches"] for table in migration["tables"])
    return _exit_status(migration["state"], lost)


def exit_status_of_report(report: Mapping[str, Any]) -> int:
    """Return the exit status for a report."""
    lost = any(
        table["items"]["rejected"] or any(table["verification"][kind] for kind in MISMATCHES)
        for table in report["tables"]
    )
    return _exit_status(report["state"], lost)


def _exit_status(state: str, lost: bool) -> int:
    if state in FAILURES:
        return EXIT_FAILED
    return EXIT_NOT_ALL_ARRIVED if state == "succeeded" and lost else EXIT_DONE


def _as_dict(error: D2CError) -> dict[str, Any]:
    fields: dict[str, Any] = {**error.texts()}
    faults = faults_of(error)
    return {**fields, "faults": list(faults)} if faults else fields
