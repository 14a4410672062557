"""Runs the local Databricks workspace: ``python -m localcloud.databricks --files FOLDER``."""

import argparse
import json
import logging
import os
import secrets
from pathlib import Path

from aiohttp import web

from localcloud.common.names import LOOPBACK
from localcloud.common.service import required_variable, serve, service_parser, start_logging
from localcloud.databricks.api.reads import Reads
from localcloud.databricks.api.server import Api
from localcloud.databricks.faults import Faults
from localcloud.databricks.files.lake_files import LakeFiles, LakeMounts
from localcloud.databricks.files.raw_letters import RawLettersRunner
from localcloud.databricks.files.volumes import ExportsVolume, VolumeMount
from localcloud.databricks.files.web_hdfs import WebHdfs
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.runner import Runner, RunnerOptions
from localcloud.databricks.runs.store import RunStore
from localcloud.lake.reach import required_reach

TOKEN = "LOCALCLOUD_DATABRICKS_TOKEN"  # noqa: S105 - the variable's name
SECRETS = "LOCALCLOUD_SECRETS"
LAKE = "LOCALCLOUD_LAKE"
VIEWER_TOKEN = "LOCALCLOUD_DATABRICKS_VIEWER_TOKEN"  # noqa: S105 - the variable's name
# The largest request of the API: an import of 10 MB in base64.
LARGEST_BODY_BYTES = 16 * 2**20


def main() -> None:
    """Serve the workspace until the process is asked to end.

    The environment brings ``LOCALCLOUD_DATABRICKS_TOKEN``, ``LOCALCLOUD_LAKE`` (a connection string) or
    ``LOCALCLOUD_LAKE__blobServiceUri`` (an address, which takes Spark's identity), ``LOCALCLOUD_SECRETS`` (a JSON
    object: secrets by scope and key), and perhaps ``LOCALCLOUD_DATABRICKS_VIEWER_TOKEN``, with which a person signs in
    who does not own the app's runs.

    Raises:
        SystemExit: if a variable is missing or no such object.
    """
    parser = service_parser("databricks", "A Databricks workspace: one-time runs of notebooks.")
    parser.add_argument("--files", type=Path, required=True, help="folder with the workspace's files")
    parser.add_argument("--driver-memory", default="3g", help="the heap of a notebook's JVM")
    parser.add_argument("--most-clusters", type=int, default=2, help="how many notebooks run at once")
    parser.add_argument(
        "--keep-cluster", action="store_true", help="start the existing cluster before a run asks for it"
    )
    options = parser.parse_args()
    start_logging()
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
    options.state_folder.mkdir(parents=True, exist_ok=True)
    store = RunStore(options.state_folder / "databricks.sqlite")
    workspace, faults = Workspace(options.files), Faults()
    lake = LakeFiles(required_reach(os.environ, LAKE))
    mounts = LakeMounts(f"{LOOPBACK}:{options.port}", secrets.token_urlsafe(24))
    volumes = VolumeMount(f"{LOOPBACK}:{options.port}", secrets.token_urlsafe(24))
    runner = Runner(store, workspace, faults, _runner_options(options, mounts, volumes))
    reads = Reads(workspace, runner, _secrets())
    app = web.Application(client_max_size=LARGEST_BODY_BYTES)
    WebHdfs(lake, mounts.secret).add_routes(app.router)
    ExportsVolume(lake, volumes.secret, faults).add_routes(app.router)
    viewer_token = os.environ.get(VIEWER_TOKEN, "")
    Api(required_variable(TOKEN), store, runner, workspace, faults, reads, viewer_token).add_routes(
        app.router
    )

    async def begin() -> None:
        runner.begin()

    async def end(_: web.Application) -> None:
        runner.stop()

    async def close(_: web.Application) -> None:
        await lake.close()

    # Before the server waits for its connections to end, which notebooks hold.
    app.on_shutdown.append(end)
    app.on_cleanup.append(close)
    serve(app, options, on_ready=begin, runner=RawLettersRunner)


def _runner_options(options: argparse.Namespace, mounts: LakeMounts, volumes: VolumeMount) -> RunnerOptions:
    return RunnerOptions(
        clusters_folder=options.state_folder.resolve() / "clusters",
        driver_memory=options.driver_memory,
        most_clusters=options.most_clusters,
        keep_cluster=options.keep_cluster,
        secrets=_secrets(),
        lake=mounts,
        volumes=volumes,
    )


def _secrets() -> dict[str, dict[str, str]]:
    try:
        scopes = json.loads(os.environ.get(SECRETS) or "{}")
        fits = all(isinstance(text, str) for scope in scopes.values() for text in scope.values())
    except (ValueError, AttributeError):
        # Its text may hold secrets, so the parser's message is not shown.
        fits = False
    if not fits:
        raise SystemExit(f"{SECRETS} is not a JSON object of scopes with texts by key.")
    return dict(scopes)


if __name__ == "__main__":
    main()
