"""What a run's cluster and its libraries come to: what the notebook is given, or why it cannot run on them.

https://learn.microsoft.com/azure/databricks/compute/configure#access-modes and
https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_4-0_2-13/README.md
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from localcloud.common.names import EXISTING_CLUSTER_ID
from localcloud.databricks.errors import RunFault, invalid
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.submission import Submission

# Databricks Runtime 17.3 LTS is Spark 4.0 on Scala 2.13, as PySpark is here.
RUNTIME = re.compile(r"17\.3\.x(-cpu-ml|-photon)?-scala2\.13")
CONNECTOR = re.compile(r"com\.azure\.cosmos\.spark:azure-cosmos-spark_4-0_2-13:\d+\.\d+\.\d+")
DEDICATED, SHARED, NO_UNITY_CATALOG = "dedicated", "shared", "no Unity Catalog"
ACCESS_MODES = {
    "SINGLE_USER": DEDICATED,
    "DATA_SECURITY_MODE_DEDICATED": DEDICATED,
    "USER_ISOLATION": SHARED,
    "DATA_SECURITY_MODE_STANDARD": SHARED,
    "NONE": NO_UNITY_CATALOG,
}


@dataclass(frozen=True)
class Launch:
    """What a notebook process is given: Spark settings, wheels, and whether the connector is there.

    ``connector`` is ``available``, ``refused`` (there, but Unity Catalog lets nobody use it) or None. A cluster has
    volumes if it has Unity Catalog.
    """

    notebook: Path
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    wheels: tuple[Path, ...] = ()
    connector: str | None = None
    has_volumes: bool = True


def check_request(submission: Submission, workspace: Workspace) -> None:
    """Check that all paths of a request are such as a workspace has, and the cluster that it names.

    Raises:
        ApiError: 400, naming one that is not.
    """
    if submission.cluster is None and submission.cluster_id != EXISTING_CLUSTER_ID:
        raise invalid(f"Cluster {submission.cluster_id} does not exist; here there is {EXISTING_CLUSTER_ID}.")
    workspace.notebook(submission.notebook_path)
    for library in submission.libraries:
        if "whl" in library:
            workspace.file(library["whl"])


def prepare_launch(submission: Submission, workspace: Workspace) -> Launch:
    """Return what a run's notebook process is given.

    Raises:
        RunFault: if the cluster cannot start, a library cannot be installed, or there is no such notebook.
    """
    mode = _access_mode(submission)
    wheels, connector = [], None
    for library in submission.libraries:
        if "whl" in library:
            wheels += _wheel(library["whl"], workspace, mode)
        else:
            connector = _connector(library["maven"]["coordinates"], mode)
    notebook = workspace.notebook(submission.notebook_path)
    if not notebook.is_file():
        raise RunFault(
            "RESOURCE_NOT_FOUND",
            f'Unable to access the notebook "{submission.notebook_path}". Either it does not exist, or the identity '
            "used to run this job lacks the required permissions.",
        )
    conf = (submission.cluster or {}).get("spark_conf", {})
    return Launch(notebook, conf, tuple(wheels), connector, mode != NO_UNITY_CATALOG)


def _access_mode(submission: Submission) -> str:
    if submission.cluster is None:
        return DEDICATED
    version = submission.cluster["spark_version"]
    if not RUNTIME.fullmatch(version):
        raise RunFault(
            "INVALID_CLUSTER_REQUEST",
            f"Spark version {version} is not available: notebooks run on Spark 4.0 here, which is Databricks Runtime "
            "17.3 LTS. Ask for 17.3.x-scala2.13.",
        )
    mode: Any = submission.cluster.get("data_security_mode", "NONE")
    if mode not in ACCESS_MODES:
        raise RunFault(
            "INVALID_CLUSTER_REQUEST",
            f"data_security_mode {mode} is not supported here; ask for one of {', '.join(ACCESS_MODES)}.",
        )
    return ACCESS_MODES[mode]


def _wheel(path: str, workspace: Workspace, mode: str) -> list[Path]:
    """Return a wheel that is to be installed; none if it is not of pure Python and is installed here already."""
    place = workspace.file(path)
    if path.startswith("/Volumes/") and mode == NO_UNITY_CATALOG:
        raise _not_installed(
            f'whl: "{path}"', "volumes need a cluster with Unity Catalog, such as SINGLE_USER"
        )
    if not place.is_file():
        raise _not_installed(f'whl: "{path}"', f"No such file or directory: {path}")
    try:
        with zipfile.ZipFile(place) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL")]
            pure = bool(names) and b"Root-Is-Purelib: true" in wheel.read(names[0])
    except zipfile.BadZipFile:
        pure = False
    if not pure and not _is_installed(place.name):
        raise _not_installed(
            f'whl: "{path}"', f"{place.name} is not a wheel of pure Python, and is not installed here"
        )
    return [place] if pure else []


def _is_installed(wheel: str) -> bool:
    name, _, rest = wheel.partition("-")
    try:
        return metadata.version(name) == rest.partition("-")[0]
    except metadata.PackageNotFoundError:
        return False


def _connector(coordinates: str, mode: str) -> str:
    """Return whether the notebook may use the connector; Unity Catalog stops it on shared clusters, when it is used."""
    if not CONNECTOR.fullmatch(coordinates):
        raise _not_installed(
            f'maven: "{coordinates}"',
            "Library resolution failed: here there is com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:<version>, "
            "the connector for Spark 4.0 and Scala 2.13",
        )
    return "refused" if mode == SHARED else "available"


def _not_installed(library: str, why: str) -> RunFault:
    return RunFault(
        "LIBRARY_INSTALLATION_ERROR",
        f"Library installation failed for library due to user error for {library}. Error messages: {why}.",
    )
