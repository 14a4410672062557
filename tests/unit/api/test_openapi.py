"""The document of the HTTP API tells what the app has, and what the app's own models say."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from d2c.api.openapi import api_document, path_of
from d2c.api.routes import ROUTES
from tests.api_document import UndocumentedError, check_answer
from tests.unit.pages import text_of
from tests.unit.reports import whole_report
from tools.write_openapi import DOCUMENT_FILE, api_document_text
from triggers.answers import STATUS_OF_ERROR

PROBLEM = {"status": 404, "title": "Not found", "detail": "There is none.", "next_step": "List them."}
JSON = "application/json"


def registered(functions):
    """Yield method, path, function and level of access of each HTTP function of the app."""
    for function in functions:
        trigger = function.get_trigger().get_dict_repr()
        if trigger["type"] == "httpTrigger":
            for method in trigger["methods"]:
                level = trigger["authLevel"].value.lower()
                yield method.value, trigger["route"], function.get_function_name(), level


def test_the_document_has_every_route_that_the_app_registers_and_no_other(app_functions):
    documented = [
        (route.method, route.path, route.function, "anonymous" if route.is_open else "function")
        for route in ROUTES
    ]
    assert sorted(registered(app_functions)) == sorted(documented)


def test_the_document_is_as_the_specification_wants_it():
    assert list(OpenAPIV31SpecValidator(api_document()).iter_errors()) == []


def test_the_published_document_is_up_to_date():
    assert DOCUMENT_FILE.read_text() == api_document_text(), "run: .venv/bin/python -m tools.write_openapi"


def test_the_document_tells_where_a_key_is_needed():
    paths = api_document()["paths"]
    assert api_document()["security"] == [{"functionKey": []}]
    assert paths["/api/openapi.json"]["get"]["security"] == []
    assert "security" not in paths["/api/migrations"]["post"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.function)
def test_the_document_tells_how_a_call_is_refused_before_it_is_looked_at(route):
    told = api_document()["paths"][path_of(route)][route.method.lower()]["responses"]
    assert ("401" in told) is not route.is_open
    assert ("403" in told) is (route.method == "POST")
    assert ({"400", "413", "415"} <= set(told)) is (route.body is not None)


def test_every_status_of_an_error_is_on_the_page():
    page = text_of("reference/http-api.md")
    statuses = {status for _, status in STATUS_OF_ERROR} | {401}
    assert {status for status in statuses if f"| {status} |" not in page} == set()


def test_every_call_has_its_place_on_the_page():
    page = text_of("reference/http-api.md")
    told = set(re.findall(r"`(GET|POST) /api/([\w/{}.*]+)`", page))
    assert {(route.method, route.path) for route in ROUTES if "{*" not in route.path} <= told


def test_every_field_of_the_status_has_its_place_on_the_page():
    page = text_of("reference/http-api.md")
    schemas = api_document()["components"]["schemas"]
    names = {name for model in ("MigrationStatus", "TableStatus") for name in schemas[model]["properties"]}
    assert {name for name in names if not re.search(rf'[`"]{name}[`"]', page)} == set()


def test_a_report_with_everything_in_it_is_as_the_document_says():
    report = json.loads(json.dumps(whole_report()))
    for table in report["tables"]:
        if table["error"]:
            table["error"] |= {"transient": False, "another_run": False, "cancelled": False}
    check_answer("GET", "/api/migrations/shop-2026/report", 200, JSON, report)


def test_an_answer_with_a_field_that_the_document_does_not_name_is_found():
    value = {"migrations": [], "next": None}
    check_answer("GET", "/api/migrations", 200, JSON, value)
    with pytest.raises(UndocumentedError, match="colour"):
        check_answer("GET", "/api/migrations", 200, JSON, {**value, "colour": 1})


def test_an_answer_without_a_field_that_the_document_names_is_found():
    with pytest.raises(UndocumentedError, match="next"):
        check_answer("GET", "/api/migrations", 200, JSON, {"migrations": []})


@pytest.mark.parametrize(
    ("method", "path", "status", "media"),
    [
        ("PATCH", "/api/migrations", 200, JSON),
        ("GET", "/api/migrations/a/b/c", 200, JSON),
        ("GET", "/api/migrations/a", 418, JSON),
        ("GET", "/api/migrations/a", 200, "text/html"),
    ],
)
def test_a_call_status_or_media_type_that_the_document_does_not_know_is_found(method, path, status, media):
    with pytest.raises(UndocumentedError):
        check_answer(method, path, status, media, {})


def test_problems_are_as_the_document_says():
    check_answer("GET", "/api/migrations/a/report", 404, "application/problem+json; charset=utf-8", PROBLEM)
    with pytest.raises(UndocumentedError):
        check_answer("GET", "/api/migrations/a/report", 404, JSON, PROBLEM)
