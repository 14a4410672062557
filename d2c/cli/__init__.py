"""The command `d2c`: a client of the app's HTTP API, and tools that need no app."""

from typing import Annotated

import typer

from d2c.cli.commands.azd_steps import add_azd_steps
from d2c.cli.commands.canary import add_canary_command
from d2c.cli.commands.check import add_check_command
from d2c.cli.commands.deploy import add_deploy_command
from d2c.cli.commands.lifecycle import add_lifecycle_commands
from d2c.cli.commands.local import add_local_commands
from d2c.cli.commands.map import map_command
from d2c.cli.commands.migrations import add_migration_commands
from d2c.cli.commands.operations import add_operation_commands
from d2c.cli.commands.plan import add_plan_command
from d2c.cli.session import example
from d2c.version import VERSION

app = typer.Typer(
    name="d2c",
    help="Move tables from Amazon DynamoDB to Azure Cosmos DB for NoSQL, with every item accounted for.",
    epilog=example(
        "d2c check plan.json",
        "d2c start plan.json --watch",
        "d2c report music-2026 --html report.html",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    # A stack trace with variables would reveal the key.
    pretty_exceptions_enable=False,
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"d2c {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options of `d2c` itself."""


add_plan_command(app)
add_check_command(app)
add_migration_commands(app)
add_lifecycle_commands(app)
add_operation_commands(app)
app.command(
    "map",
    epilog=example(
        "d2c map --keys Artist,SongTitle data.json.gz",
        "d2c map --keys Artist --rules rules.json --explain < items.json",
    ),
)(map_command)
add_deploy_command(app)
add_azd_steps(app)
add_canary_command(app)
add_local_commands(app)


def main() -> None:
    """Run the command line."""
    app(prog_name="d2c")
