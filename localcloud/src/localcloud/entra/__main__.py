"""Run the local Microsoft Entra ID."""

import json
import os

from localcloud.common.service import required_variable, serve, service_parser, start_logging
from localcloud.entra.server import Entra

SIGNING_KEY = "LOCALCLOUD_TOKEN_SIGNING_KEY"
CREDENTIALS = "LOCALCLOUD_CREDENTIALS"
RESOURCES = "LOCALCLOUD_RESOURCES"


def main() -> None:
    """Serve the tenant until the process is asked to end.

    The environment brings ``LOCALCLOUD_TOKEN_SIGNING_KEY`` and ``LOCALCLOUD_CREDENTIALS``, a JSON object of the secrets
    of all principals by client id, and perhaps ``LOCALCLOUD_RESOURCES``, a JSON array of the addresses of further
    services.

    Raises:
        SystemExit: if a variable is missing.
    """
    options = service_parser(
        "entra", "Microsoft Entra ID: tokens for the local cloud's identities."
    ).parse_args()
    start_logging()
    credentials = json.loads(required_variable(CREDENTIALS))
    resources = json.loads(os.environ.get(RESOURCES) or "[]")
    serve(Entra(required_variable(SIGNING_KEY), credentials, resources).application(), options)


if __name__ == "__main__":
    main()
