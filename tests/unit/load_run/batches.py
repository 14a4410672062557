"""Workers run without Spark: their rows in and out of Arrow batches."""

import base64
import gzip
import hashlib
import json
from dataclasses import replace

import pyarrow as pa

from d2c.export_format import DataFile

from .test_request import REQUEST


def request(*history, **changes):
    """Return a load request of a table with the hash key ``pk`` and a history of rules."""
    return replace(REQUEST, hash_key="pk", rules_history=history or ({},), **changes)


def lines_of(*items):
    """Return the lines of a data file with items, given as attributes in DynamoDB JSON or as whole lines."""
    return [item if isinstance(item, bytes) else json.dumps({"Item": item}).encode() for item in items]


def data_file(lines, name="f.json.gz"):
    """Return a data file as the manifest lists it, and the batch in which a worker gets it."""
    content = gzip.compress(b"".join(line + b"\n" for line in lines))
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    batch = pa.RecordBatch.from_pydict({"path": [f"lake/{name}"], "content": [content]})
    return DataFile(f"p/data/{name}", name, len(lines), md5), batch


def rows_of(worker, *batches):
    """Return a worker's rows for batches."""
    return [tuple(row.values()) for batch in worker(iter(batches)) for row in batch.to_pylist()]
