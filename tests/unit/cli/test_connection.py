import json

import httpx
import pytest

from d2c.cli.api import connect
from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import migration

LIST = {"migrations": [], "next": None}
KEY = "s3cr3t-k3y=="
REMOTE = "https://d2c.example.net"


def test_the_key_travels_in_a_header_only(run, service):
    service.on("GET", "/api/migrations", LIST)
    assert run("status", "--url", REMOTE, "--key", KEY).exit_code == 0
    request = service.requests[0]
    assert request.headers["x-functions-key"] == KEY
    assert KEY not in str(request.url)
    assert request.url.host == "d2c.example.net"


def test_address_and_key_come_from_the_environment(run, service):
    service.on("GET", "/api/migrations", LIST)
    run("status", env={"D2C_URL": f"{REMOTE}/", "D2C_KEY": f"{KEY}\n"})
    request = service.requests[0]
    assert (request.url.host, request.headers["x-functions-key"]) == ("d2c.example.net", KEY)


def test_the_local_cloud_is_the_default_and_needs_no_key(run, service):
    service.on("GET", "/api/migrations", LIST)
    run("status")
    assert str(service.requests[0].url).startswith("http://127.0.0.1:7071/api/migrations?")
    assert "x-functions-key" not in service.requests[0].headers


def test_an_address_that_ends_in_api_is_understood(run, service):
    service.on("GET", "/api/migrations", LIST)
    assert run("status", "--url", f"{REMOTE}/api/").exit_code == 0


@pytest.mark.parametrize(
    "address",
    [
        "d2c.example.net",
        "ftp://d2c.example.net",
        "https://",
        "https://user:pw@d2c.example.net",
        f"{REMOTE}?code={KEY}",
        f"{REMOTE}#x",
        "http://127.0.0.1:99999",
        "http://[::1",
        "",
    ],
)
def test_an_address_of_another_shape_is_wrong_use_and_is_not_repeated(run, service, address):
    result = run("status", "--url", address)
    assert (result.exit_code, service.requests) == (2, [])
    assert KEY not in result.output
    assert "http://HOST[:PORT]" in result.stderr


def test_a_key_over_plain_http_to_another_machine_is_refused(run, service):
    result = run("status", "--url", "http://d2c.example.net", "--key", KEY)
    assert (result.exit_code, service.requests) == (2, [])
    assert "https://" in result.stderr
    assert KEY not in result.output


@pytest.mark.parametrize("key", ["sch\u00fcssel", "two words", "a\nb"])
def test_a_key_that_no_header_can_hold_is_wrong_use_and_is_not_repeated(run, service, key):
    result = run("status", env={"D2C_KEY": key})
    assert (result.exit_code, service.requests) == (2, [])
    assert key not in result.output


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            httpx.ConnectError("[Errno 111] Connection refused"),
            "did not answer ([Errno 111] Connection refused)",
        ),
        (httpx.ConnectTimeout("timed out"), "did not accept the connection within 10 seconds"),
        (httpx.ReadTimeout(""), "did not answer within 60 seconds"),
        (httpx.ReadError(""), "did not answer (ReadError)"),
        (httpx.RemoteProtocolError("Server disconnected"), "did not answer (Server disconnected)"),
        (httpx.DecodingError("not gzip"), "did not answer (not gzip)"),
    ],
)
def test_an_app_that_cannot_be_reached_is_told_with_cause_and_next_step(run, service, trouble, told):
    service.on("GET", "/api/migrations", trouble)
    result = run("status", "--key", KEY)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"The app cannot be reached: http://127.0.0.1:7071 {told}.",
        "Next: Start the local cloud with `d2c local up`, or set the app's address with --url or D2C_URL.",
    ]


def test_the_next_step_for_an_app_elsewhere_is_its_address(run, service):
    service.on("GET", "/api/migrations", httpx.ConnectError("no such host"))
    result = run("status", "--url", REMOTE)
    assert result.stderr.splitlines()[1] == "Next: Check the app's address with --url or D2C_URL."


@pytest.mark.parametrize(
    ("answer", "told", "next_step"),
    [
        (httpx.Response(401), "The key was rejected: GET", "D2C_KEY"),
        (httpx.Response(403, text="Site Disabled"), "Access to the app is denied", "which networks"),
        (httpx.Response(404), "The response is not from the d2c API: GET", "D2C_URL"),
        (httpx.Response(200, html="<html>Hello</html>"), "200 with text/html", "D2C_URL"),
        (httpx.Response(200, json=["a", "list"]), "200 with application/json", "D2C_URL"),
        (httpx.Response(200, json={"other": "service"}), "200 with application/json", "D2C_URL"),
        (httpx.Response(204), "204 with nothing", "D2C_URL"),
        (
            httpx.Response(307, headers={"location": f"{REMOTE}/api/migrations?code=x"}),
            f"307 with a redirect to {REMOTE}/api/migrations,",
            "D2C_URL",
        ),
        (httpx.Response(500), "A service did not respond correctly", "log"),
        (httpx.Response(429, text="slow down"), "429 with text/plain", "log"),
        (httpx.Response(400, json={"title": 5}), "The response is not from the d2c API", "D2C_URL"),
    ],
)
def test_an_answer_that_is_not_the_apps_is_told_with_cause_and_next_step(
    run, service, answer, told, next_step
):
    service.on("GET", "/api/migrations", answer)
    result = run("status", "--key", KEY)
    assert (result.exit_code, result.stdout) == (1, "")
    first, second = result.stderr.splitlines()
    assert told in first
    assert second.startswith("Next: ")
    assert next_step in second
    assert KEY not in result.output
    assert "?" not in first


def test_a_problem_of_the_app_is_told_in_its_words(run, service):
    service.on(
        "GET", "/api/migrations", problem(500, "The settings are incomplete", "X is missing.", "Set X.")
    )
    result = run("status")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["The settings are incomplete: X is missing.", "Next: Set X."]


def test_with_json_an_error_is_one_object_on_standard_output_and_text_on_standard_error(run, service):
    service.on("GET", "/api/migrations/music-2026", problem(404, "Not found", "No music-2026.", "List them."))
    result = run("status", "music-2026", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": {"title": "Not found", "detail": "No music-2026.", "next_step": "List them."}
    }
    assert result.stderr.splitlines() == ["Not found: No music-2026.", "Next: List them."]


def test_a_proxy_in_the_environment_is_passed_over_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.net:3128")
    with connect("http://127.0.0.1:7071", None) as local, connect("http://d2c.example.net", None) as remote:
        assert (local.trust_env, remote.trust_env) == (False, True)


def test_a_status_of_a_later_version_with_more_fields_is_shown(run, service):
    service.on("GET", "/api/migrations/music-2026", {**migration(), "colour": "blue"})
    assert run("status", "music-2026").exit_code == 0
