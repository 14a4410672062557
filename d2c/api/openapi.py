"""Generates the OpenAPI document of the HTTP API from its routes and models."""

import functools
import re
from typing import Any

from pydantic.json_schema import models_json_schema

from d2c.api.models import Problem
from d2c.api.parameters import Parameter
from d2c.api.routes import JSON, ROUTES, Model, Route
from d2c.plan.fields import NAME
from d2c.state.ids import CHECK_ID
from d2c.version import VERSION

Json = dict[str, Any]

PROBLEM = "application/problem+json"
ERRORS = {
    400: "The plan, the body or a parameter is invalid.",
    401: "The function key is missing or wrong; the platform answers, without a body.",
    403: "A browser sent the call for a page of another site.",
    404: "Not found.",
    409: "The request conflicts with existing state.",
    413: "The body is larger than the call allows.",
    415: "The body is not declared as JSON.",
    500: "An unexpected error in the app.",
    503: "A service did not respond correctly; a retry may succeed.",
}
KEY_IS_MISSING = 401
FOREIGN_ORIGIN = 403
BAD_BODY = (413, 415)
ANY_CALL_MAY_FAIL_WITH = (500, 503)
SUCCESSES = {200: "Success.", 202: "Accepted, and carried out in the background."}
# By the part of a path before each of its parameters.
PATH_PARAMETERS = {
    "migrations": ("The migration's id.", {"type": "string", "pattern": NAME}),
    "checks": ("The check's id.", {"type": "string", "pattern": CHECK_ID}),
    "dashboard": ("The path of the file.", {"type": "string"}),
}
KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "x-functions-key",
    "description": "A function key of the app; the local cloud needs none.",
}


@functools.cache
def api_document() -> Json:
    """Return the document in version 3.1 of the specification."""
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "d2c",
            "version": VERSION,
            "description": "Moves tables from Amazon DynamoDB to Azure Cosmos DB for NoSQL.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"functionKey": []}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"functionKey": KEY}},
    }


def path_of(route: Route) -> str:
    """Return a route's path for the document, which has no wildcard for paths of several parts."""
    return f"/api/{route.path}".replace("{*", "{")


def _operation(route: Route) -> Json:
    content = {media: _content(model) for media, model in route.answers.items()}
    success = {"description": SUCCESSES[route.status], "content": content}
    others = {
        str(status): {"description": SUCCESSES[status], "content": {JSON: _content(model)}}
        for status, model in route.also
    }
    errors = {str(status): _error(status) for status in sorted(_errors(route))}
    operation: Json = {
        "operationId": route.function,
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *map(_query_parameter, route.parameters)],
        "responses": {str(route.status): success, **others, **errors},
    }
    if route.body:
        operation["requestBody"] = {
            "required": route.is_body_required,
            "content": {JSON: _content(route.body)},
        }
    return operation | ({"security": []} if route.is_open else {})


def _errors(route: Route) -> set[int]:
    return {
        *route.errors,
        *ANY_CALL_MAY_FAIL_WITH,
        *(() if route.is_open else (KEY_IS_MISSING,)),
        *(() if route.method == "GET" else (FOREIGN_ORIGIN,)),
        *(BAD_BODY if route.body else ()),
    }


def _path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[before][0],
            "schema": PATH_PARAMETERS[before][1],
        }
        for before, name in re.findall(r"(?<!\w)(\w+)/{(\w+)}", path_of(route))
    ]


def _query_parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _content(model: Model | None) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}} if model else {}


def _error(status: int) -> Json:
    content = {} if status == KEY_IS_MISSING else {"content": {PROBLEM: _content(Problem)}}
    return {"description": ERRORS[status], **content}


def _schemas() -> Json:
    """Return the schemas of all request and response models, including their parts."""
    answers = [model for route in ROUTES for model in route.answers.values()]
    answers += [model for route in ROUTES for _, model in route.also]
    models = dict.fromkeys(filter(None, [Problem, *answers, *(route.body for route in ROUTES)]))
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = definitions["$defs"]
    return schemas
