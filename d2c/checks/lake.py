"""Lake checks: reading, writing, hierarchical namespace, and the availability of the plan's name."""

from collections.abc import Callable
from typing import Any

from d2c.checks.findings import Finding, Findings
from d2c.clients.azure.lake import Lake
from d2c.state.paths import MigrationFiles

READING, WRITING, NAMESPACE, NAME = "can be read", "can be written", "hierarchical namespace", "plan's name"


def check_lake(connect: Callable[[], Lake], file_system: str, checked_plan: str | None) -> list[Finding]:
    """Check the file system.

    Args:
        connect: connects to it.
        file_system: its name.
        checked_plan: the path of the plan that the check itself wrote; None if it could not.
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
        findings.ok(file_system, WRITING, f"The check wrote {checked_plan}.")
        return
    findings.failed(
        file_system,
        WRITING,
        "The check could not store its plan there.",
        "Grant the app's identity Storage Blob Data Contributor on the file system (docs/install/permissions.md).",
    )


def _check_namespace(findings: Findings, lake: Lake, file_system: str) -> None:
    has_namespace = lake.has_hierarchical_namespace()
    if has_namespace is None:
        findings.skipped(file_system, NAMESPACE, "The account does not report it, like emulators.")
    elif has_namespace:
        findings.ok(file_system, NAMESPACE, "It is on, as Spark's abfss URLs require.")
    else:
        findings.failed(
            file_system,
            NAMESPACE,
            "It is off: Spark and Data Factory address the lake as Data Lake Storage Gen2.",
            "Use a storage account with a hierarchical namespace; an upgrade cannot be undone.",
        )


def check_name(
    accepted: Callable[[str], dict[str, Any] | None], migration: str, digest: str
) -> list[Finding]:
    """Check that the plan's name is available.

    Args:
        accepted: returns the JSON file at a path of the lake.
        migration: the plan's name.
        digest: the plan's.
    """
    findings = Findings("Plan")
    with findings.attempt(migration, NAME):
        plan = accepted(MigrationFiles(migration).plan)
        if plan is None:
            findings.ok(migration, NAME, "No migration uses it yet.")
        elif plan["digest"] == digest:
            findings.warning(
                migration,
                NAME,
                f"This plan was accepted at {plan['accepted_at'][:19]}.",
                f"Check its status: d2c status {migration}",
            )
        else:
            findings.failed(migration, NAME, "Another plan uses it.", "Give this plan another name.")
    return findings.found
