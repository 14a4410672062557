"""`d2c local` and `d2c demo`: run the local cloud, a separate program that the product does not import."""

import os
import sys
from pathlib import Path
from typing import Never

import typer

import d2c
from d2c.cli.outcome import errors_reported
from d2c.cli.session import Execute, example, outside
from d2c.errors import D2CError

PROGRAM = "localcloud"
# All options, --help included, are passed to the program.
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


def up(context: typer.Context) -> None:
    """Start the local cloud: stand-ins for every outside system, on this machine only."""
    _command(context, "up")


def down(context: typer.Context) -> None:
    """Stop the local cloud; its state is kept."""
    _command(context, "down")


def demo(context: typer.Context) -> None:
    """Migrate real data sets on the local cloud, and show the report."""
    _command(context, "demo")


def add_local_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    group = typer.Typer(
        help="The local cloud, on this machine.",
        epilog=example("d2c local up", "d2c local down"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for parent, command in ((group, up), (group, down), (app, demo)):
        parent.command(command.__name__, context_settings=PASSED_ON, add_help_option=False)(command)
    app.add_typer(group, name="local")


def hand_over(command: str, arguments: list[str], execute: Execute, package: Path) -> Never:
    """Replace this process with the local cloud's program.

    Args:
        command: its command.
        arguments: the arguments after the command.
        execute: replaces this process, like `os.execve`.
        package: the folder of the `d2c` package.

    Raises:
        D2CError: if the package is not part of a checkout.
    """
    checkout = package.parent
    if not (checkout / PROGRAM).is_dir():
        raise D2CError(
            f"The local cloud is part of a checkout of the project, and d2c runs from {checkout}, which is not one.",
            "Clone the project, run `make setup` in it, and use its .venv/bin/d2c.",
            "The local cloud is not installed",
        )
    paths = [str(checkout / PROGRAM / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    execute(sys.executable, [sys.executable, "-m", PROGRAM, command, *arguments], environment)


def _command(context: typer.Context, command: str) -> None:
    with errors_reported(as_json="--json" in context.args):
        hand_over(command, context.args, outside(context).execute, Path(d2c.__file__).parent)
