"""A receiver of webhooks on loopback that a test can make fail."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.contract.polling import HANG_SECONDS


class Server(ThreadingHTTPServer):
    """Answers with one status after the other, the last one for ever, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.requests = []
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/hook?token=secret-token"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        # A sender that was killed in the middle has asked for nothing.
        if len(body) < length:
            return
        self.server.requests.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        ANSWERS[answers[0] if len(answers) == 1 else answers.pop(0)](self)

    def log_message(self, *_):
        pass


def answer(handler, status, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def hang(handler):
    handler.server.release.wait(HANG_SECONDS)


def drip(handler):
    """Send a header a byte at a time, so that no single read takes long."""
    while not handler.server.release.wait(0.02):
        handler.wfile.write(b"H")


ANSWERS = {
    **{
        status: lambda handler, status=status: answer(handler, status) for status in (200, 204, 400, 410, 500)
    },
    302: lambda handler: answer(handler, 302, Location="/elsewhere"),
    "hangs": hang,
    "drips": drip,
    "hangs up": lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
}


@contextmanager
def serving(*answers):
    server = Server(*answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
