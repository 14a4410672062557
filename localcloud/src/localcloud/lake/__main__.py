"""Runs Azurite as the lake of the local cloud: ``python -m localcloud.lake``."""

import argparse
import json
from pathlib import Path

from localcloud.common.service import required_variable, server_tls, service_parser, start_logging
from localcloud.entra.tokens import KEYS_VARIABLE
from localcloud.lake.access.conditions import ConditionError
from localcloud.lake.access.rights import Rights
from localcloud.lake.access.tokens import Tokens
from localcloud.lake.azurite import run_azurite
from localcloud.lake.gateway import Gateway, Listener, serve_beside

KEY_VARIABLE = "LOCALCLOUD_LAKE_KEY"
LOADED_FIRST = [Path(__file__).with_name("tell_writes.js")]
# Azurite takes a free one.
ANY_PORT = 0


def main() -> None:
    """Run the lake until this process is asked to end.

    The environment brings ``LOCALCLOUD_LAKE_KEY`` and, for a receiver of reports of written blobs,
    ``LOCALCLOUD_LAKE_LISTENER``, an address that takes lists of ``{"container", "blob", "etag"}``. With ``--roles`` it
    takes tokens as well, at ports of their own: the environment then brings ``LOCALCLOUD_TOKEN_KEYS`` (the public keys
    of Entra ID) and the certificate to show.
    """
    options = _parser().parse_args()
    start_logging()
    key = required_variable(KEY_VARIABLE)
    ports = {"queue": options.queue_port, "table": ANY_PORT} if options.queue_port else {}
    run_azurite(options, key, ports, *LOADED_FIRST, beside=lambda: _take_tokens(options, key))


def _parser() -> argparse.ArgumentParser:
    parser = service_parser("lake", "The local lake: Azurite, and what takes tokens before it.")
    parser.add_argument("--queue-port", type=int, help="of its queues; without one it has none")
    parser.add_argument(
        "--roles", type=Path, help="a file with the conditions of roles; without one no tokens"
    )
    parser.add_argument("--token-port", type=int, help="takes tokens for its blobs")
    parser.add_argument("--token-queue-port", type=int, help="takes tokens for its queues")
    return parser


def _take_tokens(options: argparse.Namespace, key: str) -> None:
    if options.roles is None:
        return
    tokens, rights = Tokens(json.loads(required_variable(KEYS_VARIABLE))), _rights(options.roles)
    listeners = [
        Listener("blob", options.token_port, options.port),
        Listener("queue", options.token_queue_port, options.queue_port),
    ]
    gateways = [(Gateway(tokens, rights, key, each), each) for each in listeners if each.port]
    serve_beside(gateways, server_tls())


def _rights(roles: Path) -> Rights:
    try:
        return Rights(roles)
    except ConditionError as error:
        raise SystemExit(f"The lake cannot hold its callers to {roles}: {error}") from error


if __name__ == "__main__":
    main()
