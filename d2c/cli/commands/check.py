"""`d2c check`: finds what would make a migration fail before it starts."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from d2c.cli.api import Answer, Api
from d2c.cli.files import read_file
from d2c.cli.outcome import EXIT_DONE, EXIT_FAILED, error_text, print_json
from d2c.cli.session import DEFAULT_URL, AsJson, Key, Url, example, outside, session
from d2c.cli.views.check import check_view, estimate_view
from d2c.cli.views.rendering import WIDE_COLUMNS, stdout_console
from d2c.errors import D2CError, TransientError

LOOK_EVERY_SECONDS = 0.5
# Retries for an outage of about a minute.
RETRY_PAUSES_SECONDS = (1, 2, 4, 8, 15, 30)

PlanFile = Annotated[str, typer.Argument(metavar="PLAN", help="File with the plan; - is standard input.")]
ShowAll = Annotated[bool, typer.Option("--all", help="Also show checks that passed.")]


def check(
    context: typer.Context,
    plan: PlanFile,
    show_all: ShowAll = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Check everything that a plan's migration needs, and estimate its duration and cost. Changes nothing.

    Exit status: 0 no check failed (warnings do not count), 1 a check failed.
    """
    body = read_file(plan, "plan")
    with session(context, url, key, as_json) as api:
        result = _follow(api, api.check(body), outside(context).pause, as_json)
        if result.get("error"):
            raise D2CError(
                result["error"]["detail"], result["error"]["next_step"], "The check did not finish"
            )
    if as_json:
        print_json(result)
    else:
        console = stdout_console()
        is_wide = console.width >= WIDE_COLUMNS
        console.print(check_view(result, is_wide, show_all=show_all))
        if result["estimate"]:
            console.print(estimate_view(result["estimate"], is_wide))
    raise typer.Exit(EXIT_DONE if result["state"] == "succeeded" else EXIT_FAILED)


def add_check_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=example("d2c check plan.json", "d2c check plan.json --json"))(check)


def _follow(api: Api, started: Answer, pause: Callable[[float], None], as_json: bool) -> Answer:
    """Poll a check until it ends, with a progress bar on a terminal, and return its result."""
    columns = (TextColumn("Checking"), BarColumn(), TaskProgressColumn())
    # The bar is for people and goes to standard error, so that standard output has the result only.
    console = Console(stderr=True, quiet=as_json)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=started["progress"]["total"])
        result = _look(api, started["id"], pause)
        while result["state"] == "running":
            bar.update(task, completed=result["progress"]["done"], total=result["progress"]["total"])
            pause(LOOK_EVERY_SECONDS)
            result = _look(api, started["id"], pause)
    return result


def _look(api: Api, check_id: str, pause: Callable[[float], None]) -> Answer:
    for seconds in RETRY_PAUSES_SECONDS:
        try:
            return api.check_status(check_id)
        except TransientError as error:
            typer.echo(f"{error_text(error).splitlines()[0]} Retrying in {seconds:g} seconds.", err=True)
            pause(seconds)
    return api.check_status(check_id)
