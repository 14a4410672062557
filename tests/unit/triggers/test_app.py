import inspect
import json

import azure.functions as func
import pytest

from d2c.app.settings import REQUIRED, app_settings
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.clients import app_clients
from tests.unit.control.conftest import SubstituteClient
from triggers import events, http_api, timers
from triggers.app import app_of

ENVIRONMENT = {
    **dict.fromkeys(REQUIRED, "x"),
    "D2C_LAKE__blobServiceUri": "https://lakeaccount.blob.core.windows.net",
    "D2C_CLUSTER": '{"existing_cluster_id": "0601-1"}',
    "D2C_WEBHOOK_URL": "",
}
HTTP_FUNCTIONS = [
    built
    for module in (http_api, events, timers)
    for built in vars(module).values()
    if hasattr(built, "_function")
    and built._function.get_trigger().type == "httpTrigger"
    and "client" in [binding.name for binding in built._function.get_bindings()]
]


@pytest.fixture
def environment(monkeypatch):
    """Return a function that sets the process's settings for a test."""

    def set_all(values):
        for name in ENVIRONMENT:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        app_settings.cache_clear()
        app_clients.cache_clear()

    yield set_all
    app_settings.cache_clear()
    app_clients.cache_clear()


def test_the_app_has_durables_client_and_the_processs_lake_and_settings(environment):
    environment(ENVIRONMENT)
    client = SubstituteClient()
    app = app_of(client)
    assert app.settings == app_settings()
    assert app.durable.create_http_management_payload("m") == client.create_http_management_payload("m")
    assert isinstance(app.lake, AsyncLake)


def test_a_function_takes_what_its_bindings_hand_it(app_functions):
    for function in app_functions:
        bindings = [binding for binding in function.get_bindings() if binding.name != "$return"]
        called = function.get_user_function()
        parameters = inspect.signature(getattr(called, "orchestrator_function", called)).parameters
        names = sorted(binding.name for binding in bindings)
        assert sorted(parameters) == names, function.get_function_name()


def test_no_catch_all_comes_before_a_function_whose_route_it_takes_too(app_functions):
    # The Functions host tries routes in the order of the functions' names, and takes the first that fits.
    functions = [function for function in app_functions if function.is_http_function()]
    names = {function.get_trigger().route: function.get_function_name() for function in functions}
    catch_alls = {route: name for route, name in names.items() if "{*" in route}
    assert catch_alls
    for route, name in catch_alls.items():
        begins = route.partition("{*")[0].rstrip("/")
        assert name == max(other for taken, other in names.items() if taken.startswith(begins))


@pytest.mark.parametrize("built", HTTP_FUNCTIONS, ids=lambda built: built._function.get_function_name())
async def test_an_http_function_answers_with_a_problem_without_settings(built, environment):
    environment({})
    called = built._function.get_user_function().__wrapped__
    request = func.HttpRequest("POST", "https://app/api", body=b"", route_params={"id": "m"})
    answer = await called(req=request, client=SubstituteClient())
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "D2C_" in json.loads(answer.get_body())["detail"]
