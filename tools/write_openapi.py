"""Writes docs/reference/openapi.json, the OpenAPI document of the HTTP API, from the API's models."""

import json
from pathlib import Path

from d2c.api.openapi import api_document

DOCUMENT_FILE = Path(__file__).parents[1] / "docs" / "reference" / "openapi.json"


def api_document_text() -> str:
    """Return the text of the document."""
    return json.dumps(api_document(), indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT_FILE.write_text(api_document_text())
