"""moto's state: reading tables, writing objects, and keeping all of it over a restart.

moto holds everything in memory. `save` writes it to one file by replacing the old one whole, so what a killed process
loses is what changed since the last save.
"""

import base64
import pickle
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC
from functools import lru_cache
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


def put_object(bucket: str, key: str, content: bytes, encryption: str, kms_key: str | None) -> None:
    """Write an S3 object, encrypted by ``AES256`` or ``aws:kms``: S3 keeps none without."""
    s3_backends[AWS_ACCOUNT]["aws"].put_object(
        bucket, key, content, encryption=encryption, kms_key_id=kms_key
    )


def all_tables() -> Iterator[Any]:
    """Return moto's tables of all accounts and regions."""
    for regions in dynamodb_backends.values():
        for backend in regions.values():
            yield from backend.tables.values()


def find_table_by_id(identity: str) -> Any | None:
    """Return moto's table with an id, or None."""
    return next((table for table in all_tables() if table_id(table) == identity), None)


def table_id(table: Any) -> str:
    """Return a table's id, which moto does not have: another one for each table that had the name."""
    return _identity(f"{table.table_arn}/{table.created_at.isoformat()}")


@lru_cache(maxsize=10_000)
def _identity(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def created_at(table: Any) -> float:
    """Return when a table was created, in epoch seconds."""
    return float(table.created_at.replace(tzinfo=UTC).timestamp())


def item_json(item: Any) -> dict[str, Any]:
    """Return one of moto's items in DynamoDB JSON."""
    return {name: _tagged(value) for name, value in item.attrs.items()}


def table_items(table: Any) -> Iterator[dict[str, Any]]:
    """Return a table's items in DynamoDB JSON."""
    return map(item_json, table.all_items())


def size_of(items: Iterable[dict[str, Any]]) -> int:
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


def save(path: Path, exports: dict[str, Any], position: int) -> None:
    """Write moto's state and the exports to a file.

    Args:
        path: the file.
        exports: by ARN.
        position: the latest write of the log that is certainly in the state.
    """
    state = {
        name: {
            (account, region): dict(vars(backend))
            for account, regions in backends.items()
            for region, backend in regions.items()
        }
        for name, backends in KEPT.items()
    }
    fresh = path.with_suffix(".new")
    fresh.write_bytes(pickle.dumps({"moto": state, "exports": exports, "position": position}))
    fresh.replace(path)


def load(path: Path) -> tuple[dict[str, Any], int]:
    """Read what `save` wrote back into moto, and return exports and position; none if there is no file.

    Raises:
        SystemExit: if an earlier version wrote it.
    """
    if not path.exists():
        return {}, 0
    saved = pickle.loads(path.read_bytes())  # noqa: S301 - our own file in our own state folder
    if "position" not in saved:
        raise SystemExit(
            f"{path} is from an earlier version: delete the folder of the state, then start again."
        )
    for name, instances in saved["moto"].items():
        for (account, region), fields in instances.items():
            vars(KEPT[name][account][region]).update(fields)
    return saved["exports"], saved["position"]
