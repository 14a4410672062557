"""Runs the management API of the local cloud: ``python -m localcloud.management``."""

import argparse
import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

from aiohttp import web

from localcloud.arm.errors import ArmError
from localcloud.arm.faults import Faults
from localcloud.arm.rights import Rights
from localcloud.arm.server import Arm
from localcloud.arm.tokens import Tokens
from localcloud.common.names import LOOPBACK
from localcloud.common.service import required_variable, serve, service_parser, start_logging
from localcloud.cosmos.management_plane.account_calls import AccountCalls
from localcloud.cosmos.management_plane.container_calls import CosmosCalls
from localcloud.cosmos.management_plane.data_plane_client import DataPlaneClient
from localcloud.cosmos.management_plane.metric_calls import MetricCalls
from localcloud.cosmos.management_plane.scaling import MOST_UPDATES, Scaler
from localcloud.cosmos.management_plane.store import ManagementStore
from localcloud.data_factory.api.definition_calls import DefinitionCalls
from localcloud.data_factory.api.run_calls import FactoryCalls
from localcloud.data_factory.definitions.loading import DefinitionError, load_definitions
from localcloud.data_factory.definitions.shapes import Definitions
from localcloud.data_factory.definitions.store import DefinitionStore
from localcloud.data_factory.runs.errors import ActivityError
from localcloud.data_factory.runs.runner import Runner, RunnerOptions
from localcloud.data_factory.runs.store import RunStore
from localcloud.lake.reach import required_reach

TOKEN_KEYS = "LOCALCLOUD_TOKEN_KEYS"  # noqa: S105 - the variable's name
COSMOS_KEY = "LOCALCLOUD_COSMOS_KEY"
LAKE = "LOCALCLOUD_LAKE"
PARAMETERS = "LOCALCLOUD_FACTORY_PARAMETERS"
VAULT = "LOCALCLOUD_VAULT"
UPDATES = "LOCALCLOUD_THROUGHPUT_UPDATES"
COPY_FILE = "CopyFile"
# Their records at the level INFO would drown the service's own, one per HTTP call.
CHATTY = ("azure.core.pipeline.policies.http_logging_policy", "botocore")


def main() -> None:
    """Serve the API until the process is asked to end.

    The environment brings ``LOCALCLOUD_TOKEN_KEYS`` (the public keys of Entra ID, a JSON Web Key Set by issuer),
    ``LOCALCLOUD_COSMOS_KEY``, ``LOCALCLOUD_LAKE`` (a connection string) or ``LOCALCLOUD_LAKE__blobServiceUri`` (an
    address, which takes the factory's identity), and as JSON objects of texts ``LOCALCLOUD_FACTORY_PARAMETERS`` (values
    of the global parameters that ``--adf`` declares) and ``LOCALCLOUD_VAULT`` (the key vault's secrets by name).

    Raises:
        SystemExit: if a variable is missing, or the definitions cannot be carried out.
    """
    options = _parser().parse_args()
    start_logging()
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    options.state_folder.mkdir(parents=True, exist_ok=True)
    store = DefinitionStore(options.state_folder / "data_factory.json", _first_definitions(options.adf))
    faults = Faults()
    runs = RunStore(options.state_folder / "data_factory.sqlite")
    runner = Runner(store.current, runs, _runner_options(options, faults))
    cosmos = ManagementStore(options.state_folder / "cosmos_management.sqlite")
    plane = DataPlaneClient(options.cosmos_url, required_variable(COSMOS_KEY))
    scaler = Scaler(plane, cosmos, options.scale_seconds, options.throughput_updates)
    routes = [
        *AccountCalls(plane, options.cosmos_url).routes(),
        *FactoryCalls(store, runs, runner).routes(),
        *DefinitionCalls(store).routes(),
        *CosmosCalls(plane, cosmos, scaler, options.operation_seconds).routes(),
        *MetricCalls(plane, options.metrics_lag_seconds).routes(),
    ]
    faults.operations = frozenset({COPY_FILE, *(route.operation for route in routes)})
    tokens = Tokens(json.loads(required_variable(TOKEN_KEYS)), f"https://{LOOPBACK}:{options.port}")
    arm = Arm(routes, tokens, Rights(options.roles), faults)
    _serve(arm.application(), options, runner, scaler)


def _first_definitions(folder: Path | None) -> Definitions:
    """Return what is in the factory before anything is published: nothing, or the definitions of a folder."""
    if folder is None:
        return Definitions({}, {}, {}, {})
    try:
        return load_definitions(folder, _json_variable(PARAMETERS))
    except DefinitionError as error:
        raise SystemExit(str(error)) from error


def _serve(app: web.Application, options: argparse.Namespace, runner: Runner, scaler: Scaler) -> None:
    scaling: list[asyncio.Task[None]] = []

    async def begin() -> None:
        runner.resume()
        scaling.append(asyncio.create_task(scaler.run()))

    async def end(_: web.Application) -> None:
        for task in scaling:
            task.cancel()

    app.on_cleanup.append(end)
    serve(app, options, on_ready=begin)


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("management", "Azure's management API: Data Factory's runs and Cosmos DB.")
    parser.add_argument(
        "--adf", type=Path, help="a folder in the factory's Git layout with what it has at first"
    )
    parser.add_argument("--roles", type=Path, required=True, help="a file with the app's custom roles")
    parser.add_argument("--cosmos-url", required=True, help="the local Cosmos DB's address")
    seconds = {
        "--copy-seconds-per-file": (0.0, "how much longer than need be each file takes to copy"),
        "--longest-retry-seconds": (1.0, "the longest pause before an activity is tried again"),
        "--scale-seconds": (0.0, "how long a container takes to grow beyond its partitions"),
        "--operation-seconds": (0.0, "how long an operation on Cosmos DB takes"),
        "--metrics-lag-seconds": (0.0, "how long after a minute its metrics show"),
    }
    for name, (default, text) in seconds.items():
        parser.add_argument(name, type=float, default=default, help=text)
    parser.add_argument(
        "--throughput-updates",
        type=int,
        default=int(os.environ.get(UPDATES) or MOST_UPDATES),
        help=f"how many updates of throughput the Cosmos DB account accepts in five minutes; also by {UPDATES}",
    )
    return parser


def _runner_options(options: argparse.Namespace, faults: Faults) -> RunnerOptions:
    def before_each_file() -> None:
        try:
            faults.raise_for(COPY_FILE)
        except (ArmError, ConnectionResetError) as error:
            raise ActivityError(
                f"ErrorCode=SystemErrorFailedFileOperation,Message={error}", failure_type="SystemError"
            ) from error

    return RunnerOptions(
        lake=required_reach(os.environ, LAKE),
        vault=_json_variable(VAULT),
        seconds_per_file=options.copy_seconds_per_file,
        longest_retry_seconds=options.longest_retry_seconds,
        before_each_file=before_each_file,
    )


def _json_variable(name: str) -> dict[str, Any]:
    try:
        content = json.loads(os.environ.get(name) or "{}")
    except ValueError:
        # Its text may hold secrets, so the parser's message is not shown.
        content = None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise SystemExit(f"{name} is not a JSON object of texts.")
    return content


if __name__ == "__main__":
    main()
    # Runs under way are abandoned: they are still in the store, and are taken up at the next start.
    os._exit(0)
