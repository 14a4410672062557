import ast
import json
import threading
from pathlib import Path

import azure.functions as func
import pytest

from d2c.api.requests import MOST_BODY_BYTES
from d2c.api.routes import PARAMETERS
from d2c.errors import NotFoundError, RefusedError
from d2c.plan.model import MOST_PLAN_BYTES
from tests.unit.control.conftest import FUNCTIONS, HEADERS, KEY, CalledApp, user_function
from tests.unit.control.plans import plan
from tests.unit.pages import ROOT
from triggers.answers import HEADERS as ANSWERED
from triggers.requests import (
    ForeignOriginError,
    check_of,
    check_origin,
    logged_id,
    migration_of,
    parameters_of,
)

APP = "https://my-app.azurewebsites.net/api/migrations"
CHANGES = [(method, route) for method, route in FUNCTIONS if method == "POST"]
WITH_BODY = [route for _, route in CHANGES if not route.endswith(("suspend", "resume"))]
MOST_ANSWER_BYTES = 32 * 1024


@pytest.fixture
def app():
    return CalledApp()


def request(method="POST", identity=None, params=None, url=APP, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    parts = {} if identity is None else {"id": identity}
    return func.HttpRequest(
        method=method, url=url, headers=headers, params=params, route_params=parts, body=b""
    )


def call_of(route, **more):
    return {"route": route, **({"id": "music-2026"} if "{id}" in route else {}), **more}


class TestBodies:
    @pytest.mark.parametrize("route", WITH_BODY)
    @pytest.mark.parametrize(
        "media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
    )
    async def test_one_that_is_not_declared_as_json_is_refused(self, app, route, media_type):
        headers = {"x-functions-key": KEY, **({} if media_type is None else {"Content-Type": media_type})}
        status, answer = await app.call("POST", **call_of(route, body=b"{}", headers=headers))
        assert (status, app.client.started, app.file_system.files) == (415, [], {})
        assert "Content-Type: application/json" in answer["next_step"]

    @pytest.mark.parametrize("media_type", ["application/json;charset=utf-8", "Application/JSON"])
    async def test_its_media_type_may_have_a_charset_and_any_case(self, app, media_type):
        body = json.dumps(plan()).encode()
        status, _ = await app.call("POST", body=body, headers={**HEADERS, "Content-Type": media_type})
        assert status == 202

    @pytest.mark.parametrize("route", [route for route in WITH_BODY if "{id}" in route])
    async def test_a_call_without_one_declares_none(self, app, route):
        status, _ = await app.call("POST", **call_of(route, headers={"x-functions-key": KEY}))
        assert status == 404

    @pytest.mark.parametrize("route", WITH_BODY)
    async def test_one_beyond_its_bound_is_refused_unread(self, app, route):
        most = MOST_PLAN_BYTES if route == "migrations" else MOST_BODY_BYTES
        status, answer = await app.call("POST", **call_of(route, body=b"\xff" * (most + 1)))
        assert status == 413
        assert f"{most:,}" in answer["detail"]
        status, _ = await app.call("POST", **call_of(route, body=b"\xff" * most))
        assert status == (404 if "{id}" in route else 400)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"name": "%s"}' % (b"x" * 900_000),
            b'{"%s": 1}' % (b"-eyJ" * 200_000),
            b'{"tables": [%s]}' % b",".join([b"{}"] * 300_000),
            b"[" * 1_000_000,
        ],
        ids=["long name", "long field", "many tables", "deep"],
    )
    async def test_what_is_answered_to_the_worst_plans_is_short(self, app, body):
        status, answer = await app.call("POST", body=body)
        assert status == 400
        assert len(json.dumps(answer)) < MOST_ANSWER_BYTES

    async def test_a_plan_is_not_read_on_the_event_loop(self, app):
        threads = []

        class Body(bytes):
            def removeprefix(self, prefix):
                threads.append(threading.get_ident())
                return super().removeprefix(prefix)

        status, _ = await app.call("POST", body=Body(json.dumps(plan()).encode()))
        assert status == 202
        assert threads
        assert threading.get_ident() not in threads


class TestOrigins:
    @pytest.mark.parametrize(("method", "route"), CHANGES)
    async def test_no_page_of_another_site_changes_anything(self, app, method, route):
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}
        call = call_of(route, body=json.dumps(plan()).encode(), headers=headers)
        status, _ = await app.call(method, **call)
        assert (status, app.client.started, app.file_system.files) == (403, [], {})

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec_fetch_site": "same-site"},
            {"sec_fetch_site": "cross-site", "origin": "https://my-app.azurewebsites.net"},
            {"origin": "https://evil.example"},
            {"origin": "https://my-app.azurewebsites.net.evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
        ],
    )
    def test_a_browser_says_when_another_site_asks(self, headers):
        with pytest.raises(ForeignOriginError):
            check_origin(request(**headers))

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"sec_fetch_site": "same-origin"},
            {"sec_fetch_site": "none"},
            {"origin": "https://my-app.azurewebsites.net"},
            # Behind a proxy the app's own address is another one.
            {"sec_fetch_site": "same-origin", "origin": "https://migrations.example"},
            # No page sends this header to another site that does not allow it.
            {"sec_fetch_site": "cross-site", "x_functions_key": "any"},
        ],
    )
    def test_the_dashboard_and_programs_may_ask(self, headers):
        check_origin(request(**headers))

    def test_what_changes_nothing_may_come_from_everywhere(self):
        check_origin(request("GET", sec_fetch_site="cross-site"))


class TestParameters:
    def read(self, name, **params):
        return parameters_of(request("GET", params=params), name)

    def test_what_is_left_out_has_its_default(self):
        assert self.read("list_migrations") == {"top": 20, "token": None}
        assert self.read("get_migration") == {"state": None, "top": 100, "token": None}
        assert self.read("start_migration") == {"dry_run": False, "wait": 25}

    def test_what_is_given_has_its_type(self):
        assert self.read("start_migration", dry_run="True", wait="0") == {"dry_run": True, "wait": 0}
        asked = self.read("list_rejected_items", table="a.b", reason="missing_key", top="100", token="e30=")
        assert asked == {"table": "a.b", "reason": "missing_key", "top": 100, "token": "e30="}

    @pytest.mark.parametrize("function", [name for name, known in PARAMETERS.items() if known])
    @pytest.mark.parametrize(
        "text",
        ["", " ", "\x00", "\x10A", "9" * 5000, "x" * 100_000, "²", "1\n", "../x", "\ud800", "[" * 2000],
        ids=lambda text: repr(text[:10]),
    )
    def test_what_no_parameter_can_be_is_refused_and_cut(self, function, text):
        for name in PARAMETERS[function]:
            with pytest.raises(RefusedError) as caught:
                self.read(function, **{name: text})
            assert caught.value.detail.startswith(f"{name} is ")
            assert len(str(caught.value)) < 500

    @pytest.mark.parametrize("value", ["1", "yes", "on"])
    def test_what_is_not_quite_true_does_not_start_a_migration(self, value):
        with pytest.raises(RefusedError, match="true or false"):
            self.read("start_migration", dry_run=value)


class TestIds:
    @pytest.mark.parametrize("of", [migration_of, check_of])
    @pytest.mark.parametrize("identity", ["", "..", "a/b", "a\n", "\x00", "x" * 49, "x" * 100_000, "é"])
    def test_an_impossible_one_is_not_found_not_logged_and_cut(self, of, identity):
        with pytest.raises(NotFoundError) as caught:
            of(request(identity=identity))
        assert len(str(caught.value)) < 500
        assert logged_id(request(identity=identity)) is None

    def test_a_possible_one_is_the_migrations(self):
        assert migration_of(request(identity="music-2026")) == "music-2026"
        assert logged_id(request(identity="music-2026")) == "music-2026"


def test_nothing_but_the_door_reads_what_a_caller_sends():
    read = {"get_body", "get_json", "params", "form", "files", "route_params"}
    for path in (ROOT / "triggers").glob("*.py"):
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        assert Path(path).stem in ("requests", "dashboard") or not names & read, path


@pytest.mark.parametrize("call", FUNCTIONS, ids="{0[0]} {0[1]}".format)
async def test_every_answer_tells_browsers_what_it_is_and_to_keep_nothing(app, call):
    method, route = call
    await app.call(method, **call_of(route))
    assert {name: app.headers[name] for name in ANSWERED} == dict(ANSWERED)
    assert user_function(FUNCTIONS[call])
