import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azure.core import PipelineClient
from azure.core.rest import HttpRequest

from d2c.clients.azure.transport import pooled_transport
from d2c.clients.retries import CORE

# More than `requests` keeps connections to a service.
AT_ONCE = 24


class _Service(BaseHTTPRequestHandler):
    """Answers as soon as so many calls are there together."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.together.wait(timeout=30)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = AT_ONCE
    connections = 0

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)


@pytest.fixture
def service():
    server = _Server(("127.0.0.1", 0), _Service)
    server.together = threading.Barrier(AT_ONCE)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_calls_of_many_threads_go_over_the_connections_of_those_before(service):
    url = f"http://127.0.0.1:{service.server_port}"
    with (
        PipelineClient(url, policies=[], transport=pooled_transport(**CORE)) as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        for _ in range(3):
            list(threads.map(client.send_request, [HttpRequest("GET", url) for _ in range(AT_ONCE)]))
    assert service.connections == AT_ONCE
