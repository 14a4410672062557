"""`d2c deploy`: publishes what the app works with, or compares it with what this version expects."""

import importlib
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from d2c.cli.files import read_env_file
from d2c.cli.outcome import EXIT_DONE, EXIT_FAILED, errors_told, print_json
from d2c.cli.session import AsJson, example
from d2c.errors import D2CError

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="Read settings from a file as well, such as `azd env get-values` prints them.",
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; list what differs, and exit with 1.")]
UNCHANGED = "unchanged"
# It logs at length what the command tells in a line.
CHATTY = "azure.identity"


def deploy(check: Check = False, env_file: EnvFile = None, as_json: AsJson = False) -> None:
    """Publish the wheel, the notebook and Data Factory's definitions of this version.

    What is deployed already is left alone, so the command can be repeated. It takes the app's settings from the
    environment, and signs in to Azure as you are signed in (az login).
    """
    logging.getLogger(CHATTY).setLevel(logging.CRITICAL)
    with errors_told(as_json):
        environment = {**os.environ, **(read_env_file(env_file) if env_file else {})}
        if check:
            _compare(environment, as_json)
        else:
            _publish(environment, as_json)


def add_deploy_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=example("d2c deploy", "azd env get-values > .env", "d2c deploy --env-file .env --check")
    )(deploy)


def _compare(environment: Mapping[str, str], as_json: bool) -> None:
    differences = _program().compare(environment)
    if as_json:
        print_json({"differences": [asdict(difference) for difference in differences]})
    else:
        for each in differences:
            typer.echo(f"differs    {each.thing}: {each.found}, not {each.expected}")
        same = "What is deployed is what this version expects."
        typer.echo(f"{len(differences)} differ; d2c deploy publishes this version." if differences else same)
    raise typer.Exit(EXIT_FAILED if differences else EXIT_DONE)


def _publish(environment: Mapping[str, str], as_json: bool) -> None:
    def tell(published: Any) -> None:
        typer.echo(f"{published.outcome:<10} {published.thing}", err=as_json)

    done = _program().deploy(environment, tell)
    changed = sum(published.outcome != UNCHANGED for published in done)
    if as_json:
        print_json({"published": [asdict(published) for published in done], "changed": changed})
    else:
        typer.echo(f"{changed} of {len(done)} published." if changed else f"All {len(done)} are unchanged.")


def _program() -> Any:
    """Return what does it: it needs Azure's SDKs, which a command line that only talks to the app does without."""
    try:
        return importlib.import_module("d2c.deploy.publish")
    except ImportError as error:
        raise D2CError(
            f"Deploying needs Azure's SDKs, and {error.name} is not installed.",
            "Install them: pip install 'd2c[app,cli]', or `make setup` in a clone.",
            "d2c deploy cannot run here",
        ) from error
