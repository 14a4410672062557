import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from localcloud.common.callers import fault_of_caller, refuse_foreign_pages


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7071", "localhost:7071", "[::1]:7071", "localhost", "a.localhost:1"]
)
def test_programs_of_this_machine_and_own_pages_are_answered(host):
    assert fault_of_caller(host, None) is None
    assert fault_of_caller(host, f"http://{host}") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example:7071", None),
        ("127.0.0.1.evil.example:7071", None),
        ("", None),
        (None, None),
        ("[", None),
        ("127.0.0.1:7071", "null"),
        ("127.0.0.1:7071", "https://127.0.0.1:7071"),
        ("127.0.0.1:7071", "http://127.0.0.1:8000"),
        ("127.0.0.1:7071", "http://localhost:7071"),
        ("127.0.0.1:7071", "https://evil.example"),
    ],
)
def test_pages_of_others_and_made_up_names_are_refused(host, origin):
    assert fault_of_caller(host, origin)


async def test_a_refused_page_starts_nothing():
    started = []

    async def start(request):
        started.append(request.path)
        return web.Response()

    app = web.Application(middlewares=[refuse_foreign_pages])
    app.router.add_post("/runtime/webhooks/durabletask/orchestrators/clean_up", start)
    async with TestClient(TestServer(app)) as client:
        path = "/runtime/webhooks/durabletask/orchestrators/clean_up"
        foreign = await client.post(path, headers={"Origin": "http://127.0.0.1:1"})
        assert (foreign.status, started) == (403, [])
        assert "other origins" in (await foreign.json())["error"]["message"]
        assert (await client.post(path)).status == 200
