"""A collector of OpenTelemetry on loopback that keeps what it is sent, taken apart by the protocol's own messages."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Collector:
    """What has come, by what it is of."""

    def __init__(self, url):
        self.url = url
        self.received = {path: [] for path in MESSAGES}
        self.status = 200

    @property
    def spans(self):
        requests = self.received["/v1/traces"]
        return [
            span
            for request in requests
            for of in request.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self):
        requests = self.received["/v1/metrics"]
        every = [
            scope for request in requests for of in request.resource_metrics for scope in of.scope_metrics
        ]
        return {metric.name: metric for scope in every for metric in scope.metrics}

    @property
    def logs(self):
        requests = self.received["/v1/logs"]
        every = [scope for request in requests for of in request.resource_logs for scope in of.scope_logs]
        return [record for scope in every for record in scope.log_records]


def attributes_of(message):
    """Return a message's attributes as a plain mapping."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in message.attributes}


@contextmanager
def collector():
    """Run a collector until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            if running.status == 200:
                running.received[self.path].append(MESSAGES[self.path].FromString(content))
            self.send_response(running.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Collector(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
