"""`d2c check`: what would make a migration fail, before it starts."""

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
# An outage of a minute is waited out.
RETRY_PAUSES_SECONDS = (1, 2, 4, 8, 15, 30)

PlanFile = Annotated[str, typer.Argument(metavar="PLAN", help="File with the plan; - is standard input.")]
ShowAll = Annotated[bool, typer.Option("--all", help="Show what is as it has to be, too.")]


def check(
    context: typer.Context,
    plan: PlanFile,
    show_all: ShowAll = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Check all that a plan's migration needs, and estimate what it takes. Nothing is changed.

    Exit status: 0 nothing stands in the way (there may be warnings), 1 a check failed.
    """
    body = read_file(plan, "plan")
    with session(context, url, key, as_json) as api:
        found = _follow(api, api.check(body), outside(context).pause, as_json)
        if found.get("error"):
            raise D2CError(found["error"]["detail"], found["error"]["next_step"], "The check came to no end")
    if as_json:
        print_json(found)
    else:
        console = stdout_console()
        is_wide = console.width >= WIDE_COLUMNS
        console.print(check_view(found, is_wide, show_all=show_all))
        if found["estimate"]:
            console.print(estimate_view(found["estimate"], is_wide))
    raise typer.Exit(EXIT_DONE if found["state"] == "succeeded" else EXIT_FAILED)


def add_check_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=example("d2c check plan.json", "d2c check plan.json --json"))(check)


def _follow(api: Api, started: Answer, pause: Callable[[float], None], as_json: bool) -> Answer:
    """Look at a check until it has ended, with a bar on a terminal, and return what it found."""
    columns = (TextColumn("Checking"), BarColumn(), TaskProgressColumn())
    # A bar is for people who look on; it goes to standard error, which is no part of the answer.
    console = Console(stderr=True, quiet=as_json)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=started["progress"]["total"])
        found = _look(api, started["id"], pause)
        while found["state"] == "running":
            bar.update(task, completed=found["progress"]["done"], total=found["progress"]["total"])
            pause(LOOK_EVERY_SECONDS)
            found = _look(api, started["id"], pause)
    return found


def _look(api: Api, check_id: str, pause: Callable[[float], None]) -> Answer:
    for seconds in RETRY_PAUSES_SECONDS:
        try:
            return api.check_status(check_id)
        except TransientError as error:
            typer.echo(f"{error_text(error).splitlines()[0]} Trying again in {seconds:g} seconds.", err=True)
            pause(seconds)
    return api.check_status(check_id)
