"""Run the local Cosmos DB."""

from localcloud.common.service import required_variable, serve, service_parser, start_logging
from localcloud.cosmos.data_plane.server import Server

KEY_VARIABLE = "LOCALCLOUD_COSMOS_KEY"


def main() -> None:
    """Serve the account whose key is in the environment variable LOCALCLOUD_COSMOS_KEY.

    Raises:
        SystemExit: if there is no key.
    """
    options = service_parser("cosmos", "Cosmos DB for NoSQL: the REST data plane over SQLite.").parse_args()
    start_logging()
    key = required_variable(KEY_VARIABLE)
    options.state_folder.mkdir(parents=True, exist_ok=True)
    serve(Server(options.state_folder / "cosmos.sqlite", key).application(), options)


if __name__ == "__main__":
    main()
