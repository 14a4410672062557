"""How load runs read data files: each as a whole, or piece by piece from a volume of Unity Catalog."""

from collections.abc import Mapping
from typing import Any

from d2c.checks.clusters import WITHOUT_UNITY_CATALOG
from d2c.checks.findings import Findings
from d2c.clients.databricks.reading import WorkspaceReading
from d2c.load_run.accounting import LARGEST_DATA_FILE_BYTES

DATA_FILES = "data files"
READ_WHOLE = (
    f"Each is read as a whole: one of more than {LARGEST_DATA_FILE_BYTES:,} bytes fails its table after the export, "
    "and a task needs up to ten times its size in memory. With D2C_LAKE_VOLUME they are streamed."
)
UNSET = "Or leave out D2C_LAKE_VOLUME, if no data file has more than 1 GB."


def check_data_files(
    findings: Findings, workspace: WorkspaceReading, cluster: Mapping[str, Any], volume: str, exports: str
) -> None:
    """Check the volume from which load runs stream data files, or tell what they are limited to without one.

    Args:
        findings: receives the findings.
        workspace: has the volume.
        cluster: its specification.
        volume: the volume's path; empty for none.
        exports: the address of what it must show.
    """
    if not volume:
        findings.ok(DATA_FILES, DATA_FILES, READ_WHOLE)
        return
    with findings.attempt(volume, DATA_FILES):
        fault = _fault(cluster, workspace.place_of_volume(name_of(volume)), exports)
        if fault:
            findings.failed(volume, DATA_FILES, *fault)
        else:
            findings.ok(volume, DATA_FILES, "They are streamed from the volume, whatever their size.")


def name_of(volume: str) -> str:
    """Return catalog, schema and volume of a path, with dots between them."""
    return volume.removeprefix("/Volumes/").replace("/", ".")


def _fault(cluster: Mapping[str, Any], shown: str | None, exports: str) -> tuple[str, str] | None:
    if shown is None:
        return (
            "The volume does not exist, or the app cannot see it.",
            f"Create it as an external volume of {exports}, and grant the app READ VOLUME on it. {UNSET}",
        )
    if shown.rstrip("/") != exports.rstrip("/"):
        return (
            f"It shows {shown}, not {exports}.",
            f"Let D2C_LAKE_VOLUME name the external volume of {exports}. {UNSET}",
        )
    unsaid = "unknown" if "existing_cluster_id" in cluster else ""
    if (cluster.get("data_security_mode") or unsaid) in WITHOUT_UNITY_CATALOG:
        return (
            "The cluster has no Unity Catalog, so it has no volumes.",
            f"Set data_security_mode in D2C_CLUSTER to SINGLE_USER. {UNSET}",
        )
    return None
