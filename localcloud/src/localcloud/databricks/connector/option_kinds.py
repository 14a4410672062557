"""The connector's options by what becomes of them here, and how their values are checked.

Names and values: CosmosConfig.scala of azure-cosmos-spark and
https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_3/docs/configuration-reference.md
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from localcloud.databricks.connector.errors import OptionError

PREFIX = "spark.cosmos."

# Reads an option's text, or raises ValueError with what it must be.
Reader = Callable[[str], Any]

EXECUTED_STRATEGIES = (
    "ItemOverwrite",
    "ItemAppend",
    "ItemDelete",
    "ItemOverwriteIfNotModified",
    "ItemDeleteIfNotModified",
)
REFUSED_STRATEGIES = ("ItemPatch", "ItemPatchIfExists", "ItemBulkUpdate")
CONSISTENCY_STRATEGIES = ("Default", "Eventual", "Session", "LatestCommitted", "GlobalStrong")
# Any other asks one replica. Session does so too, since a reader has no session token of the writers:
# https://github.com/Azure/azure-sdk-for-java/issues/33420
FRESH_STRATEGIES = ("LatestCommitted", "GlobalStrong")
PENDING_OPERATIONS = 10_688
"""Of one task, by default (BulkWriter.scala)."""
AUTH_TYPES = ("MasterKey", "ServicePrincipal", "ManagedIdentity", "AccessToken")


def text(value: str) -> str:
    """Read a text that is not empty."""
    if not value.strip():
        raise ValueError("a text")
    return value


def address(value: str) -> str:
    """Read an http or https address."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address that starts with https:// or http://")
    return value


def boolean(value: str) -> bool:
    """Read true or false."""
    if value.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return value.lower() == "true"


def whole(least: int, most: int) -> Reader:
    """Return a reader of whole numbers within limits."""

    def read(value: str) -> int:
        if not re.fullmatch(r"\d{1,18}", value) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return read


def fraction(value: str) -> float:
    """Read a number from 0 to 1."""
    if not re.fullmatch(r"0?\.\d+|0|1|1\.0+|0\.\d+", value):
        raise ValueError("a number from 0 to 1")
    return float(value)


def one_of(*choices: str) -> Reader:
    """Return a reader of one of several words, in any case, that returns it as the connector spells it."""
    spelled = {choice.lower(): choice for choice in choices}

    def read(value: str) -> str:
        if value.lower() not in spelled:
            raise ValueError(f"one of {', '.join(choices)}")
        return spelled[value.lower()]

    return read


_MANY = 10**9

# What this data source carries out.
EXECUTED: dict[str, Reader] = {
    "accountEndpoint": address,
    "accountKey": text,
    "database": text,
    "container": text,
    "account.tenantId": text,
    "auth.aad.clientId": text,
    "auth.aad.clientSecret": text,
    "auth.type": one_of(*AUTH_TYPES),
    "write.strategy": one_of(*EXECUTED_STRATEGIES, *REFUSED_STRATEGIES),
    "write.maxRetryCount": whole(0, _MANY),
    "write.point.maxConcurrency": whole(1, _MANY),
    "write.bulk.enabled": boolean,
    "write.bulk.maxPendingOperations": whole(1, _MANY),
    "write.bulk.maxBatchSize": whole(1, 100),
    "write.bulk.targetedPayloadSizeInBytes": whole(1, 2 * 2**20),
    "read.consistencyStrategy": one_of(*CONSISTENCY_STRATEGIES),
    "read.customQuery": text,
    "read.inferSchema.enabled": boolean,
    "read.maxItemCount": whole(1, _MANY),
    "read.partitioning.strategy": one_of("Default", "Custom", "Restrictive", "Aggressive"),
    "partitioning.targetedCount": whole(1, _MANY),
    "throughputControl.enabled": boolean,
    "throughputControl.globalControl.useDedicatedContainer": boolean,
    "throughputControl.name": text,
    "throughputControl.targetThroughput": whole(1, _MANY),
}

# What tunes a part of the connector that a gateway on this machine has no use for.
WITHOUT_EFFECT: dict[str, Reader] = {
    "account.azureEnvironment": text,
    "account.azureEnvironment.aad": text,
    "account.azureEnvironment.management": text,
    "account.azureEnvironment.management.scope": text,
    "account.resourceGroupName": text,
    "account.subscriptionId": text,
    "applicationName": text,
    "auth.aad.audience": text,
    "auth.aad.clientCertPemBase64": text,
    "auth.aad.clientCertSendChain": boolean,
    "auth.aad.resourceId": text,
    "accountDataResolverServiceName": text,
    "clientTelemetry.enabled": boolean,
    "clientTelemetry.endpoint": text,
    "diagnostics": text,
    "diagnostics.sampling.intervalInSeconds": whole(1, _MANY),
    "diagnostics.sampling.maxCount": whole(1, _MANY),
    "diagnostics.thresholds.latency.nonPointOperationInMs": whole(0, _MANY),
    "diagnostics.thresholds.latency.pointOperationInMs": whole(0, _MANY),
    "diagnostics.thresholds.requestCharge": whole(0, 2**31 - 1),
    "disableTcpConnectionEndpointRediscovery": boolean,
    "enforceNativeTransport": boolean,
    "http.connectionPoolSize": whole(1, _MANY),
    "metadata.feedRange.refreshIntervalInSeconds": whole(1, _MANY),
    "metrics.intervalInSeconds": whole(1, _MANY),
    "metrics.slf4j.enabled": boolean,
    "preferredRegions": text,
    "preferredRegionsList": text,
    "proactiveConnectionInitialization": text,
    "proactiveConnectionInitializationDurationInSeconds": whole(1, _MANY),
    "read.forceEventualConsistency": boolean,
    "read.prefetchBufferSize": whole(1, _MANY),
    "read.responseContinuationTokenLimitInKb": whole(1, _MANY),
    "throughputControl.accountEndpoint": address,
    "throughputControl.accountKey": text,
    "throughputControl.disableTcpConnectionEndpointRediscovery": boolean,
    "throughputControl.globalControl.container": text,
    "throughputControl.globalControl.database": text,
    "throughputControl.globalControl.expireIntervalInMS": whole(1, _MANY),
    "throughputControl.globalControl.renewIntervalInMS": whole(1, _MANY),
    "throughputControl.preferredRegionsList": text,
    "throughputControl.priorityLevel": one_of("High", "Low"),
    "throughputControl.targetThroughputThreshold": fraction,
    "throughputControl.throughputBucket": whole(1, 5),
    "throughputControl.useGatewayMode": boolean,
    "useGatewayMode": boolean,
    "userAgent.format": text,
    "write.bulk.initialBatchSize": whole(1, 100),
    "write.bulk.maxConcurrentCosmosPartitions": whole(1, _MANY),
    "write.bulk.minTargetBatchSize": whole(1, 100),
    "write.bulk.transactional.maxBatchesConcurrency": whole(1, _MANY),
    "write.bulk.transactional.maxOperationsConcurrency": whole(1, _MANY),
    "write.flush.intervalInSeconds": whole(1, _MANY),
    "write.flush.noProgress.maxIntervalInSeconds": whole(1, _MANY),
    "write.flush.noProgress.maxRetryIntervalInSeconds": whole(1, _MANY),
}

# The only value with which an option means what is done here anyway.
FIXED: dict[str, str] = {
    "read.allowInvalidJsonWithDuplicateJsonProperties": "false",
    "read.readManyFiltering.enabled": "false",
    "read.runtimeFiltering.enabled": "true",
    "read.schemaConversionMode": "Relaxed",
    "serialization.inclusionMode": "Always",
    "write.bulk.transactional": "false",
}

# Known to the connector, and not supported here with any value.
REFUSED = (
    "account.clientBuilderInterceptors",
    "account.clientInterceptors",
    "partitioning.feedRangeFilter",
    "read.inferSchema.forceNullableProperties",
    "read.inferSchema.includeSystemProperties",
    "read.inferSchema.includeTimestamp",
    "read.inferSchema.query",
    "read.inferSchema.samplingSize",
    "read.maxIntegratedCacheStalenessInMS",
    "serialization.dateTimeConversionMode",
    "views.repositoryPath",
    "write.bulkUpdate.columnConfigs",
    "write.onRetryCommitInterceptor",
    "write.patch.columnConfigs",
    "write.patch.defaultOperationType",
    "write.patch.filter",
)


def read_value(name: str, reader: Reader, value: str) -> Any:
    """Return an option's value; the error does not repeat what was given, which may be a secret.

    Raises:
        OptionError: if it is none.
    """
    try:
        return reader(value)
    except ValueError as error:
        raise OptionError(f"The option {PREFIX}{name} must be {error}.") from error
