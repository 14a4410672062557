"""moto's state: reading tables, writing objects, and keeping all of it over a restart.

moto holds everything in memory. `save` writes it to one file by replacing the old one whole, so what a killed process
loses is what changed since the last save.
"""

import base64
import pickle
from pathlib import Path
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends

from localcloud.common.names import AWS_ACCOUNT

KEPT: dict[str, BackendDict[Any]] = {"dynamodb": dynamodb_backends, "s3": s3_backends}


def find_table(account: str, region: str, name: str) -> Any | None:
    """Return moto's table, or None."""
    try:
        return dynamodb_backends[account][region].get_table(name)
    except JsonRESTError:
        return None


def bucket_exists(name: str) -> bool:
    """Return whether there is an S3 bucket of this name."""
    return name in s3_backends[AWS_ACCOUNT]["aws"].buckets


def put_object(bucket: str, key: str, content: bytes) -> None:
    """Write an S3 object."""
    s3_backends[AWS_ACCOUNT]["aws"].put_object(bucket, key, content)


def table_items(table: Any) -> list[dict[str, Any]]:
    """Return a table's items in DynamoDB JSON."""
    return [{name: _tagged(value) for name, value in item.attrs.items()} for item in table.all_items()]


def size_of(items: list[dict[str, Any]]) -> int:
    """Return about how many bytes items take: names, values and what holds them together, as text."""
    return sum(len(str(item)) for item in items)


def _tagged(value: Any) -> Any:
    """Return a value of moto's as JSON; it holds some binaries decoded and others as they came."""
    if isinstance(value, DynamoType):
        return {value.type: _tagged(value.value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _tagged(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_tagged(member) for member in value]
    return value


def save(path: Path, exports: dict[str, Any]) -> None:
    """Write moto's state and the exports to a file."""
    state = {
        name: {
            (account, region): dict(vars(backend))
            for account, regions in backends.items()
            for region, backend in regions.items()
        }
        for name, backends in KEPT.items()
    }
    fresh = path.with_suffix(".new")
    fresh.write_bytes(pickle.dumps({"moto": state, "exports": exports}))
    fresh.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote back into moto, and return the exports; an empty result if there is no file."""
    if not path.exists():
        return {}
    saved = pickle.loads(path.read_bytes())  # noqa: S301 - our own file in our own state folder
    for name, instances in saved["moto"].items():
        for (account, region), fields in instances.items():
            vars(KEPT[name][account][region]).update(fields)
    exports: dict[str, Any] = saved["exports"]
    return exports
