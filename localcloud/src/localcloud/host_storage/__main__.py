"""Runs Azurite as the storage account of the Functions host: ``python -m localcloud.host_storage``."""

from localcloud.common.service import required_variable, service_parser
from localcloud.lake.azurite import run_azurite

KEY_VARIABLE = "LOCALCLOUD_HOST_STORAGE_KEY"


def main() -> None:
    """Run it until this process is asked to end; the environment brings ``LOCALCLOUD_HOST_STORAGE_KEY``."""
    parser = service_parser("host_storage", "The storage of the Functions host: Azurite.")
    for kind in ("queue", "table"):
        parser.add_argument(f"--{kind}-port", type=int, required=True, help=f"of its {kind}s")
    options = parser.parse_args()
    ports = {"queue": options.queue_port, "table": options.table_port}
    run_azurite(options, required_variable(KEY_VARIABLE), ports)


if __name__ == "__main__":
    main()
