"""The local cloud's ports and secrets: made once, kept in the state folder, so that a restart meets the same ones."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from localcloud.common.names import AWS_ACCOUNT, LOOPBACK
from localcloud.common.ports import free_port, port_is_free
from localcloud.common.principals import OWNER, Principal
from localcloud.entra.tokens import issue_token, new_signing_key

SERVICES = ("entra", "aws", "lake", "cosmos", "management", "databricks", "functions_host")
# Services have one port each, Azurite one more for each further kind of storage.
PORTS = (
    *SERVICES,
    "host_storage",
    "lake_queue",
    "lake_tokens",
    "lake_queue_tokens",
    "host_storage_queue",
    "host_storage_table",
)
# These speak TLS, since SDKs send tokens by HTTPS only.
SECURE = frozenset({"entra", "cosmos", "management", "lake_tokens", "lake_queue_tokens"})
# Where Azure's own tool serves a function app, and so where `d2c` looks for one.
FUNCTIONS_PORT = 7071
IDENTITY_FILE = "identity.json"
MANAGEMENT_AUDIENCE = "https://management.azure.com"
MANAGEMENT_TOKEN_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Identity:
    """Ports by service, and the secrets of those that ask for one. The text form holds no secret."""

    ports: dict[str, int]
    lake_key: str = field(repr=False)
    host_storage_key: str = field(repr=False)
    cosmos_key: str = field(repr=False)
    databricks_token: str = field(repr=False)
    aws_secret_key: str = field(repr=False)
    token_signing_key: str = field(repr=False)
    credentials_key: str = field(repr=False)
    durable_key: str = field(repr=False)

    @property
    def aws_key_id(self) -> str:
        """The access key of the first account's owner."""
        return owner_key_id(AWS_ACCOUNT)

    @property
    def management_token(self) -> str:
        """A token for the management API, of the subscription's owner."""
        return management_token(self.token_signing_key, OWNER)

    def credential(self, principal: Principal) -> str:
        """Return a principal's secret: that of its client, and the header of its managed identity."""
        return hmac.new(
            self.credentials_key.encode(), principal.client_id.encode(), hashlib.sha256
        ).hexdigest()

    def url(self, service: str) -> str:
        """Return a service's address."""
        return f"{'https' if service in SECURE else 'http'}://{LOOPBACK}:{self.ports[service]}"


def management_token(signing_key: str, caller: Principal, **claims: Any) -> str:
    """Return a token for the management API.

    Args:
        signing_key: of the tokens' issuer.
        caller: whose token.
        claims: others than such a token has.
    """
    # A setting is read once, so this one lives longer than a managed identity's, which is asked for each day.
    end = int(time.time()) + MANAGEMENT_TOKEN_SECONDS
    return issue_token(signing_key, MANAGEMENT_AUDIENCE, caller, **{"exp": end, **claims})


def owner_key_id(account: str) -> str:
    """Return the id of the access key of an AWS account's owner; all owners have one secret."""
    return f"LOCAL{account}"


def load_identity(state_folder: Path, functions_port: int | None = None) -> Identity:
    """Return the identity of a state folder, made now if it has none.

    A port that somebody else listens on meanwhile is replaced, but one that the caller asks for is kept: its service
    then says that it is taken.

    Args:
        state_folder: is created if it is not there.
        functions_port: the function app's port; the one before, 7071 or a free one if None.
    """
    path = state_folder / IDENTITY_FILE
    known = _known_identity(path) or _new_identity()
    ports = {name: port if port_is_free(port) else free_port() for name, port in known.ports.items()}
    if functions_port is not None:
        ports["functions_host"] = functions_port
    identity = Identity(**{**asdict(known), "ports": ports})
    state_folder.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(identity), indent=1))
    return identity


def _new_identity() -> Identity:
    return Identity(
        ports={name: FUNCTIONS_PORT if name == "functions_host" else free_port() for name in PORTS},
        lake_key=base64.b64encode(secrets.token_bytes(64)).decode(),
        host_storage_key=base64.b64encode(secrets.token_bytes(64)).decode(),
        cosmos_key=base64.b64encode(secrets.token_bytes(64)).decode(),
        databricks_token=f"dapi{secrets.token_hex(16)}",
        aws_secret_key=secrets.token_urlsafe(30),
        token_signing_key=new_signing_key(),
        credentials_key=secrets.token_hex(16),
        durable_key=secrets.token_urlsafe(40),
    )


def _known_identity(path: Path) -> Identity | None:
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    names = [one.name for one in fields(Identity)]
    # A folder of an earlier version lacks what came later.
    fresh = asdict(_new_identity())
    ports = {name: kept["ports"].get(name, port) for name, port in fresh["ports"].items()}
    return Identity(**{**{name: kept.get(name) or fresh[name] for name in names}, "ports": ports})
