"""Calls about documents."""

import re
from typing import Any

import orjson

from localcloud.cosmos.data_plane.batches import run_batch
from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.change_feed import read_change_feed
from localcloud.cosmos.data_plane.faults import Faults
from localcloud.cosmos.data_plane.parts import part_of
from localcloud.cosmos.data_plane.patches import patched
from localcloud.cosmos.data_plane.queries import run_query, values_of
from localcloud.cosmos.errors import OWNER_MISSING, STALE_CONTAINER, CosmosError
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.sql.plan import plan_of
from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.charges import Budget, write_charge
from localcloud.cosmos.storage.container import Container
from localcloud.cosmos.storage.documents import Documents

# The service's gateway undoes such an escape once more before it checks the signature, which then is of another id.
# https://github.com/Azure/azure-cosmos-dotnet-v3/issues/4954 and the item-id encoding tests of Microsoft's clients
ESCAPED_BYTE = re.compile("%[0-9A-Fa-f]{2}")
EVERYTHING = "SELECT * FROM c"
WHOLE_RING = {"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}


def container_of(call: Call) -> Container:
    """Return the container that a call is about.

    Raises:
        CosmosError: 404/1003; 400/1024 if the caller meant one that was deleted since.
    """
    container = call.store.find_container(call.names[0], call.names[1], sub_status=OWNER_MISSING)
    intended = call.headers.get("x-ms-cosmos-intended-collection-rid")
    if intended and intended != container.properties["_rid"]:
        raise CosmosError(400, "The container is not the intended one.", STALE_CONTAINER)
    return container


def post_documents(call: Call, faults: Faults) -> Answer:
    """Create or upsert a document, run a batch, or answer a query or a question for its plan."""
    container = container_of(call)
    if call.is_set("x-ms-cosmos-is-query-plan-request"):
        return _query_plan(call)
    if call.is_query:
        content = call.object()
        return _page_answer(call, container, content.get("query"), content.get("parameters"))
    if call.is_set("x-ms-cosmos-is-batch-request"):
        return _in_container(container, run_batch(call, container, faults))
    mode = "upsert" if call.is_set("x-ms-documentdb-is-upsert") else "create"
    return _write(call, mode)


def list_documents(call: Call) -> Answer:
    """Return documents, or the change feed."""
    container = container_of(call)
    if not call.headers.get("a-im"):
        return _page_answer(call, container, EVERYTHING)
    part = part_of(call, container)
    part.check_budget()
    return _in_container(container, read_change_feed(call, container, part))


def get_document(call: Call) -> Answer:
    """Return a document."""
    container, key, budget = _addressed(call)
    body, charge = Documents(call.store, container).read(key, call.names[2])
    headers = {"etag": orjson.loads(body)["_etag"]}
    if call.headers.get("if-none-match") == headers["etag"]:
        return _in_container(container, Answer(b"", 304, budget.spend(charge), headers))
    return _in_container(container, Answer(body, 200, budget.spend(charge), headers))


def put_document(call: Call) -> Answer:
    """Replace a document."""
    return _write(call, "replace", call.names[2])


def patch_document(call: Call) -> Answer:
    """Change parts of a document."""
    container, key, budget = _addressed(call)
    documents = Documents(call.store, container)
    document = patched(orjson.loads(documents.read(key, call.names[2])[0]), call.object())
    _, body, etag, charge = documents.write(
        document, "replace", key, if_match=call.headers.get("if-match"), replaced_id=call.names[2]
    )
    return _in_container(container, Answer(body, 200, budget.spend(charge), {"etag": etag}))


def delete_document(call: Call) -> Answer:
    """Delete a document."""
    container, key, budget = _addressed(call)
    charge = Documents(call.store, container).delete(key, call.names[2], call.headers.get("if-match"))
    return _in_container(container, Answer(b"", 204, budget.spend(charge)))


def delete_partition(call: Call) -> Answer:
    """Delete all documents of a partition key; the service does it in the background, this server at once."""
    if call.names[2] != "partitionkeydelete":
        raise CosmosError(400, f"The operation {call.names[2]} is not supported here.")
    container, key, budget = _addressed(call)
    call.store.connection.execute(
        "delete from documents where container=? and key=?",
        (container.number, keys.canonical(key)),
    )
    return Answer(b"", 200, budget.spend(write_charge(0, container.index_factor)))


def _write(call: Call, mode: str, replaced_id: str | None = None) -> Answer:
    if "if-none-match" in call.headers:
        raise CosmosError(400, "The header If-None-Match of a write is not supported here.")
    container, key, budget = _addressed(call)
    status, body, etag, charge = Documents(call.store, container).write(
        call.json(), mode, key, if_match=call.headers.get("if-match"), replaced_id=replaced_id
    )
    if call.headers.get("prefer") == "return=minimal":
        body = b""
    return _in_container(container, Answer(body, status, budget.spend(charge), {"etag": etag}))


def _addressed(call: Call) -> tuple[Container, list[Any], Budget]:
    """Return the container, the key and the budget of a call about one key.

    Raises:
        CosmosError: 400, if it has no whole key; 401, if its id looks escaped; 429, while the key's partition is
            overdrawn.
    """
    container = container_of(call)
    if any(map(ESCAPED_BYTE.search, call.names[2:])):
        raise CosmosError(401, "The input authorization token can't serve the request.")
    key = keys.header_key(call.headers)
    if key is None:
        raise CosmosError(400, "PartitionKey value must be supplied for this operation.")
    keys.check_levels(key, container.paths)
    budget = container.partitions.of(key).budget
    budget.check()
    return container, key, budget


def _query_plan(call: Call) -> Answer:
    content = call.object()
    named = values_of(content.get("parameters"))
    features = call.headers.get("x-ms-cosmos-supported-query-features", "")
    info = plan_of(parse(content.get("query")), named, features)
    return json_answer(
        {"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": [WHOLE_RING]}
    )


def _page_answer(call: Call, container: Container, query: Any, parameters: Any = None) -> Answer:
    part = part_of(call, container)
    part.check_budget()
    page = run_query(call, container, part, query, parameters)
    content = {
        "_rid": container.properties["_rid"],
        "Documents": page.results,
        "_count": len(page.results),
    }
    headers = {"x-ms-item-count": str(len(page.results))}
    if page.continuation:
        headers["x-ms-continuation"] = page.continuation
    answer = json_answer(content, charge=part.spend(page.charge), headers=headers)
    return _in_container(container, answer)


def _in_container(container: Container, answer: Answer) -> Answer:
    answer.headers |= {
        "x-ms-alt-content-path": f"dbs/{container.database}/colls/{container.name}",
        "x-ms-content-path": container.properties["_rid"],
    }
    return answer
