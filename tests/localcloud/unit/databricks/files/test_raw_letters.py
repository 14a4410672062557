import asyncio

import pytest
from aiohttp import web

from localcloud.databricks.files.raw_letters import RawLettersRunner, encoded

HEAD = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PUT /webhdfs/v1/a%C3%BC?op=OPEN" + HEAD + b"\xc3\xbc\n",
        b"\xc3\xbc GET /webhdfs/v1/\xc3\xbc",
        "POST /api/2.2/jobs/runs/submit?name=ü".encode(),
    ],
)
def test_a_body_and_the_line_of_another_request_stay_as_they_came(data):
    assert encoded(data) == data


async def path_seen(raw):
    """Return the path and the body that an application is given for a request's path as it is sent."""

    async def handle(request):
        return web.Response(text=f"{request.raw_path} {(await request.read())!r}")

    app = web.Application()
    app.router.add_put("/{path:.*}", handle)
    runner = RawLettersRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"PUT " + raw + HEAD + b"\xc3\xbc\n")
    answer = await reader.read()
    writer.close()
    await runner.cleanup()
    return answer.rpartition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/webhdfs/v1/Über%20%25/日?op=OPEN".encode(), "/webhdfs/v1/%C3%9Cber%20%25/%E6%97%A5?op=OPEN"),
        (b"/webhdfs/v1/plain+?op=OPEN", "/webhdfs/v1/plain+?op=OPEN"),
    ],
)
def test_a_line_with_letters_beyond_ascii_is_taken_as_if_they_had_been_encoded(raw, path):
    assert asyncio.run(path_seen(raw)) == f"{path} b'\\xc3\\xbc\\n'"
