import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import HTTPServer, SimpleHTTPRequestHandler

import httpx
import pytest

from d2c.clients.clocks import clock_skew
from d2c.clients.connections import trusted_authorities
from d2c.errors import TransientError
from localcloud.common.certificates import make_certificates

from .errors import error_of


def answering(monkeypatch, answer):
    @contextmanager
    def stream(method, url, **_):
        if isinstance(answer, Exception):
            raise answer
        yield answer

    monkeypatch.setattr(httpx, "stream", stream)


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_server_tells_its_time_even_where_it_refuses(monkeypatch, status):
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    answering(monkeypatch, httpx.Response(status, headers={"Date": ahead}))
    assert abs(clock_skew("https://lake.blob.core.windows.net/") - timedelta(minutes=10)) < timedelta(
        minutes=1
    )


@pytest.mark.parametrize(
    "answer",
    [httpx.ConnectError("refused"), httpx.Response(200), httpx.Response(200, headers={"Date": "soon"})],
)
def test_a_server_that_does_not_tell_is_named_by_its_host(monkeypatch, answer):
    answering(monkeypatch, answer)
    error = error_of(lambda: clock_skew("https://lake.blob.core.windows.net/?sig=c2ln"))
    assert type(error) is TransientError
    assert "lake.blob.core.windows.net" in error.detail
    assert "c2ln" not in str(error)


def test_a_server_on_this_machine_is_trusted_by_the_environments_authorities_and_asked_without_its_proxy(
    monkeypatch, tmp_path
):
    files = make_certificates(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.server)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.handle_request, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    trusted_authorities.cache_clear()
    with server:
        assert abs(clock_skew(f"https://127.0.0.1:{server.server_port}/nothing")) < timedelta(minutes=1)
    trusted_authorities.cache_clear()
