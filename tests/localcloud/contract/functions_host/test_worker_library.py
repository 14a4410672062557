"""The app in Microsoft's own worker library, which Azure runs for Python 3.13 and later.

It is not to be had for older Pythons: `make test-real` runs these tests under 3.13.
"""

import asyncio
import json
import os
from pathlib import Path
from unittest import mock

import azure.functions as func
import pytest

from localcloud.common.checkout import CHECKOUT
from localcloud.functions_host.worker import is_installed
from tests.builders import a_lane

if not is_installed():
    pytest.skip("azure-functions-runtime needs Python 3.13", allow_module_level=True)

from azure.functions.blob import InputStream

from localcloud.functions_host.worker.library import WorkerError, WorkerLibrary
from localcloud.functions_host.worker.messages import OneOf
from localcloud.functions_host.worker.values import data_of, value_of

SETTINGS = {"D2C_LAKE_FILE_SYSTEM": "lake", "D2C_WATCH_SCHEDULE": "0 */5 * * * *"}
CLIENT = json.dumps(
    {
        "taskHubName": "D2C",
        "rpcBaseUrl": "http://127.0.0.1:1/durabletask/",
        "managementUrls": {},
        "creationUrls": {},
    }
)
TIMER = json.dumps({"Schedule": {}, "ScheduleStatus": None, "IsPastDue": False})
# What each kind of function is called with; the app has no settings, so all but a few answer that they are missing.
CALLS = {
    "httpTrigger": func.HttpRequest(
        method="GET", url="http://app/api/x", body=b"", params={}, route_params={"id": "m"}
    ),
    "blobTrigger": InputStream(
        data=b"{}", name="lake/plans/a.json", uri="http://lake/plans/a.json", length=2
    ),
    "timerTrigger": TIMER,
    "activityTrigger": "{}",
}

WITHOUT_SETTINGS = ("get_api_document", "show_dashboard", "show_dashboard_file")


@pytest.fixture(scope="module")
def library():
    with mock.patch.dict(os.environ, SETTINGS):
        yield WorkerLibrary(CHECKOUT)


def kind_of(function):
    return next(b.type for b in function.bindings.values() if b.type.endswith("Trigger"))


def call(library, function, value):
    data, metadata = data_of(value)
    inputs = {
        name: OneOf(string=CLIENT) if binding.type == "durableClient" else data
        for name, binding in function.bindings.items()
        if name != "$return"
    }
    return value_of(asyncio.run(library.call(function.name, inputs, metadata)))


def test_it_indexes_every_function_of_the_app(library):
    modules = [
        *CHECKOUT.glob("triggers/*.py"),
        *CHECKOUT.glob("activities/**/*.py"),
        *CHECKOUT.glob("orchestrators/*.py"),
    ]
    decorators = sum(text.count("_trigger(") + text.count(".route(") for text in map(Path.read_text, modules))
    assert len(library.functions) == decorators
    assert {kind_of(function) for function in library.functions} == {*CALLS, "orchestrationTrigger"}


def text_of(library, function):
    """Return what a function answers, or the text of what it raises."""
    try:
        answer = call(library, function, CALLS[kind_of(function)])
    except WorkerError as error:
        return str(error)
    return answer.get_body().decode() if isinstance(answer, func.HttpResponse) else str(answer)


def test_every_function_is_reached_with_the_values_that_the_host_sends(library):
    """Without settings each names one that is missing, by an error or by its answer; none fails in the library."""
    texts = {
        function.name: text_of(library, function)
        for function in library.functions
        if kind_of(function) != "orchestrationTrigger" and function.name not in WITHOUT_SETTINGS
    }
    assert {name: text for name, text in texts.items() if "D2C_EXPORT_BUCKET" not in text} == {}


def test_an_http_function_answers_with_its_status_its_headers_and_its_body(library):
    (document,) = (one for one in library.functions if one.name == "get_api_document")
    answer = call(library, document, CALLS["httpTrigger"])
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert json.loads(answer.get_body())["openapi"]


def event(kind, number=-1, **fields):
    return {
        "EventType": kind,
        "EventId": number,
        "IsPlayed": False,
        "Timestamp": "2026-06-01T12:00:00.000Z",
        **fields,
    }


def test_an_orchestrator_takes_its_turns_through_it(library):
    lane = json.dumps(a_lane("copy"))
    history = [event(12), event(0, Name="run_lane", Version="", Input=lane)]

    def turn():
        body = {
            "history": history,
            "input": lane,
            "instanceId": "m.copy-lane-0-0",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
        }
        answer = asyncio.run(library.call("run_lane", {"context": OneOf(json=json.dumps(body))}))
        return json.loads(value_of(answer))

    (asked,) = turn()["actions"][0]
    assert asked["functionName"] == "take_tables"
    over = json.dumps({"value": {"state": "over"}})
    history += [event(4, 0, Name="take_tables"), event(12), event(5, TaskScheduledId=0, Result=over)]
    state = turn()
    assert (state["isDone"], state["output"]) == (True, {"error": None})


def test_the_text_of_an_exception_begins_with_its_type(library):
    (function,) = (one for one in library.functions if one.name == "plan_arrived")
    assert text_of(library, function).startswith("SettingsError: D2C_EXPORT_BUCKET is missing")
