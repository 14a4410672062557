"""Calls about documents."""

from typing import Any

import orjson

from localcloud.cosmos.data_plane.batches import run_batch
from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.change_feed import read_change_feed
from localcloud.cosmos.data_plane.faults import Faults
from localcloud.cosmos.data_plane.patches import patched
from localcloud.cosmos.data_plane.queries import Page, part_of, run_query
from localcloud.cosmos.errors import STALE_CONTAINER, CosmosError
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.charges import write_charge
from localcloud.cosmos.storage.documents import Documents
from localcloud.cosmos.storage.store import Container

EVERYTHING = "SELECT * FROM c"


def container_of(call: Call) -> Container:
    """Return the container that a call is about.

    Raises:
        CosmosError: 404; 400/1024 if the caller meant one that was deleted since.
    """
    container = call.store.find_container(call.names[0], call.names[1])
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
        _check_budget(container)
        page = run_query(call, container, content.get("query"), content.get("parameters"))
        return _page_answer(container, page)
    if call.is_set("x-ms-cosmos-is-batch-request"):
        return _in_container(container, run_batch(call, container, faults))
    mode = "upsert" if call.is_set("x-ms-documentdb-is-upsert") else "create"
    return _write(call, container, mode)


def list_documents(call: Call) -> Answer:
    """Return documents, or the change feed."""
    container = container_of(call)
    _check_budget(container)
    if call.headers.get("a-im"):
        return _in_container(container, read_change_feed(call, container, part_of(call, container)))
    return _page_answer(container, run_query(call, container, EVERYTHING))


def get_document(call: Call) -> Answer:
    """Return a document."""
    container = container_of(call)
    _check_budget(container)
    body, charge = Documents(call.store, container).read(_key(call, container), call.names[2])
    headers = {"etag": orjson.loads(body)["_etag"]}
    if call.headers.get("if-none-match") == headers["etag"]:
        return _in_container(container, Answer(b"", 304, _spend(container, charge), headers))
    return _in_container(container, Answer(body, 200, _spend(container, charge), headers))


def put_document(call: Call) -> Answer:
    """Replace a document."""
    return _write(call, container_of(call), "replace", call.names[2])


def patch_document(call: Call) -> Answer:
    """Change parts of a document."""
    container = container_of(call)
    _check_budget(container)
    documents, key = Documents(call.store, container), _key(call, container)
    document = patched(orjson.loads(documents.read(key, call.names[2])[0]), call.object())
    _, body, etag, charge = documents.write(
        document, "replace", key, if_match=call.headers.get("if-match"), replaced_id=call.names[2]
    )
    return _in_container(container, Answer(body, 200, _spend(container, charge), {"etag": etag}))


def delete_document(call: Call) -> Answer:
    """Delete a document."""
    container = container_of(call)
    _check_budget(container)
    documents = Documents(call.store, container)
    charge = documents.delete(_key(call, container), call.names[2], call.headers.get("if-match"))
    return _in_container(container, Answer(b"", 204, _spend(container, charge)))


def delete_partition(call: Call) -> Answer:
    """Delete all documents of a partition key; the service does it in the background, this server at once."""
    container = container_of(call)
    if call.names[2] != "partitionkeydelete":
        raise CosmosError(400, f"The operation {call.names[2]} is not supported here.")
    call.store.connection.execute(
        "delete from documents where container=? and key=?",
        (container.number, keys.canonical(_key(call, container))),
    )
    return Answer(b"", 200, _spend(container, write_charge(0, indexed=container.indexed)))


def _write(call: Call, container: Container, mode: str, replaced_id: str | None = None) -> Answer:
    if "if-none-match" in call.headers:
        raise CosmosError(400, "The header If-None-Match of a write is not supported here.")
    _check_budget(container)
    status, body, etag, charge = Documents(call.store, container).write(
        call.json(),
        mode,
        _key(call, container),
        if_match=call.headers.get("if-match"),
        replaced_id=replaced_id,
    )
    if call.headers.get("prefer") == "return=minimal":
        body = b""
    return _in_container(container, Answer(body, status, _spend(container, charge), {"etag": etag}))


def _key(call: Call, container: Container) -> list[Any]:
    key = keys.header_key(call.headers)
    if key is None:
        raise CosmosError(400, "PartitionKey value must be supplied for this operation.")
    keys.check_levels(key, container.paths)
    return key


def _query_plan(call: Call) -> Answer:
    """Return a plan that asks nothing of the SDK: with one partition the server's results are final."""
    parse(call.object().get("query"))
    info: dict[str, Any] = {
        "distinctType": "None",
        "top": None,
        "offset": None,
        "limit": None,
        "orderBy": [],
        "orderByExpressions": [],
        "groupByExpressions": [],
        "groupByAliases": [],
        "aggregates": [],
        "groupByAliasToAggregateType": {},
        "rewrittenQuery": "",
        "hasSelectValue": False,
        "hasNonStreamingOrderBy": False,
    }
    ranges = [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}]
    return json_answer({"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": ranges})


def _page_answer(container: Container, page: Page) -> Answer:
    content = {
        "_rid": container.properties["_rid"],
        "Documents": page.results,
        "_count": len(page.results),
    }
    headers = {"x-ms-item-count": str(len(page.results))}
    if page.continuation:
        headers["x-ms-continuation"] = page.continuation
    answer = json_answer(content, charge=_spend(container, page.charge), headers=headers)
    return _in_container(container, answer)


def _in_container(container: Container, answer: Answer) -> Answer:
    answer.headers |= {
        "x-ms-alt-content-path": f"dbs/{container.database}/colls/{container.name}",
        "x-ms-content-path": container.properties["_rid"],
    }
    return answer


def _check_budget(container: Container) -> None:
    if container.budget:
        container.budget.check()


def _spend(container: Container, charge: float) -> float:
    return container.budget.spend(charge) if container.budget else charge
