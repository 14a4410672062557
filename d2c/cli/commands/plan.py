"""`d2c plan`: writes a first plan for tables that the app can describe."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from d2c.cli.api import Answer
from d2c.cli.session import DEFAULT_URL, Key, Url, example, outside, session
from d2c.cli.views.plan import estimate_lines, question_lines, reason_lines
from d2c.plan.model import parse_plan
from d2c.proposal.answers import with_answer

Tables = Annotated[
    list[str],
    typer.Argument(metavar="TABLE...", help="Tables, or patterns such as 'shop-*'; quote a pattern."),
]
Region = Annotated[str, typer.Option("--region", metavar="REGION", help="The tables' AWS region.")]
Database = Annotated[str, typer.Option("--database", metavar="NAME", help="The Cosmos DB database.")]
Account = Annotated[
    str | None,
    typer.Option("--account", metavar="DIGITS", help="The tables' AWS account, if the app knows several."),
]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="ID", help="The migration's id; made of the database's name if left out."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="TABLE", help="A table or pattern to leave out; can be repeated."),
]


def plan(
    context: typer.Context,
    tables: Tables,
    region: Region,
    database: Database,
    account: Account = None,
    name: Name = None,
    exclude: Exclude = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Write a first plan to standard output: keys, indexes, throughput and order of tables, by what DynamoDB says.

    The reasons, the price, and what only you can decide go to standard error; at a terminal you are asked.
    Starts nothing.
    """
    asked = {
        "region": region,
        "database": database,
        "tables": tables,
        **{
            field: value
            for field, value in (("account", account), ("name", name), ("exclude", exclude))
            if value
        },
    }
    console = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)
    with session(context, url, key, as_json=False) as api:
        proposal = api.propose(asked)
        _print(console, reason_lines(proposal["reasons"]))
        answer = _ask if outside(context).is_terminal() else _list
        proposed = answer(console, proposal)
        _print(console, estimate_lines(proposal["estimate"]))
        parse_plan(json.dumps(proposed).encode())
        typer.echo(json.dumps(proposed, indent=2, ensure_ascii=False))


def add_plan_command(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=example(
            "d2c plan --region eu-west-1 --database shop 'shop-*' > plan.json",
            "d2c plan --region eu-west-1 --database shop Orders Music --name shop-2026 > plan.json",
        )
    )(plan)


def _list(console: Console, proposal: Answer) -> Mapping[str, Any]:
    """List all questions; the plan has the first answer to each."""
    _print(console, question_lines(proposal["questions"]))
    plan: Mapping[str, Any] = proposal["plan"]
    return plan


def _ask(console: Console, proposal: Answer) -> Mapping[str, Any]:
    """Ask each question, and return the plan with the answers."""
    proposed: Mapping[str, Any] = proposal["plan"]
    left_out: set[str] = set()
    for question in proposal["questions"]:
        if question["table"] in left_out:
            continue
        _print(console, question_lines([question], heading=""))
        if question["choices"]:
            choice = _chosen(console, question["choices"])
            proposed = with_answer(proposed, question["table"], choice)
            left_out |= {question["table"]} if choice["leave_out"] else set()
    return proposed


def _chosen(console: Console, choices: Sequence[Answer]) -> Answer:
    """Return the user's choice; nothing of the question goes to standard output, which has the plan."""
    numbers = [str(number) for number in range(1, len(choices) + 1)]
    while True:
        try:
            number = console.input("  Your choice [1]: ").strip() or numbers[0]
        except EOFError:
            raise typer.Abort from None
        if number in numbers:
            return choices[int(number) - 1]
        console.print(f"  Give a number from 1 to {len(choices)}.")


def _print(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(line)
