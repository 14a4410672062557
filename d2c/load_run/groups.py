"""How tables that share a load run meet: what the log of their group says.

Each entry is ``{"table", "did"}``: a table ``arrived`` (it is ready to be prepared), ``joined`` (its load request is
written; with the ``attempt``, since after a lost cluster those that are not done meet again) or ``left`` (it is done,
failed or cancelled, and nobody need wait for it). Entries may be there twice and only the first of each kind counts,
so what the log says once everyone has joined or left stays true whatever is appended later: all who look then agree
on the members of the run.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Entries = Sequence[Mapping[str, Any]]


def all_arrived(entries: Entries, tables: Iterable[str]) -> bool:
    """Tell whether each table has arrived, joined or left."""
    return set(tables) <= {entry["table"] for entry in entries}


def not_joined(entries: Entries, tables: Iterable[str], attempt: int) -> list[str]:
    """Return the tables that have neither joined an attempt nor left, in their order."""
    met = {entry["table"] for entry in entries if _joins(entry, attempt) or entry["did"] == "left"}
    return [table for table in tables if table not in met]


def joined(entries: Entries, tables: Sequence[str], attempt: int) -> list[str] | None:
    """Return the members of an attempt's run, or None while it is not known who they are.

    Args:
        entries: the group's log.
        tables: all of the group, in the order in which they are loaded.
        attempt: as in the entries of those that joined.

    Returns:
        The tables that joined and had not left before, in the order of ``tables``; None while some table has neither
        joined nor left.
    """
    if not_joined(entries, tables, attempt):
        return None
    first = {
        entry["table"]: _joins(entry, attempt)
        for entry in reversed(entries)
        if _joins(entry, attempt) or entry["did"] == "left"
    }
    return [table for table in tables if first[table]]


def left(entries: Entries) -> set[str]:
    """Return the tables that have left."""
    return {entry["table"] for entry in entries if entry["did"] == "left"}


def _joins(entry: Mapping[str, Any], attempt: int) -> bool:
    return bool(entry["did"] == "joined" and entry["attempt"] == attempt)
