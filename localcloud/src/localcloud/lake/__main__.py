"""Runs Azurite as the lake of the local cloud: ``python -m localcloud.lake``."""

from pathlib import Path

from localcloud.common.service import required_variable, service_parser
from localcloud.lake.azurite import run_azurite

KEY_VARIABLE = "LOCALCLOUD_LAKE_KEY"
LOADED_FIRST = [
    Path(__file__).with_name(name) for name in ("tell_writes.js", "refuse_account_information.js")
]
# Azurite takes a free one.
ANY_PORT = 0


def main() -> None:
    """Run the lake until this process is asked to end.

    The environment brings ``LOCALCLOUD_LAKE_KEY`` and, for a receiver of reports of written blobs,
    ``LOCALCLOUD_LAKE_LISTENER``, an address that takes lists of ``{"container", "blob", "etag"}``.
    """
    parser = service_parser("lake", "The local lake: Azurite.")
    parser.add_argument("--queue-port", type=int, help="of its queues; without one it has none")
    options = parser.parse_args()
    ports = {"queue": options.queue_port, "table": ANY_PORT} if options.queue_port else {}
    run_azurite(options, required_variable(KEY_VARIABLE), ports, *LOADED_FIRST)


if __name__ == "__main__":
    main()
