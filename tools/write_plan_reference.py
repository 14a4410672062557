"""Writes docs/reference/plan-reference.md, every field of the plan, from the model that validates plans."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from d2c.plan.fields import MEANINGS
from d2c.plan.model import Plan

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "plan-reference.md"
BOUNDS = {"minimum": "from {}", "maximum": "to {}", "multipleOf": "a multiple of {}"}
SIZES = {
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "maxLength": "at most {} characters",
}
HEAD = """# Plan reference: every field

This page is generated from the model that validates plans (`python -m tools.write_plan_reference`), as
[`plan.schema.json`](plan.schema.json) is. [plan.md](../start/plan.md) explains the fields and their
defaults. An unknown field is rejected by name.

| field | type | values | required |
|---|---|---|---|
"""

Schema = dict[str, Any]


def plan_reference_text() -> str:
    """Return the text of the page."""
    schema = Plan.model_json_schema()
    rows = [" | ".join(("", *cells, "")).strip() for cells in _rows(schema, schema, "")]
    return HEAD + "\n".join(rows) + "\n"


def _rows(whole: Schema, part: Schema, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = part.get("required", ())
    for name, field in part["properties"].items():
        resolved = _resolve(whole, field)
        path = f"{prefix}{name}"
        yield f"`{path}`", _type(whole, resolved), _values(resolved), "yes" if name in required else ""
        inner, suffix = (_resolve(whole, resolved["items"]), "[]") if "items" in resolved else (resolved, "")
        if "properties" in inner:
            yield from _rows(whole, inner, f"{path}{suffix}.")


def _resolve(whole: Schema, field: Schema) -> Schema:
    """Return the schema of a field that is present, with references resolved."""
    if "oneOf" in field:
        return _resolve(whole, {"anyOf": field["oneOf"]})
    if "anyOf" in field:
        kinds = [kind for kind in field["anyOf"] if kind.get("type") != "null"]
        if len(kinds) == 1:
            return _resolve(whole, kinds[0])
        return {**field, "anyOf": [_resolve(whole, kind) for kind in kinds]}
    if "$ref" in field:
        return _resolve(whole, whole["$defs"][field["$ref"].rpartition("/")[2]])
    return field


def _type(whole: Schema, field: Schema) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(whole, kind) for kind in field["anyOf"]))
    if "items" in field:
        return f"array of {_type(whole, _resolve(whole, field['items']))}"
    if "const" in field or "enum" in field:
        return "text"
    kind = str(field.get("type", "any"))
    return {"string": "text", "integer": "whole number"}.get(kind, kind)


def _values(field: Schema) -> str:
    if "anyOf" in field:
        return "; or ".join(filter(None, dict.fromkeys(_values(kind) for kind in field["anyOf"])))
    if "const" in field or "enum" in field:
        return ", ".join(f'`"{value}"`' for value in field.get("enum", [field.get("const")]))
    if field.get("pattern"):
        return MEANINGS.get(field["pattern"], f"`{field['pattern']}`")
    bounds = [text.format(f"{field[key]:,}") for key, text in {**BOUNDS, **SIZES}.items() if key in field]
    items = field.get("items", {})
    return ", ".join([*bounds, *([f"each {_values(items)}"] if items.get("pattern") else [])])


if __name__ == "__main__":
    PAGE.write_text(plan_reference_text())
