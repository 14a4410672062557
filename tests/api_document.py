"""Holds every answer of the HTTP API against its OpenAPI document."""

import functools
import re
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from d2c.api.openapi import api_document

DOCUMENT = "urn:openapi"


class UndocumentedError(AssertionError):
    """An answer that the document does not tell of."""


def check_answer(method: str, path: str, status: int, media_type: str, value: Any) -> None:
    """Hold an answer against the document.

    Args:
        method: of the request.
        path: of the request, from ``/api`` on, without its query.
        status: of the answer.
        media_type: of the answer; parameters of it do not matter.
        value: the answer's JSON value; whatever it is where it is no JSON.

    Raises:
        UndocumentedError: if the document knows no such call, status or media type, or another shape of the answer.
    """
    template, operation = _operation(method, path)
    where = f"{method} {template} answered {status}"
    response = operation["responses"].get(str(status))
    if response is None:
        raise UndocumentedError(f"{where}, which the document does not know: {value}")
    content = response.get("content", {}).get(media_type.split(";")[0])
    if content is None:
        raise UndocumentedError(f"{where} with {media_type}, which the document does not know")
    faults = list(_validator(content["schema"]["$ref"]).iter_errors(value)) if content else []
    if faults:
        told = "; ".join(f"{fault.json_path}: {fault.message}" for fault in faults[:5])
        raise UndocumentedError(f"{where} unlike the document: {told}")


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """Return what the document says of a call; a path without parameters is meant before one with them."""
    for template, operations in sorted(api_document()["paths"].items()):
        pattern = re.sub(r"{\w+}", "[^/]+", re.escape(template).replace(r"\{", "{").replace(r"\}", "}"))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            return template, operations[method.lower()]
    raise UndocumentedError(f"The document does not know {method} {path}")


@functools.cache
def _validator(reference: str) -> Draft202012Validator:
    registry = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(api_document()))
    return Draft202012Validator({"$ref": f"{DOCUMENT}{reference}"}, registry=registry)
