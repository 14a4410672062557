"""The app's settings, read once from the environment, with every fault named at once.

A blob trigger needs its connection as an app setting of the Functions runtime, so the lake's address follows that
runtime's convention: ``D2C_LAKE`` holds a connection string, or ``D2C_LAKE__blobServiceUri`` the account's address
for sign-in with Microsoft Entra ID.
"""

import base64
import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, PlainValidator, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from d2c.app.addresses import has_user, host_of, is_webhook_address, path_of
from d2c.app.allowed import AllowedSettings
from d2c.app.aws_settings import AwsSettings
from d2c.app.cluster_settings import read_cluster
from d2c.app.cluster_size import ru_per_second_of
from d2c.app.copy_settings import AUTOMATIC, CopySettings
from d2c.app.environment import EMPTY, EnvironmentSource, SettingsGroup, faults_of, fields_of, odd_texts
from d2c.app.load_run_settings import LoadRunSettings
from d2c.app.prices import DEFAULT_COPY_BYTES_PER_SECOND, Prices, read_prices
from d2c.errors import SettingsError
from d2c.shapes import LoadBounds

SparkCosmosAuth = Literal["ServicePrincipal", "ManagedIdentity", "MasterKey"]
SPARK_COSMOS_AUTH_TYPES = get_args(SparkCosmosAuth)
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
WEBHOOK_KEY_BYTES = (24, 64)
EXPORTS = "exports/"
IN_JSON = ("D2C_AWS_ROLES", "D2C_CLUSTER", "D2C_PRICES")
MOST_FAULTS = 50

Address = Annotated[str, AfterValidator(lambda text: text.rstrip("/"))]
KeyPrefix = Annotated[str, AfterValidator(lambda text: text.strip("/") or "d2c")]
Cluster = Annotated[Mapping[str, Any], PlainValidator(read_cluster)]


class Polling(SettingsGroup):
    """How often orchestrators poll: intervals in seconds that grow by a factor.

    DynamoDB takes five minutes for its smallest export, so the defaults suit Azure.
    """

    first_seconds: float = Field(10, validation_alias="D2C_POLL_FIRST_SECONDS", ge=0.05, le=3600)
    factor: float = Field(1.5, validation_alias="D2C_POLL_FACTOR", ge=1, le=3600)
    longest_seconds: float = Field(60, validation_alias="D2C_POLL_LONGEST_SECONDS", ge=0.05, le=3600)


class Settings(BaseSettings):
    """The app's settings; a process reads them once, and its clients are cached by them.

    Fields that may contain a secret are left out of the text form. A description is the meaning of a required
    setting, which the message about a missing one quotes.
    """

    model_config = SettingsConfigDict(frozen=True, validate_default=True)

    export_bucket: str = Field(
        validation_alias="D2C_EXPORT_BUCKET", description="the S3 bucket that DynamoDB exports to"
    )
    export_prefix: KeyPrefix = Field("d2c", validation_alias="D2C_EXPORT_PREFIX")
    lake_connection_string: str = Field("", validation_alias="D2C_LAKE", repr=False)
    lake_url: str = Field("", validation_alias="D2C_LAKE__blobServiceUri")
    lake_queue_url: str = Field("", validation_alias="D2C_LAKE__queueServiceUri")
    lake_file_system: str = Field(
        validation_alias="D2C_LAKE_FILE_SYSTEM",
        description="the lake's file system (container) for exports and reports",
    )
    subscription_id: str = Field(
        validation_alias="AZURE_SUBSCRIPTION_ID",
        description="the subscription of the data factory and the Cosmos DB account",
    )
    resource_group: str = Field(
        validation_alias="D2C_RESOURCE_GROUP",
        description="the resource group of the data factory and the Cosmos DB account",
    )
    data_factory: str = Field(
        validation_alias="D2C_DATA_FACTORY",
        description="the data factory that copies exports into the lake",
    )
    management_endpoint: Address = Field(
        "https://management.azure.com", validation_alias="D2C_MANAGEMENT_ENDPOINT"
    )
    cosmos_account: str = Field(
        validation_alias="D2C_COSMOS_ACCOUNT", description="the Cosmos DB account to load into"
    )
    cosmos_endpoint: str = Field(
        validation_alias="D2C_COSMOS_ENDPOINT",
        description="that account's endpoint, such as https://<account>.documents.azure.com:443/",
    )
    cosmos_key: str = Field("", validation_alias="D2C_COSMOS_KEY", repr=False)
    databricks_host: Address = Field(
        validation_alias="DATABRICKS_HOST", description="the Databricks workspace's address"
    )
    databricks_token: str = Field("", validation_alias="DATABRICKS_TOKEN", repr=False)
    databricks_resource_id: str = Field("", validation_alias="D2C_DATABRICKS_RESOURCE_ID")
    notebook_path: str = Field(
        validation_alias="D2C_NOTEBOOK_PATH", description="the notebook's path in the workspace"
    )
    wheel_path: str = Field(
        validation_alias="D2C_WHEEL_PATH",
        description="the folder in the workspace that d2c deploy puts the wheel into, or a wheel's path",
    )
    cluster: Cluster = Field(EMPTY, validation_alias="D2C_CLUSTER")
    spark_cosmos_auth: SparkCosmosAuth = Field("ServicePrincipal", validation_alias="D2C_SPARK_COSMOS_AUTH")
    secret_scope: str = Field("d2c", validation_alias="D2C_SECRET_SCOPE")
    load_runs: LoadRunSettings
    copies: CopySettings
    polling: Polling
    durable_links: Literal["status", "keys"] = Field("status", validation_alias="D2C_DURABLE_LINKS")
    webhook_url: str = Field("", validation_alias="D2C_WEBHOOK_URL", repr=False)
    webhook_secret: str = Field("", validation_alias="D2C_WEBHOOK_SECRET", repr=False)
    aws: AwsSettings
    allowed: AllowedSettings
    prices: Prices = Field(EMPTY, validation_alias="D2C_PRICES")

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read the settings from environment variables; a ``ValidationError`` has all faults."""
        super().__init__(environment=environment)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the one source: the environment that ``__init__`` got."""
        return (EnvironmentSource(settings_cls, init_settings()["environment"]),)

    def __hash__(self) -> int:
        """Return a hash of the outside systems' names; the settings as a whole hold JSON, which has none."""
        return hash((self.lake_account, self.data_factory, self.cosmos_endpoint, self.databricks_host))

    @property
    def lake_account(self) -> str:
        """The storage account's name, from its connection string or its address; an emulator has it in the path."""
        for part in self.lake_connection_string.split(";"):
            if part.startswith("AccountName="):
                return part.removeprefix("AccountName=")
        return path_of(self.lake_url) or (host_of(self.lake_url) or "").split(".")[0]

    def lake_path(self, path: str) -> str:
        """Return the address under which Spark knows a path of the lake's file system."""
        return f"abfss://{self.lake_file_system}@{self.lake_account}.dfs.core.windows.net/{path}"

    @property
    def exports_path(self) -> str:
        """The address of the lake's folder that the volume shows to clusters."""
        return self.lake_path(EXPORTS)

    def volume_path(self, path: str) -> str | None:
        """Return where a cluster's Python finds a folder of an export; None if there is no volume."""
        volume = self.load_runs.lake_volume
        return f"{volume}/{path.removeprefix(EXPORTS)}" if volume else None

    @property
    def load_bounds(self) -> LoadBounds:
        """The most RU/s that the app gives a container by itself."""
        assumed_cores = self.prices.assumed("cores_per_node")
        return LoadBounds(self.load_runs.most_ru_per_second, ru_per_second_of(self.cluster, assumed_cores))

    # Each validator below sees the fields declared before its own, as far as they are valid.

    @field_validator("lake_url")
    @classmethod
    def _lake_has_an_address(cls, url: str, info: ValidationInfo) -> str:
        if not url and not info.data["lake_connection_string"]:
            raise ValueError(
                "D2C_LAKE__blobServiceUri is missing: the lake's address (or D2C_LAKE, a connection string)"
            )
        return url

    @field_validator(
        "lake_url",
        "lake_queue_url",
        "management_endpoint",
        "cosmos_endpoint",
        "databricks_host",
        "webhook_url",
    )
    @classmethod
    def _address_has_no_password(cls, url: str, info: ValidationInfo) -> str:
        if has_user(url):
            name = cls.model_fields[str(info.field_name)].validation_alias
            raise ValueError(f"{name} has a user or a password in its address; leave it out")
        return url

    @field_validator("webhook_url")
    @classmethod
    def _webhook_url_is_https(cls, url: str) -> str:
        if url and not is_webhook_address(url):
            raise ValueError(
                "D2C_WEBHOOK_URL is not an https address with a host that DNS knows, such as "
                "https://hooks.example.com/d2c (http is for this machine only)"
            )
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret_is_long_enough(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("webhook_url") == "":
            return ""
        if not _is_webhook_secret(secret):
            raise ValueError(
                "D2C_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes, which sign notifications"
            )
        return secret

    @field_validator("prices", mode="plain")
    @classmethod
    def _prices_of_text(cls, text: str, info: ValidationInfo) -> Prices:
        aws: AwsSettings | None = info.data.get("aws")
        copies: CopySettings | None = info.data.get("copies")
        return read_prices(
            text,
            aws.copy_bytes_per_second if aws else DEFAULT_COPY_BYTES_PER_SECOND,
            copies.integration_units if copies else AUTOMATIC,
        )


REQUIRED = {name: str(field.description) for name, field in fields_of(Settings) if field.is_required()}


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
        SettingsError: with every missing or invalid setting by name.
    """
    faults = list(odd_texts(environment, dict(fields_of(Settings)), IN_JSON))
    try:
        if not faults:
            return Settings(environment)
    except ValidationError as error:
        faults = faults_of(Settings, error.errors())
    # Outside the block, since the error of pydantic quotes values.
    more = [f"and {len(faults) - MOST_FAULTS} more faults"] if len(faults) > MOST_FAULTS else []
    raise SettingsError(
        "; ".join([*faults[:MOST_FAULTS], *more]),
        "Set them in the app settings; local.settings.json.example shows all.",
    )


def _is_webhook_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return secret.startswith("whsec_") and WEBHOOK_KEY_BYTES[0] <= len(key) <= WEBHOOK_KEY_BYTES[1]
