"""What people see of rejected items: where each came from, why it was rejected, and its key."""

import json
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from d2c.cli.views.rendering import UNKNOWN

LONGEST_TEXT = 120


def rejected_view(found: Mapping[str, Any]) -> RenderableType:
    """Return rejected items as a table, and whether there are more.

    Args:
        found: ``rejected``, a list of them as the API returns it, and ``next``, which is null after the last one.
    """
    items = found["rejected"]
    if not items:
        return Text("There are no rejected items to show.")
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Table", "Place", "Reason", "Key", "Detail"):
        view.add_column(name, overflow="fold")
    for item in items:
        place = f"{item['file']}:{item['line']}"
        texts = (item["table"], place, item["reason"], _key_text(item["keys"]), item["detail"])
        view.add_row(*map(_shown, texts))
    rest = "; there are more: --limit N shows N of them, --json all" if found["next"] else ", none left out"
    return Group(view, Text(f"{len(items):,} shown{rest}."))


def _key_text(keys: Mapping[str, Any] | None) -> str:
    """Return key attributes for people, such as ``Artist=Nina, Year=1964``, whatever their values look like."""
    return ", ".join(f"{name}={_value_text(value)}" for name, value in (keys or {}).items()) or UNKNOWN


def _value_text(tagged: Any) -> str:
    """Return the text of a key's value without its tag, or all of what is no text with a tag."""
    values = list(tagged.values()) if isinstance(tagged, dict) else []
    is_text = len(values) == 1 and isinstance(values[0], str)
    return values[0] if is_text else json.dumps(tagged)


def _shown(text: str) -> Text:
    """Return a text from someone's data so that it cannot steer the terminal, and not all of a long one."""
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return Text("".join(letter if letter.isprintable() else _escaped(letter) for letter in cut))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
