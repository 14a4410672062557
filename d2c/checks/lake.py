"""The lake: whether the app can read and write it, and whether the plan's name is free there."""

from collections.abc import Callable
from typing import Any

from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.lake import Lake
from d2c.state.paths import plan_path

READING, WRITING, NAMESPACE, NAME = "can be read", "can be written", "hierarchical namespace", "plan's name"


def check_lake(connect: Callable[[], Lake], file_system: str, checked_plan: str | None) -> list[Finding]:
    """Look at the file system.

    Args:
        connect: connects to it.
        file_system: its name.
        checked_plan: where the check itself keeps the plan, the one thing that it writes; None if it could not.
    """
    findings = Findings("Lake")
    with findings.attempt(file_system, READING):
        lake = connect()
        lake.page("migrations/", 1, None)
        findings.ok(file_system, READING, "Its files can be listed.")
        with findings.attempt(file_system, WRITING):
            _check_writing(findings, lake, file_system, checked_plan)
        with findings.attempt(file_system, NAMESPACE, is_needed=False):
            _check_namespace(findings, lake, file_system)
    return findings.found


def _check_writing(findings: Findings, lake: Lake, file_system: str, checked_plan: str | None) -> None:
    if checked_plan is not None and lake.exists(checked_plan):
        findings.ok(file_system, WRITING, f"The check wrote {checked_plan}, and nothing else of consequence.")
        return
    findings.failed(
        file_system,
        WRITING,
        "The check could not keep its plan there.",
        "Grant the app's identity Storage Blob Data Contributor on the file system (docs/install/permissions.md).",
    )


def _check_namespace(findings: Findings, lake: Lake, file_system: str) -> None:
    has_namespace = lake.has_hierarchical_namespace()
    if has_namespace is None:
        findings.skipped(file_system, NAMESPACE, "The account does not tell, as emulators do not.")
    elif has_namespace:
        findings.ok(file_system, NAMESPACE, "It is on, as Spark's abfss addresses need it.")
    else:
        findings.failed(
            file_system,
            NAMESPACE,
            "It is off: Spark and Data Factory address the lake as Data Lake Storage Gen2.",
            "Use a storage account with a hierarchical namespace; it can be upgraded to one, not back.",
        )


def check_name(
    accepted: Callable[[str], dict[str, Any] | None], migration: str, digest: str
) -> list[Finding]:
    """Look whether the plan's name is free.

    Args:
        accepted: returns what the lake has at a path.
        migration: the plan's name.
        digest: the plan's.
    """
    findings = Findings("Plan")
    with findings.attempt(migration, NAME):
        found = accepted(plan_path(migration))
        if found is None:
            findings.ok(migration, NAME, "No migration has it yet.")
        elif found["digest"] == digest:
            findings.warning(
                migration,
                NAME,
                f"This very plan was accepted at {found['accepted_at'][:19]}.",
                f"See how it stands: d2c status {migration}",
            )
        else:
            findings.failed(migration, NAME, "Another plan has it.", "Give this plan another name.")
    return findings.found
