"""`d2c canary`: moves two tiny tables through a real deployment, and tries what is assumed of the services."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from d2c.cli.commands.deploy import VERBOSE_LOGGER, EnvFile
from d2c.cli.files import read_env_file, write_whole
from d2c.cli.outcome import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOT_ALL_ARRIVED,
    error_text,
    print_json,
)
from d2c.cli.session import DEFAULT_URL, AsJson, Key, Url, example, outside, session
from d2c.cli.views.canary import notice_lines, result_lines
from d2c.errors import D2CError

FAILS = "fails"
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="TABLE", help="Move this table instead of two of its own; may be repeated."
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", envvar=list(REGIONS), help="The AWS region of the tables."),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="PROFILE", envvar="AWS_PROFILE", help="Your AWS profile."),
]
Minutes = Annotated[
    int, typer.Option("--minutes", min=1, max=1440, help="Cancel the migration after so many minutes.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave what it made; --clean removes it later.")]
Clean = Annotated[bool, typer.Option("--clean", help="Only remove what earlier canaries left.")]
Output = Annotated[Path, typer.Option("--output", metavar="FILE", help="Write the result as JSON.")]


def canary(
    context: typer.Context,
    tables: Tables = None,
    region: Region = None,
    profile: Profile = None,
    minutes: Minutes = 60,
    yes: Yes = False,
    keep: Keep = False,
    clean: Clean = False,
    output: Output = Path("canary.json"),
    env_file: EnvFile = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Move two tiny tables through a real deployment, and try what this version assumes of the services.

    It uses your own sign-in to Azure (az login) and AWS. It shows the rights that it needs and the price first, and
    removes what it made.

    Exit status: 0 every assumption that could be tried holds, 1 it could not run, or left something behind,
    3 an assumption does not hold.
    """
    if not region:
        raise typer.BadParameter(f"name the region of the tables with --region or {REGIONS[0]}")
    if as_json and not yes:
        raise typer.BadParameter("with --json nobody can be asked; add --yes")
    logging.getLogger(VERBOSE_LOGGER).setLevel(logging.CRITICAL)
    with session(context, url, key, as_json) as api:
        program = _program(outside(context).load)
        environment = {**os.environ, **(read_env_file(env_file) if env_file else {})}
        deployment = program.connect(
            environment, api, region=region, profile=profile, pause=outside(context).pause
        )
        if clean:
            _clean(program, deployment, yes=yes, as_json=as_json)
        _run(
            program,
            program.new_scene(deployment, tables or ()),
            minutes,
            output,
            yes=yes,
            keep=keep,
            as_json=as_json,
        )


def add_canary_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=example(
            "d2c canary --env-file .env --region eu-west-1 --profile me",
            "d2c canary --yes --json --output result.json",
            "d2c canary --clean",
        )
    )(canary)


def _run(
    program: Any, scene: Any, minutes: int, output: Path, *, yes: bool, keep: bool, as_json: bool
) -> None:
    for line in notice_lines(program.notice_of(scene)):
        typer.echo(line, err=as_json)
    if not yes:
        typer.confirm("Continue?", abort=True)
    try:
        result = program.run(scene, minutes * 60, _tell, keep=keep)
    except KeyboardInterrupt:
        typer.echo("Interrupted; remove what it made with d2c canary --clean.", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    write_whole(output, json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")
    _show(result, output, as_json)
    raise typer.Exit(_exit_status(result))


def _show(result: dict[str, Any], output: Path, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        typer.echo("\n".join(result_lines(result)))
    typer.echo(f"Written to {output}.", err=True)
    if result["error"]:
        error = result["error"]
        typer.echo(error_text(D2CError(error["detail"], error["next_step"], error["title"])), err=True)
    _tell_left(result["left"])


def _exit_status(result: dict[str, Any]) -> int:
    if result["error"]:
        return EXIT_FAILED
    if result["counts"][FAILS]:
        return EXIT_NOT_ALL_ARRIVED
    return EXIT_FAILED if result["left"] else EXIT_DONE


def _clean(program: Any, deployment: Any, *, yes: bool, as_json: bool) -> None:
    things, faults = program.leftovers(deployment)
    for thing in things:
        typer.echo(f"left      {thing.kind} {thing.name}", err=as_json)
    if things and not yes:
        typer.confirm("Remove all of it?", abort=True)
    left = [*faults, *program.clean(deployment, things, _tell)]
    if as_json:
        print_json({"found": [f"{thing.kind} {thing.name}" for thing in things], "left": left})
    elif not things:
        typer.echo("No canary left anything.")
    _tell_left(left)
    raise typer.Exit(EXIT_FAILED if left else EXIT_DONE)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _tell_left(left: Sequence[str]) -> None:
    for text in left:
        typer.echo(f"not removed: {text}", err=True)


def _program(load: Callable[[str], Any]) -> Any:
    """Return the module of the canary, imported here because it needs all SDKs and the other commands do not."""
    try:
        return load("d2c.canary.program")
    except ImportError as error:
        raise D2CError(
            f"The canary requires the SDKs of Azure, AWS and Databricks, and {error.name} is not installed.",
            "Install them: pip install 'd2c[app,cli]', or `make setup` in a clone.",
            "d2c canary cannot run here",
        ) from error
