"""Existing exports, which others copy into the lake: the standing plan of each, and the message if there is none.

```
<folder>/d2c-not-loaded.json         why an export is not loaded
exports-waiting/<digest>.json        the folder of such an export, for the next standing plan
exports-loaded/<digest>.json         the last export of a table that a standing plan has loaded
```
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from d2c.app import clock
from d2c.app.settings import Settings
from d2c.clients.azure.lake import Lake, Listed
from d2c.errors import D2CError, PermanentError, RefusedError
from d2c.export_format import ExportFormatError
from d2c.export_format.manifest import MOST_BYTES, SUMMARY_FILE, ManifestSummary, parse_summary
from d2c.foreign_json import quoted
from d2c.plan.fields import NAME
from d2c.plan.model import Plan
from d2c.plan.tables import Location, table_input_of
from d2c.shapes import Arrived, ListedTables
from d2c.state import paths
from d2c.state.standing_plans import StandingPlan, plan_of_one_table, plans_for

EXPORTS = "exports/"
WAITING = "exports-waiting/"
LOADED = "exports-loaded/"
MESSAGE_FILE = "d2c-not-loaded.json"
TABLE_ARN = re.compile(
    r"arn:[a-z-]+:dynamodb:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):table/(?P<table>[A-Za-z0-9_.-]+)"
)
EXPORT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# A plan's name has at most 48 characters: these, a hyphen and eight of a digest.
NAME_CHARACTERS = 39


class ExistingExport(NamedTuple):
    """An existing export that belongs to one standing plan: the plan of its migration, and its part of the input."""

    plan: Plan
    arrived: Arrived


def own_migration(lake: Lake, folder: str) -> tuple[str, str] | None:
    """Return the migration and the table that an export's folder is of, or None if no migration has it.

    Another export may be in a folder that has a migration's name, such as ``exports/music/AWSDynamoDB/<export id>``.
    """
    parts = folder.removeprefix(EXPORTS).split("/")
    if len(parts) != 3 or not re.fullmatch(NAME, parts[0]):
        return None
    migration, table = parts[0], paths.name_of_folder(parts[1])
    return (migration, table) if _has_table(lake, migration, table) else None


def _has_table(lake: Lake, migration: str, table: str) -> bool:
    """Return whether a migration has a table; one that has not listed its tables yet may have any.

    The list is large where tables are many, and each of them arrives; so it is read only for a table that the start
    has not queued.
    """
    files = paths.MigrationFiles(migration)
    if not lake.exists(files.plan):
        return False
    if lake.exists(files.work(0).table(table)):
        return True
    listed: ListedTables | None = lake.read_json(files.tables)
    return listed is None or any(entry["table"] == table for entry in listed["tables"])


def is_own_export(summary: ManifestSummary, folder: str, settings: Settings) -> bool:
    """Return whether an export was made by a migration of this app, and is in that migration's folder."""
    parts = folder.removeprefix(EXPORTS).split("/")
    own_prefix = "/".join((settings.export_prefix, *map(paths.name_of_folder, parts[:2])))
    return len(parts) == 3 and (summary.s3_bucket, summary.s3_prefix) == (settings.export_bucket, own_prefix)


def check_own(lake: Lake, folder: str, number: int, settings: Settings) -> None:
    """Refuse an export of others in the folder of a migration's table.

    Args:
        lake: the lake.
        folder: the export's, of a migration's table.
        number: of the migration's last start or retry.
        settings: the app's.

    Raises:
        RefusedError: if it is neither the one that the migration has made, nor one that this app has made.
    """
    migration, table_folder, export_id = folder.removeprefix(EXPORTS).split("/")
    table = paths.name_of_folder(table_folder)
    known = lake.read_json(paths.MigrationFiles(migration).work(number).table(table)) or {}
    if (known.get("export") or {}).get("id") == export_id:
        return
    try:
        summary = read_summary(lake, folder)
    except PermanentError:
        # The copy tells what is wrong with an export of its own.
        return
    if summary and not is_own_export(summary, folder, settings):
        raise RefusedError(
            f"The folder is that of the table {table} of the migration {migration}, which has not made this export.",
            "Copy it into another folder below exports/.",
            "The export is in the folder of a migration",
        )


def match(summary: ManifestSummary, folder: str, standing: Sequence[StandingPlan]) -> ExistingExport:
    """Return the standing plan that loads an export.

    Args:
        summary: of its manifest.
        folder: in the lake.
        standing: all standing plans.

    Raises:
        RefusedError: if no plan or several plans have its table.
        ExportFormatError: if the manifest does not name its table.
    """
    found = _table_and_place(summary.table_arn)
    export_id = summary.export_arn.removeprefix(f"{summary.table_arn}/export/")
    if not found or not EXPORT_ID.fullmatch(export_id):
        raise ExportFormatError(
            f"{SUMMARY_FILE} names the export {quoted(summary.export_arn)} of {quoted(summary.table_arn)}, which are "
            "no ARNs of an export and its table."
        )
    if not summary.export_time:
        raise ExportFormatError(f"{SUMMARY_FILE} has no exportTime.")
    table, place = found
    plans = plans_for(standing, table, place)
    if len(plans) != 1:
        raise _not_one_plan(table, place, plans)
    path, plan = plans[0]
    one = plan_of_one_table(plan, table, place, migration_name(plan, summary))
    return ExistingExport(one, _arrived(summary, folder, path))


def migration_name(plan: Plan, summary: ManifestSummary) -> str:
    """Return the name of the migration that loads an export by a standing plan; it is the same for the same export."""
    digest = hashlib.sha256(f"{summary.table_arn}{summary.export_arn}".encode()).hexdigest()
    return f"{plan.name[:NAME_CHARACTERS]}-{digest[:8]}"


def read_summary(lake: Lake, folder: str) -> ManifestSummary | None:
    """Return the summary of the export in a folder, or None if it is no longer there.

    Raises:
        ExportFormatError: if it is not that of a full export.
        PermanentError: if it is too large, or cannot be read.
    """
    content = lake.read(f"{folder}/{SUMMARY_FILE}", MOST_BYTES[SUMMARY_FILE])
    return None if content is None else parse_summary(content)


def leave_message(lake: Lake, folder: str, error: D2CError) -> None:
    """Write next to an export why it is not loaded, unless that message is there already."""
    path = f"{folder}/{MESSAGE_FILE}"
    message = error.texts()
    if not says(lake.read(path), message):
        lake.write_json(path, {**message, "at": clock.text()})


def says(content: bytes | None, message: Mapping[str, Any]) -> bool:
    """Return whether the file next to something says a message already; it may hold anything else."""
    try:
        current = orjson.loads(content or b"null")
    except orjson.JSONDecodeError:
        return False
    return isinstance(current, dict) and {name: current.get(name) for name in message} == message


def let_wait(lake: Lake, folder: str) -> None:
    """Store an export for the next standing plan."""
    lake.write_json(_waiting_path(folder), {"folder": folder})


def forget(lake: Lake, folder: str) -> None:
    """Delete the message of an export that is loaded now."""
    lake.delete(f"{folder}/{MESSAGE_FILE}")
    lake.delete(_waiting_path(folder))


def planned_source(standing: Sequence[StandingPlan], path: str, table_arn: str) -> dict[str, Any] | None:
    """Return a table's current keys in a standing plan, or None if it has none, or there is no such plan."""
    plan = next((entry.plan for entry in standing if entry.path == path), None)
    table_and_place = _table_and_place(table_arn)
    settings = table_input_of(plan, *table_and_place) if plan and table_and_place else None
    source: dict[str, Any] | None = (settings or {}).get("source")
    return source


def last_loaded(lake: Lake, existing: ExistingExport) -> Listed | None:
    """Return the last export of the same table that a standing plan has loaded, with its time; None if it has none."""
    loaded = lake.read_json(_loaded_path(existing))
    return Listed(loaded["folder"], datetime.fromisoformat(loaded["time"])) if loaded else None


def note_loaded(lake: Lake, existing: ExistingExport) -> None:
    """Store that a standing plan has loaded an export, unless it has loaded a younger one."""
    last, time = last_loaded(lake, existing), existing.arrived["export"]["time"]
    if last is None or last.modified < datetime.fromisoformat(time):
        lake.write_json(_loaded_path(existing), {"folder": existing.arrived["folder"], "time": time})


def _loaded_path(existing: ExistingExport) -> str:
    digest = hashlib.sha256(
        f"{existing.arrived['plan']}\n{existing.arrived['export']['table_arn']}".encode()
    ).hexdigest()
    return f"{LOADED}{digest[:32]}.json"


def _table_and_place(table_arn: str) -> tuple[str, Location] | None:
    found = TABLE_ARN.fullmatch(table_arn)
    return (found["table"], Location(found["account"], found["region"])) if found else None


def _arrived(summary: ManifestSummary, folder: str, plan_path: str) -> Arrived:
    return {
        "folder": folder,
        "plan": plan_path,
        "bytes": summary.billed_size_bytes,
        "export": {
            "arn": summary.export_arn,
            "table_arn": summary.table_arn,
            "time": summary.export_time,
            "id": summary.export_arn.rpartition("/")[2],
            "items": summary.item_count,
        },
    }


def _not_one_plan(table: str, place: Location, plans: Sequence[StandingPlan]) -> RefusedError:
    if not plans:
        return RefusedError(
            f"No plan has the table {table} in {place} of this export.",
            'Put a plan with "start": "when_exports_arrive" that has the table under plans/; it loads this export too.',
            "No plan has the table of this export",
        )
    plan_paths = ", ".join(sorted(entry.path for entry in plans))
    return RefusedError(
        f"{len(plans)} plans have the table {table} in {place} of this export: {plan_paths}.",
        "Keep the table in one of them only, and put the changed file there again; it loads this export too.",
        "Several plans have the table of this export",
    )


def _waiting_path(folder: str) -> str:
    return f"{WAITING}{hashlib.sha256(folder.encode()).hexdigest()[:32]}.json"
