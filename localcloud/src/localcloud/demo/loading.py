"""Making the demo's tables in local DynamoDB, with the calls that anybody would make to the real one."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from localcloud.demo.tables import DemoTable

# The most that BatchWriteItem takes.
BATCH_ITEMS = 25
THREADS = 2


class LoadingError(Exception):
    """DynamoDB did not take all items; the text says how many it left."""


def create_table(dynamodb: Any, table: DemoTable) -> int:
    """Create a table with point-in-time recovery, fill it, and return how many items it has.

    Args:
        dynamodb: boto3's client.
        table: what to make.

    Raises:
        LoadingError: if items are left over.
    """
    keys = {"HASH": table.hash_key, **({"RANGE": table.range_key} if table.range_key else {})}
    dynamodb.create_table(
        TableName=table.name,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for kind, (name, _) in keys.items()],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": type_} for name, type_ in keys.values()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_continuous_backups(
        TableName=table.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    if table.ttl_attribute:
        dynamodb.update_time_to_live(
            TableName=table.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
        )
    serialize = TypeSerializer().serialize
    items = ({name: serialize(value) for name, value in item.items()} for item in table.items())
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(lambda batch: _write(dynamodb, table.name, batch), _batches(items)))


def _batches(items: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(items, BATCH_ITEMS)):
        yield batch


def _write(dynamodb: Any, table: str, batch: list[dict[str, Any]]) -> int:
    answer = dynamodb.batch_write_item(
        RequestItems={table: [{"PutRequest": {"Item": item}} for item in batch]}
    )
    left = answer.get("UnprocessedItems")
    if left:
        raise LoadingError(f"Table {table}: DynamoDB left {len(left[table])} of {len(batch)} items.")
    return len(batch)
