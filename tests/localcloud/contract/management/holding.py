"""S3 as a source that holds a file back in its middle."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from localcloud.data_factory.runs.copy_files import BLOCK_BYTES
from localcloud.data_factory.runs.watch import SECONDS_BETWEEN_REPORTS


@contextmanager
def holding(s3_url, held):
    """Serve what another S3 does, but of a file, after two blocks, no more until it is let go.

    Yields its address, and the event that lets the file go.

    Args:
        s3_url: the other's address.
        held: how the path of the file ends.
    """
    go_on = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            other = http.client.HTTPConnection(urlsplit(s3_url).netloc)
            # With the caller's own Host, which is part of the signature.
            other.request("GET", self.path, headers=dict(self.headers))
            answer = other.getresponse()
            content = answer.read()
            other.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "date",
                    "server",
                ):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if urlsplit(self.path).path.endswith(held):
                self.wfile.write(content[:BLOCK_BYTES])
                # A copy reports its progress from time to time: at its next block once this has passed.
                threading.Event().wait(1.5 * SECONDS_BETWEEN_REPORTS)
                self.wfile.write(content[BLOCK_BYTES : 2 * BLOCK_BYTES])
                go_on.wait()
                content = content[2 * BLOCK_BYTES :]
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", go_on
    finally:
        go_on.set()
        server.shutdown()
        server.server_close()
