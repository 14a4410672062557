"""The options and queries of the Cosmos DB Spark connector for a load run.

https://github.com/Azure/azure-sdk-for-java/blob/main/sdk/cosmos/azure-cosmos-spark_3/docs/configuration-reference.md
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.load_run.request import WITH_ALL_CORES, LoadRequest

# Names of secrets in the secret scope of the settings.
ACCOUNT_KEY = "cosmos-account-key"
TENANT_ID = "tenant-id"
CLIENT_ID = "cosmos-client-id"
CLIENT_SECRET = "cosmos-client-secret"  # noqa: S105 - a name, not a secret
# Of one task. As parsed objects they take up to three times as much, in each of a node's four tasks.
PENDING_BYTES = 256 * 2**20
LEAST_PENDING, MOST_PENDING = 100, 10_688
# Of one task, between the worker that makes documents and the connector: batches, and the system's buffers.
HANDED_OVER_BYTES = 4 * 2**20
PARTS_PER_CORE = 2
COUNT_SCHEMA = "Count bigint"


def cosmos_options(request: LoadRequest, read_secret: Callable[[str], str]) -> dict[str, str]:
    """Return the common options of reading and writing: container and authentication.

    Args:
        request: its ``cosmos_auth`` is ``ServicePrincipal``, ``ManagedIdentity`` or ``MasterKey``.
        read_secret: returns a secret of the request's scope by name.
    """
    return {
        "spark.cosmos.accountEndpoint": request.cosmos_endpoint,
        "spark.cosmos.database": request.database,
        "spark.cosmos.container": request.container,
        **_SIGN_IN[request.cosmos_auth](read_secret),
    }


def secrets_of(auth: str) -> list[str]:
    """Return the names of the secrets that an authentication type reads, in their order."""
    names: list[str] = []

    def note(name: str) -> str:
        names.append(name)
        return name

    _SIGN_IN[auth](note)
    return names


def write_options(documents: int, document_bytes: int) -> dict[str, str]:
    """Return the options of the load: upserts, which makes a second run idempotent, and few enough of them pending.

    Args:
        documents: how many are written.
        document_bytes: the sum of their sizes.
    """
    return {
        "spark.cosmos.write.strategy": "ItemOverwrite",
        "spark.cosmos.write.bulk.enabled": "true",
        "spark.cosmos.write.bulk.maxPendingOperations": str(pending_operations(documents, document_bytes)),
    }


def pending_operations(documents: int, document_bytes: int) -> int:
    """Return how many documents a task may have pending, so that they fit in the executor's heap.

    The connector holds each as a parsed object until the service has answered, and counts them, not their bytes:
    10,688 of 100 KB are more than a heap has. BulkWriter.scala: ``DefaultMaxPendingOperationPerCore``.
    """
    average = document_bytes / documents if documents else 0
    wanted = int(PENDING_BYTES / average) if average else MOST_PENDING
    return min(max(wanted, LEAST_PENDING), MOST_PENDING)


def documents_on_their_way(documents: int, document_bytes: int) -> int:
    """Return how many documents of a task may have been made that the service has not answered for.

    Args:
        documents: how many are written.
        document_bytes: the sum of their sizes.
    """
    average = document_bytes / documents if documents else 1
    return pending_operations(documents, document_bytes) + int(HANDED_OVER_BYTES / max(average, 1))


def read_options() -> dict[str, str]:
    """Return the options of the verification: whole documents as text, nothing inferred, as they were written last.

    By default the connector reads from any one replica, which may not have the latest writes yet. A quorum of two
    replicas has them, whatever the account's consistency level is; it takes twice the request units.
    """
    return {
        "spark.cosmos.read.inferSchema.enabled": "false",
        "spark.cosmos.read.consistencyStrategy": "LatestCommitted",
    }


def partitioning_options(verify_reads_with: str, physical_partitions: int, cores: int) -> dict[str, str]:
    """Return the options by which Spark reads a container with all of its cores.

    By default the connector reads each physical partition with one task (CosmosPartitionPlanner.scala). One of up to
    50 GB then keeps one core busy. https://github.com/Azure/azure-sdk-for-java/pull/39438 says why: reads of parts
    take more request units on some accounts.

    Args:
        verify_reads_with: as in the load request.
        physical_partitions: the container's.
        cores: Spark's.
    """
    if verify_reads_with != WITH_ALL_CORES or physical_partitions >= cores:
        return {}
    return {
        "spark.cosmos.read.partitioning.strategy": "Custom",
        "spark.cosmos.partitioning.targetedCount": str(PARTS_PER_CORE * cores),
    }


def count_options(constants: Mapping[str, Any], having: str | None = None) -> dict[str, str]:
    """Return the options of a read that counts documents, in `COUNT_SCHEMA`, by the index and not by reading them.

    Any other partitioning than one task for each physical partition would not use the index.

    Args:
        constants: the properties that distinguish the table's documents from others in its container.
        having: a property that they must have to count.
    """
    conditions = [f"c[{json.dumps(name)}] = {json.dumps(value)}" for name, value in constants.items()]
    conditions += [f"IS_DEFINED(c[{json.dumps(having)}])"] if having else []
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return {
        **read_options(),
        "spark.cosmos.read.customQuery": f"SELECT COUNT(0) AS Count FROM c{where}",  # noqa: S608 - quoted
        "spark.cosmos.read.partitioning.strategy": "Restrictive",
    }


def query_options(ids: Sequence[str]) -> dict[str, str]:
    """Return the options of a read of the documents that have one of a few ids."""
    texts = ", ".join(json.dumps(one) for one in ids)
    query = f"SELECT * FROM c WHERE c.id IN ({texts})"  # noqa: S608 - quoted, and a query takes no parameters here
    return {**read_options(), "spark.cosmos.read.customQuery": query}


def _service_principal(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {
        "spark.cosmos.auth.type": "ServicePrincipal",
        "spark.cosmos.account.tenantId": read_secret(TENANT_ID),
        "spark.cosmos.auth.aad.clientId": read_secret(CLIENT_ID),
        "spark.cosmos.auth.aad.clientSecret": read_secret(CLIENT_SECRET),
    }


def _managed_identity(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {
        "spark.cosmos.auth.type": "ManagedIdentity",
        "spark.cosmos.account.tenantId": read_secret(TENANT_ID),
        "spark.cosmos.auth.aad.clientId": read_secret(CLIENT_ID),
    }


def _master_key(read_secret: Callable[[str], str]) -> dict[str, str]:
    return {"spark.cosmos.accountKey": read_secret(ACCOUNT_KEY)}


_SIGN_IN = {
    "ServicePrincipal": _service_principal,
    "ManagedIdentity": _managed_identity,
    "MasterKey": _master_key,
}
