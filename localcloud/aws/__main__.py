"""Runs local AWS: ``python -m localcloud.aws``."""

import logging
import signal
import threading
import time
from pathlib import Path

from werkzeug.serving import make_server

from localcloud.aws import backends
from localcloud.aws.exports import Exports
from localcloud.aws.gateway import Gateway
from localcloud.service import LOOPBACK, announce_ready, service_parser, start_logging, stop_with_parent

# Saving takes seconds for a large table, so it waits until the callers pause.
QUIET_SECONDS = 2.0


def main() -> None:
    """Serve until the process is told to end, saving the state in quiet moments and at the end."""
    parser = service_parser("aws", "Local DynamoDB, S3 and STS.")
    parser.add_argument("--export-seconds", type=float, default=1.0, help="how long an export takes")
    parser.add_argument(
        "--restorable-lag-seconds", type=float, default=0.0, help="latest restorable time behind now"
    )
    options = parser.parse_args()
    start_logging()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    state_file: Path = options.state_folder / "aws.pickle"
    exports = Exports(
        backends.load(state_file),
        seconds=options.export_seconds,
        restorable_lag_seconds=options.restorable_lag_seconds,
    )
    try:
        gateway = Gateway(exports)
        server = make_server(LOOPBACK, options.port, gateway, threaded=True)
    except OSError as error:
        raise SystemExit(f"Cannot listen on {LOOPBACK}:{options.port}: {error.strerror}.") from error
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if options.stop_with_parent:
        stop_with_parent()
    announce_ready(f"http://{LOOPBACK}:{options.port}")
    saved_at = 0.0
    while not ended.wait(QUIET_SECONDS):
        if saved_at < gateway.changed_at < time.monotonic() - QUIET_SECONDS:
            saved_at = time.monotonic()
            backends.save(state_file, exports.by_arn)
    server.shutdown()
    backends.save(state_file, exports.by_arn)


if __name__ == "__main__":
    main()
