"""Shared by the commands that call the app: its address, its key, and access to the outside world."""

import importlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Never
from urllib.parse import urlsplit

import httpx
import typer

from d2c.cli.api import Api, connect, is_on_this_machine
from d2c.cli.outcome import errors_reported

DEFAULT_URL = "http://127.0.0.1:7071"
MIGRATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
KEY = re.compile(r"[!-~]+")

Execute = Callable[[str, list[str], dict[str, str]], Never]


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True)
class Outside:
    """A command's access to the outside world; tests pass a substitute.

    Args:
        transport: sends requests; the network's if None.
        pause: sleeps for a number of seconds.
        execute: replaces this process with a program, given its arguments and environment.
        load: imports a module, by its name, that not every command needs.
        is_terminal: tells whether somebody can be asked.
    """

    transport: httpx.BaseTransport | None = None
    pause: Callable[[float], None] = time.sleep
    execute: Execute = os.execve
    load: Callable[[str], Any] = importlib.import_module
    is_terminal: Callable[[], bool] = _is_terminal


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or "@" in text or "?" in text or "#" in text:
        # The text is not repeated: it may contain a key.
        raise typer.BadParameter(
            "the address must be http://HOST[:PORT] or https://HOST[:PORT], without user, query or fragment; "
            "a key goes into D2C_KEY"
        )
    return text.rstrip("/").removesuffix("/api")


def _check_key(text: str | None) -> str | None:
    key = (text or "").strip()
    if key and not KEY.fullmatch(key):
        raise typer.BadParameter("a function key consists of visible ASCII characters; copy it again")
    return key or None


def _check_id(text: str | None) -> str | None:
    if text is not None and not MIGRATION_ID.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not a migration id (letters, digits, - and _); `d2c status` lists the migrations"
        )
    return text


MigrationId = Annotated[str, typer.Argument(metavar="ID", help="The migration's id.", callback=_check_id)]
OptionalMigrationId = Annotated[
    str | None,
    typer.Argument(
        metavar="ID", help="The migration's id; without it, all migrations are listed.", callback=_check_id
    ),
]
Url = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", envvar="D2C_URL", help="The app's address, without /api.", callback=_check_url
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        envvar="D2C_KEY",
        help="A function key of the app. Prefer the variable: other users of this machine can see options.",
        callback=_check_key,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Watch = Annotated[bool, typer.Option("--watch", help="Follow the migration until it ends.")]


@contextmanager
def session(context: typer.Context, url: str, key: str | None, as_json: bool) -> Iterator[Api]:
    """Yield the app's API; an error in the block is reported and ends the command.

    Raises:
        typer.BadParameter: if the key would be sent unencrypted.
    """
    if key and url.startswith("http:") and not is_on_this_machine(url):
        raise typer.BadParameter(
            "with a key the address must be https://, so that the key is encrypted on the network"
        )
    with errors_reported(as_json), connect(url, key, outside(context).transport) as client:
        yield Api(client)


def outside(context: typer.Context) -> Outside:
    """Return the access to the outside world that the command was given."""
    return context.ensure_object(Outside)


def example(*lines: str) -> str:
    """Return the examples as a paragraph of a command's help; the backspace keeps the line breaks."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])
