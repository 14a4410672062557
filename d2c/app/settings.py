"""The app's settings, read once from the environment, with every fault named at once.

A blob trigger needs its connection as an app setting of the Functions runtime, so the lake's address follows that
runtime's convention: ``D2C_LAKE`` holds a connection string, or ``D2C_LAKE__blobServiceUri`` the account's address
for sign-in with Microsoft Entra ID.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from d2c.app.aws_settings import AwsSettings, read_aws_settings
from d2c.app.cluster_settings import read_cluster
from d2c.app.prices import Prices, read_prices
from d2c.errors import SettingsError

SPARK_COSMOS_AUTH_TYPES = ("ServicePrincipal", "ManagedIdentity", "MasterKey")
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
WEBHOOK_KEY_BYTES = (24, 64)
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Polling:
    """How often orchestrators look at what they wait for: intervals in seconds that grow by a factor."""

    first_seconds: float
    factor: float
    longest_seconds: float


@dataclass(frozen=True)
class Settings:
    """What the app knows about its surroundings; a process has one, and keeps its clients by it.

    Fields that may hold a secret are left out of its text form.
    """

    export_bucket: str
    export_prefix: str
    lake_connection_string: str = field(repr=False)
    lake_url: str
    lake_file_system: str
    subscription_id: str
    resource_group: str
    data_factory: str
    management_endpoint: str
    management_token: str = field(repr=False)
    cosmos_account: str
    cosmos_endpoint: str
    cosmos_key: str = field(repr=False)
    databricks_host: str
    databricks_token: str = field(repr=False)
    databricks_resource_id: str
    notebook_path: str
    wheel_path: str
    cluster: Mapping[str, Any] = field(hash=False)
    spark_cosmos_auth: str
    secret_scope: str
    polling: Polling
    webhook_url: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    aws: AwsSettings
    prices: Prices = field(hash=False)

    @property
    def lake_account(self) -> str:
        """The storage account's name, from its connection string or its address."""
        for part in self.lake_connection_string.split(";"):
            if part.startswith("AccountName="):
                return part.removeprefix("AccountName=")
        return (urlsplit(self.lake_url).hostname or "").split(".")[0]

    def lake_path(self, path: str) -> str:
        """Return the address under which Spark knows a path of the lake's file system."""
        return f"abfss://{self.lake_file_system}@{self.lake_account}.dfs.core.windows.net/{path}"


REQUIRED = {
    "D2C_EXPORT_BUCKET": "the S3 bucket that DynamoDB exports to",
    "D2C_LAKE_FILE_SYSTEM": "the lake's file system (container) for exports and reports",
    "AZURE_SUBSCRIPTION_ID": "the subscription of the data factory and the Cosmos DB account",
    "D2C_RESOURCE_GROUP": "the resource group of the data factory and the Cosmos DB account",
    "D2C_DATA_FACTORY": "the data factory that copies exports into the lake",
    "D2C_COSMOS_ACCOUNT": "the Cosmos DB account to load into",
    "D2C_COSMOS_ENDPOINT": "that account's endpoint, such as https://<account>.documents.azure.com:443/",
    "DATABRICKS_HOST": "the Databricks workspace's address",
    "D2C_NOTEBOOK_PATH": "the notebook's path in the workspace",
    "D2C_WHEEL_PATH": "the folder in the workspace that d2c deploy puts the wheel into, or a wheel's path",
}


@cache
def app_settings() -> Settings:
    """Return this process's settings, read from its environment on first use.

    Raises:
        SettingsError: with every fault.
    """
    return read_settings(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read settings from a mapping of environment variables.

    Args:
        environment: names to texts, such as ``os.environ``; an empty text counts as missing.

    Raises:
        SettingsError: with every missing or impossible setting by name.
    """
    faults = [
        f"{name} is missing: {meaning}" for name, meaning in REQUIRED.items() if not environment.get(name)
    ]
    if not (environment.get("D2C_LAKE") or environment.get("D2C_LAKE__blobServiceUri")):
        faults.append(
            "D2C_LAKE__blobServiceUri is missing: the lake's address (or D2C_LAKE, a connection string)"
        )
    cluster = read_cluster(environment.get("D2C_CLUSTER", ""), faults)
    polling = _polling(environment, faults)
    auth = environment.get("D2C_SPARK_COSMOS_AUTH", "ServicePrincipal")
    if auth not in SPARK_COSMOS_AUTH_TYPES:
        faults.append(f"D2C_SPARK_COSMOS_AUTH is {auth!r}, not one of {', '.join(SPARK_COSMOS_AUTH_TYPES)}")
    management_endpoint = environment.get("D2C_MANAGEMENT_ENDPOINT", "https://management.azure.com")
    _check_local_token(environment.get("D2C_MANAGEMENT_TOKEN", ""), management_endpoint, faults)
    webhook_url, webhook_secret = _webhook(environment, faults)
    aws = read_aws_settings(environment, faults)
    prices = read_prices(environment.get("D2C_PRICES", ""), aws.copy_bytes_per_second, faults)
    if faults:
        raise SettingsError(
            "; ".join(faults), "Set them in the app settings; local.settings.json.example shows all."
        )
    return Settings(
        export_bucket=environment["D2C_EXPORT_BUCKET"],
        export_prefix=environment.get("D2C_EXPORT_PREFIX", "d2c").strip("/") or "d2c",
        lake_connection_string=environment.get("D2C_LAKE", ""),
        lake_url=environment.get("D2C_LAKE__blobServiceUri", ""),
        lake_file_system=environment["D2C_LAKE_FILE_SYSTEM"],
        subscription_id=environment["AZURE_SUBSCRIPTION_ID"],
        resource_group=environment["D2C_RESOURCE_GROUP"],
        data_factory=environment["D2C_DATA_FACTORY"],
        management_endpoint=management_endpoint.rstrip("/"),
        management_token=environment.get("D2C_MANAGEMENT_TOKEN", ""),
        cosmos_account=environment["D2C_COSMOS_ACCOUNT"],
        cosmos_endpoint=environment["D2C_COSMOS_ENDPOINT"],
        cosmos_key=environment.get("D2C_COSMOS_KEY", ""),
        databricks_host=environment["DATABRICKS_HOST"].rstrip("/"),
        databricks_token=environment.get("DATABRICKS_TOKEN", ""),
        databricks_resource_id=environment.get("D2C_DATABRICKS_RESOURCE_ID", ""),
        notebook_path=environment["D2C_NOTEBOOK_PATH"],
        wheel_path=environment["D2C_WHEEL_PATH"],
        cluster=cluster,
        spark_cosmos_auth=auth,
        secret_scope=environment.get("D2C_SECRET_SCOPE", "d2c"),
        polling=polling,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        aws=aws,
        prices=prices,
    )


def _polling(environment: Mapping[str, str], faults: list[str]) -> Polling:
    """Read the intervals; DynamoDB takes five minutes for its smallest export, so seconds suffice on Azure."""

    def number(name: str, default: float, least: float) -> float:
        text = environment.get(name) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= 3600:
            faults.append(f"{name} is {text!r}, not a number from {least:g} to 3600")
        return value

    return Polling(
        first_seconds=number("D2C_POLL_FIRST_SECONDS", 10, 0.05),
        factor=number("D2C_POLL_FACTOR", 1.5, 1),
        longest_seconds=number("D2C_POLL_LONGEST_SECONDS", 60, 0.05),
    )


def _check_local_token(token: str, endpoint: str, faults: list[str]) -> None:
    """Refuse a fixed token for anything but this machine: Azure is signed in to with Entra ID only."""
    if token and urlsplit(endpoint).hostname not in LOOPBACK_HOSTS:
        faults.append(
            "D2C_MANAGEMENT_TOKEN is set, but D2C_MANAGEMENT_ENDPOINT is not on this machine: "
            "a fixed token is for the local cloud only"
        )


def _webhook(environment: Mapping[str, str], faults: list[str]) -> tuple[str, str]:
    """Read where notifications go and what they are signed with; addresses of webhooks often hold a secret."""
    url, secret = environment.get("D2C_WEBHOOK_URL", ""), environment.get("D2C_WEBHOOK_SECRET", "")
    if not url:
        return "", ""
    if not _is_webhook_address(url):
        faults.append("D2C_WEBHOOK_URL is not an https address (http is for this machine only)")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or not WEBHOOK_KEY_BYTES[0] <= len(key) <= WEBHOOK_KEY_BYTES[1]:
        faults.append(
            "D2C_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes, which notifications are signed with"
        )
    return url, secret


def _is_webhook_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS))
