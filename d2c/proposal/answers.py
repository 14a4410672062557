"""What an answer to a question changes in a proposed plan."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def with_answer(plan: Mapping[str, Any], table: str | None, choice: Mapping[str, Any]) -> Json:
    """Return a plan with the user's answer to a question.

    Args:
        plan: the proposed one.
        table: the table that the question is about, or None for all.
        choice: the question's, as the app returns it.
    """
    if table is None:
        answered = _with_settings(plan, choice["settings"])
        for name, settings in choice.get("tables", {}).items():
            answered = _with_own(answered, name, settings)
        return answered
    if choice["leave_out"]:
        return _without(plan, table)
    return _with_own(plan, table, choice["settings"]) if choice["settings"] else dict(plan)


def _with_own(plan: Mapping[str, Any], table: str, settings: Mapping[str, Any]) -> Json:
    """Return a plan with settings in the entry of a table."""
    own: Json = next((dict(entry) for entry in plan["tables"] if entry["table"] == table), {"table": table})
    others = [entry for entry in plan["tables"] if entry["table"] != table]
    return {**plan, "tables": [_with_settings(own, settings), *others]}


def _with_settings(part: Mapping[str, Any], settings: Mapping[str, Any]) -> Json:
    """Return a plan, or an entry of it, with other fields; a policy is replaced as a whole."""
    merged = dict(part)
    for field, value in settings.items():
        is_part = isinstance(merged.get(field), dict) and field != "indexing"
        merged[field] = {**merged[field], **value} if is_part else value
    return merged


def _without(plan: Mapping[str, Any], table: str) -> Json:
    """Return a plan that has no entry for a table, and leaves it out of its patterns."""
    entries = [entry for entry in plan["tables"] if entry["table"] != table]
    is_matched = any(
        entry["table"].endswith("*") and table.startswith(entry["table"][:-1]) for entry in entries
    )
    exclude = [*plan.get("exclude", ()), *([table] if is_matched else [])]
    return {**plan, "tables": entries, **({"exclude": exclude} if exclude else {})}
