"""Batches: many operations in one call, either all or none (transactional) or each for itself (bulk).

The format is that of the service's gateway as the SDKs use it: the answer holds exactly one entry per operation.
"""

from collections.abc import Callable
from typing import Any

import orjson

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.faults import Faults
from localcloud.cosmos.data_plane.parts import ContainerPart, part_of
from localcloud.cosmos.data_plane.patches import patched
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.container import Container
from localcloud.cosmos.storage.documents import Documents
from localcloud.cosmos.storage.partitions import Partition

MOST_OPERATIONS = 100
LARGEST_BATCH_BYTES = 2 * 2**20
# What the operations' envelopes may add to the documents of a batch.
ENVELOPE_BYTES = 64 * 2**10
FAILED_DEPENDENCY = 424

Json = dict[str, Any]


def run_batch(call: Call, container: Container, faults: Faults) -> Answer:
    """Run a batch.

    Raises:
        CosmosError: 400 or 413, if it is no batch or too large; then nothing of it was done.
    """
    operations = _operations(call)
    atomic = call.is_set("x-ms-cosmos-batch-atomic")
    part = part_of(call, container)
    if atomic:
        part.check_budget()
    goes_on = call.is_set("x-ms-cosmos-batch-continue-on-error") and not atomic
    documents = Documents(call.store, container)
    connection = call.store.connection
    connection.execute("savepoint batch")
    results: list[Json] = []
    failed = None
    for place, operation in enumerate(operations):
        if failed is not None and not goes_on:
            results.append(_skipped())
            continue
        try:
            faults.raise_for("item", str(operation.get("operationType")))
            key = _key(call, container, operation)
            partition = container.partitions.of(key)
            _check_place(partition, part)
            if not atomic:
                partition.budget.check()
            results.append(_run(documents, operation, key, partition))
        except CosmosError as error:
            results.append(_refused(error))
            failed = place
    if atomic and failed is not None:
        connection.execute("rollback to batch")
        results = [result if place == failed else _skipped() for place, result in enumerate(results)]
    connection.execute("release batch")
    charge = sum(result["requestCharge"] for result in results)
    return json_answer(results, 200 if failed is None else 207, charge=charge)


def _operations(call: Call) -> list[Json]:
    if call.body[:1] == b"\x81":
        raise CosmosError(400, "A batch in the binary form HybridRow is not supported here, only JSON.")
    operations = call.json()
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise CosmosError(400, "The batch is not a JSON array of operations.")
    if len(operations) > MOST_OPERATIONS:
        raise CosmosError(400, "Batch request has more operations than what is supported.")
    if len(call.body) > LARGEST_BATCH_BYTES + ENVELOPE_BYTES:
        raise CosmosError(413, "Request size is too large.")
    return operations


def _key(call: Call, container: Container, operation: Json) -> list[Any]:
    given = operation.get("partitionKey")
    key = keys.parse_key(given) if given is not None else keys.header_key(call.headers)
    if key is None:
        raise CosmosError(400, "An operation of the batch has no partition key.")
    keys.check_levels(key, container.paths)
    return key


def _check_place(partition: Partition, part: ContainerPart) -> None:
    """Refuse an operation that was sent to a partition that does not hold its key."""
    if partition not in part.partitions:
        raise CosmosError(400, "The partition key range of the batch does not hold the key of the operation.")


def _run(documents: Documents, operation: Json, key: list[Any], partition: Partition) -> Json:
    kind = operation.get("operationType")
    run = _KINDS.get(str(kind))
    if run is None or "ifNoneMatch" in operation:
        raise CosmosError(400, f"The operation {kind} of a batch, or its ifNoneMatch, is not supported here.")
    status, body, etag, charge = run(documents, operation, key)
    partition.budget.spend(charge)
    result: Json = {"statusCode": status, "requestCharge": charge}
    if etag:
        result["eTag"] = etag
    if body is not None and not operation.get("minimalReturnPreference"):
        result["resourceBody"] = orjson.Fragment(body)
    return result


Outcome = tuple[int, bytes | None, str | None, float]


def _create(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    return documents.write(operation.get("resourceBody"), "create", key)


def _upsert(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    return documents.write(operation.get("resourceBody"), "upsert", key, if_match=operation.get("ifMatch"))


def _replace(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    return documents.write(
        operation.get("resourceBody"),
        "replace",
        key,
        if_match=operation.get("ifMatch"),
        replaced_id=operation.get("id"),
    )


def _patch(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    name, patch = str(operation.get("id")), operation.get("resourceBody")
    if not isinstance(patch, dict):
        raise CosmosError(400, "The patch is not a JSON object.")
    document = patched(orjson.loads(documents.read(key, name)[0]), patch)
    return documents.write(document, "replace", key, if_match=operation.get("ifMatch"), replaced_id=name)


def _delete(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    return 204, None, None, documents.delete(key, str(operation.get("id")), operation.get("ifMatch"))


def _read(documents: Documents, operation: Json, key: list[Any]) -> Outcome:
    body, charge = documents.read(key, str(operation.get("id")))
    return 200, body, orjson.loads(body)["_etag"], charge


_KINDS: dict[str, Callable[[Documents, Json, list[Any]], Outcome]] = {
    "Create": _create,
    "Upsert": _upsert,
    "Replace": _replace,
    "Patch": _patch,
    "Delete": _delete,
    "Read": _read,
}


def _skipped() -> Json:
    return {"statusCode": FAILED_DEPENDENCY, "requestCharge": 0}


def _refused(error: CosmosError) -> Json:
    result: Json = {"statusCode": error.status, "requestCharge": 0}
    if error.sub_status:
        result["subStatusCode"] = error.sub_status
    if error.retry_after_ms:
        result["retryAfterMilliseconds"] = error.retry_after_ms
    return result
