"""The view of rejected items: source, reason and key of each."""

import json
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from d2c.cli.views.rendering import UNKNOWN

LONGEST_TEXT = 120


def rejected_view(page: Mapping[str, Any]) -> RenderableType:
    """Return rejected items as a table, with a note if there are more.

    Args:
        page: ``rejected``, the items as the API returns them, and ``next``, null after the last one.
    """
    items = page["rejected"]
    if not items:
        return Text("There are no rejected items to show.")
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Table", "Place", "Reason", "Key", "Detail"):
        view.add_column(name, overflow="fold")
    for item in items:
        place = f"{item['file']}:{item['line']}"
        texts = (item["table"], place, item["reason"], _key_text(item["keys"]), item["detail"])
        view.add_row(*map(_printable, texts))
    rest = "; there are more: use --limit N for N of them, --json for all" if page["next"] else ", no more"
    return Group(view, Text(f"{len(items):,} shown{rest}."))


def _key_text(keys: Mapping[str, Any] | None) -> str:
    """Return key attributes as text, such as ``Artist=Nina, Year=1964``."""
    return ", ".join(f"{name}={_value_text(value)}" for name, value in (keys or {}).items()) or UNKNOWN


def _value_text(tagged: Any) -> str:
    """Return a key's value without its type tag; JSON unless it is a tagged text."""
    values = list(tagged.values()) if isinstance(tagged, dict) else []
    is_text = len(values) == 1 and isinstance(values[0], str)
    return values[0] if is_text else json.dumps(tagged)


def _printable(text: str) -> Text:
    """Return a text from user data, truncated, with control characters escaped to protect the terminal."""
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return Text("".join(letter if letter.isprintable() else _escaped(letter) for letter in cut))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
