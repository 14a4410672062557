"""In the place of export and copy: an export that others have copied into the lake."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import azure.durable_functions as df

from activities.export import source_of
from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, SettingsError, listed
from d2c.export_format import ExportManifest, UnfinishedExportError, read_export_manifest
from d2c.export_format.manifest import FILE_LIST_FILE, MANIFEST_FILES, MOST_BYTES
from d2c.load_run.mappers import table_mapper
from d2c.plan.tables import location_of
from d2c.shapes import Arrived, Findings, Look, Progress, Source, TableInput
from d2c.state.export_matching import planned_source
from d2c.state.standing_plans import standing_plans

if TYPE_CHECKING:
    from d2c.clients.aws.dynamodb import TableDescription

PATIENCE = timedelta(hours=1)
# What is written to in the lake has a younger time than this.
QUIET = timedelta(minutes=10)
NAMED_FILES = 3
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_existing_export(clients: Clients, payload: TableInput) -> Source:
    """Find out the table's keys and check its rules against them; the result is what later stages know of the table."""
    refuse_if_cancelled(clients.lake, payload)
    source = _source(clients, payload)
    table_mapper(source["hash_key"], source["range_key"], source["ttl_attribute"], payload["rules"])
    return source


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_existing_export(clients: Clients, payload: TableInput) -> Look[Findings]:
    """Look whether the manifest holds and all data files are there; others may copy them in any order.

    The result is what the stages export and copy would have found.
    """
    refuse_if_cancelled(clients.lake, payload)
    lake, folder = clients.lake, payload["arrived"]["folder"]
    sizes = lake.sizes(folder)
    wanted: list[str] = list(MANIFEST_FILES)
    manifest, finding = None, None
    if not _missing(wanted, sizes):
        try:
            manifest = _manifest(lake, payload["arrived"])
            wanted += [f"data/{file.name}" for file in manifest.files]
        except UnfinishedExportError as error:
            _check_is_written(lake, folder, error)
            finding = error.detail
    missing = _missing(wanted, sizes)
    if manifest is None or missing:
        finding = finding or _what_is_missing(missing, sizes)
        _check_patience(payload, finding)
        return {"state": "running", "progress": {**_progress(wanted, missing), "finding": finding}}
    return {"state": "succeeded", "result": _findings(payload, manifest, sizes)}


def _missing(names: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
    """Return which files are not there; one of no bytes has been created and is written to yet.

    Of an empty table the list of data files may have no bytes; its MD5 says whether it is finished.
    """
    return [name for name in names if not sizes.get(name) and (name, sizes.get(name)) != (FILE_LIST_FILE, 0)]


def _manifest(lake: Lake, arrived: Arrived) -> ExportManifest:
    """Return the manifest, whose files may be in the midst of being written."""
    export = arrived["export"]
    return read_export_manifest(
        lambda name: lake.read(f"{arrived['folder']}/{name}", MOST_BYTES[name]) or b"",
        export_arn=export["arn"],
        table_arn=export["table_arn"],
    )


def _check_is_written(lake: Lake, folder: str, error: UnfinishedExportError) -> None:
    """Refuse a manifest that is not what its checksums say, and that nobody has written to for some time."""
    files, _ = lake.listed(f"{folder}/manifest-", len(MANIFEST_FILES), None)
    if all(datetime.now(UTC) - file.modified > QUIET for file in files):
        raise error


def _what_is_missing(missing: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Return what is wrong with files that are waited for, with the names of the first ones."""
    absent = [name for name in missing if name not in sizes]
    empty = [name for name in missing if name in sizes]
    parts = [f"not there: {listed(absent, NAMED_FILES, 'more')}"] if absent else []
    parts += [f"of 0 bytes: {listed(empty, NAMED_FILES, 'more')}"] if empty else []
    return "; ".join(parts)


def _check_patience(payload: TableInput, finding: str) -> None:
    """Refuse to wait any longer for files that whoever copied the manifest did not copy."""
    if datetime.now(UTC) - datetime.fromisoformat(payload["started_at"]) < PATIENCE:
        return
    raise PermanentError(
        f"An hour after its manifest, the export in the lake's {payload['arrived']['folder']} is not complete: "
        f"{finding}.",
        "Copy these files there again, then retry the migration.",
        "The export is not complete",
    )


def _progress(wanted: Sequence[str], missing: Sequence[str]) -> Progress:
    """Return how far the copy is, by files: a manifest does not tell their sizes, nor without it how many there are."""
    if len(wanted) == len(MANIFEST_FILES):
        return {"status": "waiting for the manifest"}
    return {
        "status": f"waiting for {len(missing)} files",
        "done": len(wanted) - len(missing),
        "total": len(wanted),
    }


def _findings(payload: TableInput, manifest: ExportManifest, sizes: Mapping[str, int]) -> Findings:
    folder, export = payload["arrived"]["folder"], payload["arrived"]["export"]
    data_bytes = sum(sizes[f"data/{file.name}"] for file in manifest.files)
    return {
        "source": payload["run"],
        "export": {
            "arn": export["arn"],
            "time": export["time"],
            "id": export["id"],
            "folder": folder,
            "items": manifest.summary.item_count,
            "billed_bytes": manifest.summary.billed_size_bytes,
            "bytes": data_bytes,
            "files": len(manifest.files),
        },
        "copy": {
            "folder": folder,
            "files": len(manifest.files) + len(MANIFEST_FILES),
            "bytes": data_bytes + sum(sizes[name] for name in MANIFEST_FILES),
        },
    }


def _source(clients: Clients, payload: TableInput) -> Source:
    """Return what the table is like: its keys from the plan, or else from DynamoDB."""
    # boto3 delays the start of a worker that loads no export.
    from d2c.clients.aws.dynamodb import TableDescription

    arrived, export = payload["arrived"], payload["arrived"]["export"]
    planned = planned_source(standing_plans(clients.lake), arrived["plan"], export["table_arn"])
    if planned:
        table = TableDescription(
            arn=export["table_arn"], item_count=export["items"], size_bytes=arrived["bytes"], **planned
        )
    else:
        table = _describe_table(clients, payload)
    return source_of(table, export["time"])


def _describe_table(clients: Clients, payload: TableInput) -> "TableDescription":
    """Return the table as DynamoDB describes it, once it is known to be the one that was exported."""
    arrived = payload["arrived"]
    next_step = f"Add the table's keys to {arrived['plan']} as `source`, then retry the migration."
    try:
        table = clients.dynamodb(*location_of(payload)).describe_table(payload["table"])
    except (PermanentError, SettingsError) as error:
        raise PermanentError(
            f"The keys of the table that arrived are not known: {error.detail}", next_step
        ) from error
    if table.arn != arrived["export"]["table_arn"]:
        raise PermanentError(
            f"The export is of {arrived['export']['table_arn']}, and the app's AWS identity sees {table.arn}, "
            "whose keys may be others.",
            next_step,
        )
    return table
