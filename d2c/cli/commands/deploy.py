"""`d2c deploy`: publishes the wheel, notebook and pipelines, or compares them with this version."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from d2c.cli.files import read_env_file
from d2c.cli.outcome import EXIT_DONE, EXIT_FAILED, errors_reported, print_json
from d2c.cli.session import AsJson, example, outside
from d2c.errors import D2CError

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="Also read settings from a file, such as the output of `azd env get-values`.",
    ),
]
Check = Annotated[
    bool,
    typer.Option("--check", help="Change nothing; list differences, and exit with 1 if there are any."),
]
UNCHANGED = "unchanged"
# It logs at length what the command reports in a line.
VERBOSE_LOGGER = "azure.identity"


def deploy(
    context: typer.Context, check: Check = False, env_file: EnvFile = None, as_json: AsJson = False
) -> None:
    """Publish this version's wheel, notebook and Data Factory definitions.

    Unchanged parts are skipped, so the command can be repeated. It reads the app's settings from the environment,
    and uses your sign-in to Azure (az login).
    """
    logging.getLogger(VERBOSE_LOGGER).setLevel(logging.CRITICAL)
    with errors_reported(as_json):
        environment = {**os.environ, **(read_env_file(env_file) if env_file else {})}
        program = _program(outside(context).load)
        if check:
            _compare(program, environment, as_json)
        else:
            _publish(program, environment, as_json)


def add_deploy_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=example("d2c deploy", "azd env get-values > .env", "d2c deploy --env-file .env --check")
    )(deploy)


def _compare(program: Any, environment: Mapping[str, str], as_json: bool) -> None:
    differences = program.compare(environment)
    if as_json:
        print_json({"differences": [asdict(difference) for difference in differences]})
    else:
        for each in differences:
            typer.echo(f"differs    {each.thing}: {each.found}, not {each.expected}")
        summary = f"{len(differences)} differ; run d2c deploy to publish this version."
        typer.echo(summary if differences else "The deployed parts match this version.")
    raise typer.Exit(EXIT_FAILED if differences else EXIT_DONE)


def _publish(program: Any, environment: Mapping[str, str], as_json: bool) -> None:
    def report(published: Any) -> None:
        warning = f": {published.warning}" if published.warning else ""
        typer.echo(f"{published.outcome:<10} {published.thing}{warning}", err=as_json)

    parts = program.deploy(environment, report)
    changed = sum(published.outcome != UNCHANGED for published in parts)
    if as_json:
        print_json({"published": [asdict(published) for published in parts], "changed": changed})
    else:
        typer.echo(f"{changed} of {len(parts)} published." if changed else f"All {len(parts)} are unchanged.")


def _program(load: Callable[[str], Any]) -> Any:
    """Return the module that deploys, imported here because it needs Azure's SDKs and the other commands do not."""
    try:
        return load("d2c.deploy.publish")
    except ImportError as error:
        raise D2CError(
            f"Deploying requires Azure's SDKs, and {error.name} is not installed.",
            "Install them: pip install 'd2c[app,cli]', or `make setup` in a clone.",
            "d2c deploy cannot run here",
        ) from error
