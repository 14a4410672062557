"""The local cloud's commands; ``d2c local`` and ``d2c demo`` hand over to them."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from d2c.errors import D2CError
from localcloud.cloud import lock
from localcloud.cloud.processes import ServiceFailedError
from localcloud.cloud.services import ENDPOINTS, Cloud, endpoints, running_cloud
from localcloud.common.checkout import CHECKOUT
from localcloud.demo.run import run_demo

STATE_FOLDER = CHECKOUT / "build" / "localcloud"
WATCH_SECONDS = 0.5
FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The cloud on one machine: every service that d2c talks to.",
)
people = Console(stderr=True, highlight=False)

StateFolder = Annotated[Path, typer.Option(help="Folder that keeps the state of all services.")]


@app.command()
def up(
    only: Annotated[
        str,
        typer.Option(
            help=f"Services to run, separated by commas, of: {', '.join(ENDPOINTS)}. What they need runs too."
        ),
    ] = ",".join(ENDPOINTS),
    state_folder: StateFolder = STATE_FOLDER,
    functions_port: Annotated[
        int | None, typer.Option(help="The function app's port; 7071, or a free one if that is taken.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON with every endpoint once all are ready.")
    ] = False,
) -> None:
    """Run the local cloud in the foreground until Ctrl-C, or `d2c local down` in another terminal.

    Example: d2c local up --state-folder build/trial
    """
    asked = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in asked if name not in ENDPOINTS]
    if unknown or not asked:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: not among {', '.join(ENDPOINTS)}", param_hint="--only"
        )
    ended = _ended_by_a_signal()
    with (
        lock.hold(state_folder),
        running_cloud(
            state_folder,
            [ENDPOINTS[name] for name in asked],
            functions_port=functions_port,
            on_ready=lambda service, seconds: people.print(f"  {service} is ready after {seconds:.1f} s"),
        ) as cloud,
    ):
        if as_json:
            print(
                json.dumps(
                    {**endpoints(cloud, asked), "state_folder": str(cloud.state_folder), "pid": os.getpid()}
                ),
                flush=True,
            )
        else:
            _show(cloud, asked)
        _watch(cloud, ended)


@app.command()
def down(state_folder: StateFolder = STATE_FOLDER) -> None:
    """Stop the local cloud that another terminal runs; its state stays.

    Example: d2c local down --state-folder build/trial
    """
    pid = lock.stop(state_folder)
    people.print(
        "No local cloud runs from this state folder."
        if pid is None
        else f"The local cloud (process {pid}) has ended."
    )


@app.command()
def demo(
    state_folder: StateFolder = CHECKOUT / "build" / "demo" / "localcloud",
    report: Annotated[Path, typer.Option(help="Where the report is written.")] = CHECKOUT
    / "build"
    / "demo"
    / "report.json",
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave the local cloud running afterwards, until Ctrl-C.")
    ] = False,
) -> None:
    """Migrate real data sets on the local cloud, from DynamoDB tables to verified Cosmos DB containers.

    It begins with an empty local cloud each time. The exit status is 0 only if verification found nothing wrong.

    Example: d2c demo --stay
    """
    ended = _ended_by_a_signal()
    with lock.hold(state_folder):
        raise typer.Exit(
            run_demo(state_folder, report, people, (lambda cloud: _watch(cloud, ended)) if stay else None)
        )


def _ended_by_a_signal() -> threading.Event:
    """Return an event that Ctrl-C or SIGTERM sets, so that services are stopped in order."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _watch(cloud: Cloud, ended: threading.Event) -> None:
    while not ended.wait(WATCH_SECONDS):
        service = cloud.ended_service()
        if service:
            log = cloud.state_folder / service / f"{service}.log"
            raise ServiceFailedError(f"The local {service} service has ended by itself. Its log: {log}")


def _show(cloud: Cloud, asked: list[str]) -> None:
    table = Table(title="The local cloud", title_justify="left")
    table.add_column("service")
    table.add_column("address")
    for name in asked:
        table.add_row(name, cloud.identity.url(ENDPOINTS[name]))
    people.print(table)
    people.print(
        f"State and logs: {cloud.state_folder}. Secrets: `d2c local up --json` prints them. Stop: Ctrl-C."
    )
    if "functions" in asked:
        people.print(f"Drive it: export D2C_URL={cloud.identity.url('functions_host')} && d2c status")


def main() -> None:
    """Run a command; expected errors end it with a message."""
    # A profile of the user's own would outweigh the local cloud's credentials.
    os.environ.pop("AWS_PROFILE", None)
    try:
        app(prog_name="d2c local" if sys.argv[1:2] != ["demo"] else "d2c")
    except (ServiceFailedError, D2CError, lock.AlreadyRunningError, TimeoutError) as error:
        people.print(str(error), markup=False)
        raise SystemExit(FAILED) from None


if __name__ == "__main__":
    main()
