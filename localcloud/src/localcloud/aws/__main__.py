"""Runs local AWS: ``python -m localcloud.aws``."""

import argparse
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from localcloud.aws.api import backends
from localcloud.aws.api.exports import Exports
from localcloud.aws.api.gateway import Gateway
from localcloud.aws.api.recording import MICROS, install, redo
from localcloud.aws.api.write_log import WriteLog
from localcloud.aws.clock import Clock
from localcloud.aws.iam.access import Access, ActionLog
from localcloud.aws.iam.policies import PolicyError
from localcloud.aws.iam.sessions import Sessions
from localcloud.aws.iam.stack import Account, StackError, load_account
from localcloud.aws.iam.sts import Sts
from localcloud.common.names import AWS_ACCOUNT, LOOPBACK
from localcloud.common.service import (
    announce_ready,
    required_variable,
    service_parser,
    start_logging,
    stop_with_parent,
)

SECRET = "LOCALCLOUD_AWS_SECRET_KEY"  # noqa: S105 - the variable's name
STACKS = "LOCALCLOUD_AWS_STACKS"
KEYS = "LOCALCLOUD_TOKEN_KEYS"

# Saving takes seconds for a large table, so it waits until the callers pause.
QUIET_SECONDS = 2.0
LONGEST_RECOVERY_SECONDS = 35 * 86_400


def main() -> None:
    """Serve until the process is asked to end, saving the state in quiet moments and at the end.

    The environment brings ``LOCALCLOUD_AWS_SECRET_KEY``, the secret access key of the accounts' owners; and for roles,
    as JSON, ``LOCALCLOUD_AWS_STACKS``, the template's parameters by account, and ``LOCALCLOUD_TOKEN_KEYS``, the public
    keys of token issuers.
    """
    options = _parser().parse_args()
    start_logging()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    state_file: Path = options.state_folder / "aws.pickle"
    log = WriteLog(options.state_folder / "writes.sqlite")
    clock = Clock(options.state_folder / "clock")
    install(log, clock)
    saved, position = backends.load(state_file)
    redo(log, position)
    log.forget_before(int((clock.now() - LONGEST_RECOVERY_SECONDS) * MICROS))
    exports = Exports(
        saved,
        log,
        clock,
        seconds=options.export_seconds,
        restorable_lag_seconds=options.restorable_lag_seconds,
    )
    try:
        gateway = _gateway(exports, options, clock)
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
            backends.save(state_file, exports.by_arn, log.position())
    server.shutdown()
    backends.save(state_file, exports.by_arn, log.position())


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("aws", "Local DynamoDB, S3 and STS.")
    parser.add_argument("--export-seconds", type=float, default=1.0, help="how long an export takes")
    parser.add_argument(
        "--restorable-lag-seconds", type=float, default=0.0, help="latest restorable time behind now"
    )
    parser.add_argument("--template", type=Path, help="the CloudFormation template of each account's stack")
    return parser


def _gateway(exports: Exports, options: argparse.Namespace, clock: Clock) -> Gateway:
    """Return the application, with the roles of the accounts that have a stack.

    Raises:
        SystemExit: if a secret is missing, or the template cannot be carried out.
    """
    secret = required_variable(SECRET)
    accounts = {AWS_ACCOUNT: Account(AWS_ACCOUNT)}
    try:
        for number, parameters in _json_variable(STACKS).items():
            accounts[number] = load_account(options.template, number, parameters)
    except (PolicyError, StackError) as error:
        raise SystemExit(f"The template {options.template} cannot be carried out here: {error}") from error
    sessions = Sessions(secret)
    log = ActionLog(options.state_folder / "actions.jsonl")
    sts = Sts(accounts, _json_variable(KEYS), sessions)
    return Gateway(exports, Access(accounts, sessions, secret, log), sts, clock)


def _json_variable(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(os.environ.get(name) or "{}")
    return content


if __name__ == "__main__":
    main()
