"""Run the local Cosmos DB."""

import json
import os
from pathlib import Path

from localcloud.common.service import required_variable, serve, service_parser, start_logging
from localcloud.cosmos.data_plane.rights import Rights
from localcloud.cosmos.data_plane.server import Server
from localcloud.cosmos.data_plane.tokens import Tokens
from localcloud.entra.tokens import KEYS_VARIABLE

KEY_VARIABLE = "LOCALCLOUD_COSMOS_KEY"


def main() -> None:
    """Serve the account whose key is in the environment variable LOCALCLOUD_COSMOS_KEY.

    It takes tokens, too, if ``LOCALCLOUD_TOKEN_KEYS`` has the public keys of Entra ID.

    Raises:
        SystemExit: if there is no key.
    """
    parser = service_parser("cosmos", "Cosmos DB for NoSQL: the REST data plane over SQLite.")
    parser.add_argument(
        "--assignments", type=Path, help="a file with other rights to data than the deployment's"
    )
    options = parser.parse_args()
    start_logging()
    key = required_variable(KEY_VARIABLE)
    tokens = Tokens(json.loads(os.environ.get(KEYS_VARIABLE) or "{}"))
    options.state_folder.mkdir(parents=True, exist_ok=True)
    server = Server(options.state_folder / "cosmos.sqlite", key, tokens, Rights(options.assignments))
    serve(server.application(), options)


if __name__ == "__main__":
    main()
