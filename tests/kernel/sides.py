"""What the workers make of the same data file with the kernel and without it."""

import base64
import gzip
import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa

from d2c.export_format import DataFile
from d2c.load_run import comparing, mappers, workers
from d2c.load_run.kernel import documents, items, module
from d2c.load_run.request import LoadRequest

from ..unit.load_run.test_request import REQUEST
from ..unit.mapping.corpus import NOW


def request_of(table, *later_rules, **changes) -> LoadRequest:
    """Return the load request of a table of the mapping's corpus."""
    hash_key, range_key = (*table.keys, None)[:2]
    fields = {"hash_key": hash_key, "range_key": range_key, "ttl_attribute": table.ttl_attribute}
    return replace(REQUEST, rules_history=(table.rules, *later_rules), **fields, **changes)


def data_file(block, items, name="f.json.gz"):
    """Return a data file as the manifest lists it, and the batch in which a worker gets it."""
    content = gzip.compress(block, 1)
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    batch = pa.RecordBatch.from_pydict({"path": [f"lake/{name}"], "content": [content]})
    return DataFile(f"p/data/{name}", name, items, md5), batch


@contextmanager
def without_kernel():
    """Leave all to the mapper."""
    found = module.native
    documents.native = items.native = module.native = lambda: (None, "")
    try:
        yield
    finally:
        documents.native = items.native = module.native = found


def outcomes(request, file, batch):
    """Return all that the workers of assess, load and verify make of a data file."""
    loaded = rows_of(_at(NOW + 1, workers.load_files(request, [file], NOW)), batch)
    return {
        "assessed": [parsed(row) for row in rows_of(workers.assess_files(request, [file], NOW), batch)],
        "loaded": [parsed(row) for row in loaded],
        "expected": rows_of(comparing.expected_documents(request, [file], NOW), batch),
        "counted": rows_of(comparing.count_expected(request, [file], NOW, NOW + 100, NOW + 900), batch),
        "stored": rows_of(comparing.actual_documents(request), stored(loaded)),
    }


def differences(request, block, items):
    """Return the names of the outcomes that are not the same with the kernel and without it."""
    file, batch = data_file(block, items)
    with_kernel = outcomes(request, file, batch)
    with without_kernel():
        without = outcomes(request, file, batch)
    return [name for name in without if with_kernel[name] != without[name]]


def rows_of(worker, *batches):
    return [tuple(row.values()) for batch in worker(iter(batches)) for row in batch.to_pylist()]


def parsed(row):
    """Return an outcome; the census is compared as JSON, whose objects have no order."""
    kind, body = row
    return (kind, json.loads(body)) if kind == "file" else row


def stored(loaded):
    """Return loaded documents as a container gives them, some of them written by another JSON library."""
    texts = []
    for number, (kind, body) in enumerate(loaded):
        if kind == "document":
            document = {
                **json.loads(body),
                "_ts": NOW,
                "_etag": '"0"',
                "_rid": "x==",
                "_self": "y/",
                "_attachments": "a/",
            }
            separators = (",", ":") if number % 3 else (", ", ": ")
            texts.append(json.dumps(document, ensure_ascii=number % 2 == 0, separators=separators))
    return pa.RecordBatch.from_pydict({"_rawBody": pa.array(texts, pa.string())})


def _at(now, worker):
    """Return a worker of the load at a fixed time."""

    def run(batches):
        found, workers.time, mappers.time = workers.time, _Clock(now), _Clock(now)
        try:
            yield from worker(batches)
        finally:
            workers.time = mappers.time = found

    return run


class _Clock:
    def __init__(self, now):
        self._now = now

    def time(self):
        return self._now
