"""All services of the local cloud, started together, watched, and ended together."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from localcloud.cloud.app_settings import lake_connection, service_environment
from localcloud.cloud.deployment import deploy
from localcloud.cloud.identity import SECURE, SERVICES, Identity, load_identity, owner_key_id
from localcloud.cloud.processes import ServiceFailedError, ServiceProcess, start_service, stop_service
from localcloud.common import names
from localcloud.common.certificates import Certificates, make_certificates
from localcloud.common.checkout import CHECKOUT
from localcloud.functions_host.extension import extension_program

AWS_TEMPLATE = CHECKOUT / "infra" / "aws" / "d2c-aws.yaml"
ROLES = CHECKOUT / "infra" / "roles.json"
# The names by which users ask for services, and the service behind each.
ENDPOINTS = {
    "functions": "functions_host",
    "dynamodb": "aws",
    "s3": "aws",
    "sts": "aws",
    "lake": "lake",
    "management": "management",
    "cosmos": "cosmos",
    "databricks": "databricks",
}
# What else must run for a service to do its work.
NEEDS: dict[str, tuple[str, ...]] = {
    "management": ("entra", "aws", "lake", "cosmos"),
    "databricks": ("entra", "lake", "cosmos"),
    # With Microsoft's own extension its storage comes first.
    "functions_host": (
        *(("host_storage",) if extension_program() else ()),
        "entra",
        "aws",
        "lake",
        "cosmos",
        "management",
        "databricks",
    ),
}
STARTED = ("host_storage", *SERVICES)


@dataclass(frozen=True)
class Cloud:
    """A running local cloud: where it is, its processes by service, and further arguments for some of them."""

    state_folder: Path
    identity: Identity
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    processes: dict[str, ServiceProcess] = field(default_factory=dict)

    @property
    def certificates(self) -> Certificates:
        """What its services show, and what they and their users trust."""
        return Certificates(self.state_folder / "certificates")

    def start(self, service: str) -> None:
        """Start a service, for the first time or after it has ended.

        Raises:
            ServiceFailedError: if it does not come up.
        """
        self.processes[service] = start_service(
            service,
            self.state_folder / service,
            port=self.identity.ports[service],
            arguments=[*_arguments(service, self), *self.arguments.get(service, ())],
            environment={
                **service_environment(service, self.identity),
                **self.certificates.trust_environment(),
                **(self.certificates.server_environment() if service in (*SECURE, "lake") else {}),
            },
        )

    def ended_service(self) -> str | None:
        """Return the name of a service that has ended by itself, or None."""
        ended = (name for name, service in self.processes.items() if service.process.poll() is not None)
        return next(ended, None)


def files_folder(state_folder: Path) -> Path:
    """Return the folder that holds the Databricks workspace's files."""
    return state_folder / "databricks" / "files"


@contextmanager
def running_cloud(
    state_folder: Path,
    services: Sequence[str] = SERVICES,
    *,
    functions_port: int | None = None,
    arguments: Mapping[str, Sequence[str]] | None = None,
    on_ready: Callable[[str, float], None] = lambda service, seconds: None,
) -> Iterator[Cloud]:
    """Run services of the local cloud, and what they need, for as long as the context lasts.

    Args:
        state_folder: keeps all their state.
        services: which ones.
        functions_port: the function app's port; chosen if None.
        arguments: further command line arguments by service.
        on_ready: told each service that is ready, and how many seconds it took.

    Raises:
        ServiceFailedError: if one does not come up; those that did are stopped again.
    """
    state_folder = state_folder.resolve()
    identity = load_identity(state_folder, functions_port)
    wanted = [name for name in STARTED if name in _with_needs(services)]
    cloud = Cloud(state_folder, identity, arguments or {})
    make_certificates(cloud.certificates.folder)
    try:
        _start_all(cloud, wanted, on_ready)
        _provision(cloud)
        yield cloud
    finally:
        for name in reversed(cloud.processes):
            stop_service(cloud.processes[name])


def _with_needs(services: Sequence[str]) -> set[str]:
    return {*services, *(needed for service in services for needed in NEEDS.get(service, ()))}


def _start_all(cloud: Cloud, services: Sequence[str], on_ready: Callable[[str, float], None]) -> None:
    """Start services side by side: their addresses are known before they answer.

    All are waited for before a failure is raised, so that whoever ends the others knows them.
    """
    began = time.monotonic()

    def start(service: str) -> ServiceFailedError | None:
        try:
            cloud.start(service)
        except ServiceFailedError as error:
            return error
        on_ready(service, time.monotonic() - began)
        return None

    with ThreadPoolExecutor(len(services)) as threads:
        failures = [error for error in threads.map(start, services) if error]
    if failures:
        raise failures[0]


def _arguments(service: str, cloud: Cloud) -> list[str]:
    ports = cloud.identity.ports
    given: dict[str, list[str]] = {
        "aws": ["--template", str(AWS_TEMPLATE)],
        "management": ["--cosmos-url", cloud.identity.url("cosmos"), "--roles", str(ROLES)],
        "lake": [
            *("--queue-port", str(ports["lake_queue"])),
            *("--token-port", str(ports["lake_tokens"])),
            *("--token-queue-port", str(ports["lake_queue_tokens"])),
            *("--roles", str(ROLES)),
        ],
        "host_storage": [
            *("--queue-port", str(ports["host_storage_queue"])),
            *("--table-port", str(ports["host_storage_table"])),
        ],
        "databricks": ["--files", str(files_folder(cloud.state_folder)), "--keep-cluster"],
        # The lake tells of writes, so listing is for those of which it could not tell while the host was away.
        "functions_host": ["--app", str(CHECKOUT), "--list-seconds", "10"],
    }
    return given.get(service, [])


def _provision(cloud: Cloud) -> None:
    """Create the bucket for exports and the lake's file system, and publish what `d2c deploy` publishes."""
    deploy(cloud.identity, cloud.certificates, frozenset(cloud.processes))
    if "aws" in cloud.processes:
        s3 = aws_client(cloud.identity, "s3")
        if names.EXPORT_BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            place = {"LocationConstraint": names.AWS_REGION}
            s3.create_bucket(Bucket=names.EXPORT_BUCKET, CreateBucketConfiguration=place)
    if "lake" in cloud.processes:
        account = BlobServiceClient.from_connection_string(lake_connection(cloud.identity))
        try:
            account.create_container(names.LAKE_FILE_SYSTEM)
        except ResourceExistsError:
            return


def aws_client(identity: Identity, service: str, account: str = names.AWS_ACCOUNT) -> Any:
    """Return a boto3 client of local AWS, with the key of an account's owner."""
    return boto3.client(
        service,
        endpoint_url=identity.url("aws"),
        region_name=names.AWS_REGION,
        aws_access_key_id=owner_key_id(account),
        aws_secret_access_key=identity.aws_secret_key,
    )


def endpoints(cloud: Cloud, asked: Sequence[str] = tuple(ENDPOINTS)) -> dict[str, Any]:
    """Return what a program must know to use the local cloud, as ``d2c local up --json`` prints it.

    Args:
        cloud: a running one.
        asked: names of `ENDPOINTS`.
    """
    identity = cloud.identity
    url = {name: identity.url(service) for name, service in ENDPOINTS.items()}
    of_aws = {"aws_region": names.AWS_REGION, "aws_account": names.AWS_ACCOUNT}
    parts: dict[str, dict[str, Any]] = {
        "functions": {"functions": url["functions"]},
        **{name: {name: url[name], **of_aws} for name in ("dynamodb", "s3", "sts")},
        "lake": {
            "lake": {
                "blob_endpoint": _blob_endpoint(identity),
                "connection_string": lake_connection(identity),
            }
        },
        "management": {
            "management": url["management"],
            "subscription_id": names.SUBSCRIPTION_ID,
            "resource_group": names.RESOURCE_GROUP,
            "data_factory": names.DATA_FACTORY,
            "cosmos_account": names.COSMOS_ACCOUNT,
        },
        "cosmos": {
            "cosmos": {
                "endpoint": url["cosmos"],
                "key": identity.cosmos_key,
                "certificate_authority": str(cloud.certificates.authority),
            }
        },
        "databricks": {"databricks": {"host": url["databricks"], "token": identity.databricks_token}},
    }
    found: dict[str, Any] = {}
    for name in asked:
        found |= parts[name]
    return found


def _blob_endpoint(identity: Identity) -> str:
    part = next(part for part in lake_connection(identity).split(";") if part.startswith("BlobEndpoint="))
    return part.removeprefix("BlobEndpoint=")
