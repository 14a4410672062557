"""Writes docs/reference/plan.schema.json, the JSON Schema of the plan, from the model that validates plans."""

import json
from pathlib import Path

from d2c.plan.model import Plan

SCHEMA_FILE = Path(__file__).parents[1] / "docs" / "reference" / "plan.schema.json"


def plan_schema_text() -> str:
    """Return the text of the schema."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Plan.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(plan_schema_text())
