"""The settings of load runs, except those of their cluster."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from d2c.app.environment import SettingsGroup
from d2c.foreign_json import quoted

# For Databricks Runtime 17.3 LTS: Spark 4.0, Scala 2.13. Versions before 4.47.0 may hang for ever as several tasks load
# the SDK's classes at once: https://github.com/Azure/azure-sdk-for-java/pull/48689
CONNECTOR = "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:4.49.2"
COORDINATES = re.compile(r"com\.azure\.cosmos\.spark:azure-cosmos-spark_\d+-\d+_\d+-\d+:\d+\.\d+\.\d+")
# https://learn.microsoft.com/azure/databricks/volumes/paths
VOLUME = re.compile(r"/Volumes(/[\w-]{1,255}){3}")
QUARTER_SECONDS = 15 * 60
WEEK_SECONDS = 7 * 24 * 3600
# As `d2c.load_run.request` has them.
VerifyReadsWith = Literal["all-cores", "one-task-per-partition"]


def _coordinates(text: str) -> str:
    if not COORDINATES.fullmatch(text):
        raise ValueError(
            f"D2C_COSMOS_CONNECTOR is {quoted(text)}, not the Maven coordinates of the connector, such as {CONNECTOR}"
        )
    return text


def _volume(text: str) -> str:
    path = text.rstrip("/")
    if path and not VOLUME.fullmatch(path):
        raise ValueError(
            f"D2C_LAKE_VOLUME is {quoted(text)}, not the path of a volume, such as /Volumes/main/d2c/exports"
        )
    return path


class LoadRunSettings(SettingsGroup):
    """How load runs are submitted, and how they verify."""

    connector: Annotated[str, AfterValidator(_coordinates)] = Field(
        CONNECTOR, validation_alias="D2C_COSMOS_CONNECTOR"
    )
    timeout_seconds: int = Field(
        WEEK_SECONDS, validation_alias="D2C_LOAD_RUN_TIMEOUT_SECONDS", ge=0, le=8 * WEEK_SECONDS
    )
    viewers: str = Field("", validation_alias="D2C_LOAD_RUN_VIEWERS")
    # It leaves 4,000 RU/s behind for ever, a hundredth.
    most_ru_per_second: int = Field(
        400_000, validation_alias="D2C_MOST_LOAD_RU_PER_SECOND", ge=400, le=1_000_000, multiple_of=100
    )
    go_within_seconds: int = Field(
        QUARTER_SECONDS, validation_alias="D2C_CLUSTER_WAITS_SECONDS", ge=0, le=24 * 3600
    )
    indexing_waits_seconds: int = Field(
        4 * 3600, validation_alias="D2C_INDEXING_WAITS_SECONDS", ge=0, le=WEEK_SECONDS
    )
    # Azure Monitor shows a minute some minutes after it.
    metrics_lag_seconds: int = Field(180, validation_alias="D2C_METRICS_LAG_SECONDS", ge=0, le=3600)
    verify_reads_with: VerifyReadsWith = Field("all-cores", validation_alias="D2C_VERIFY_READS_WITH")
    lake_volume: Annotated[str, AfterValidator(_volume)] = Field("", validation_alias="D2C_LAKE_VOLUME")
    # Of a container that others may use.
    verify_ru_percent: int = Field(50, validation_alias="D2C_VERIFY_RU_PERCENT", ge=1, le=100)
