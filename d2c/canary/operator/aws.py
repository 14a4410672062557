"""DynamoDB and S3, as an AWS profile of the operator reaches them."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from d2c.clients.aws.errors import aws_errors
from d2c.clients.aws.sign_in import SDK_CONFIG
from d2c.errors import PermanentError, TransientError

OBJECTS_OF_A_CALL = 1000
ITEMS_OF_A_BATCH = 25
FIRST_PAUSE_SECONDS, MOST_IDLE_BATCHES = 0.1, 8
# Of a table that was made a moment ago.
NOT_READY = ("ContinuousBackupsUnavailableException", "ResourceNotFoundException", "ResourceInUseException")


class OperatorAws:
    """The calls of a canary in one account and region.

    Args:
        dynamodb: boto3's client.
        s3: boto3's client.
        account: the account's 12 digits.
        region: the region.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        dynamodb: Any,
        s3: Any,
        account: str,
        region: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb, self._s3, self._sleep = dynamodb, s3, sleep
        self.account, self.region = account, region

    def create_table(self, name: str, keys: Sequence[str], tags: Mapping[str, str]) -> None:
        """Make a table that is billed by requests, whose keys are texts."""
        with aws_errors(self._table(name)):
            self._dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind}
                    for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )

    def is_active(self, name: str) -> bool:
        """Return whether a table is there and active."""
        with aws_errors(self._table(name)):
            try:
                return bool(self._dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")
            except ClientError as error:
                if _code_of(error) in NOT_READY:
                    return False
                raise

    def turn_on_recovery(self, name: str) -> bool:
        """Turn on point-in-time recovery; return False if the table is not ready for it yet."""
        with aws_errors(self._table(name)):
            try:
                self._dynamodb.update_continuous_backups(
                    TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
                )
            except ClientError as error:
                if _code_of(error) in NOT_READY:
                    return False
                raise
        return True

    def latest_restorable(self, name: str) -> datetime | None:
        """Return the latest time as of which a table can be exported; None if there is none."""
        with aws_errors(self._table(name)):
            answer = self._dynamodb.describe_continuous_backups(TableName=name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        latest: datetime | None = recovery.get("LatestRestorableDateTime")
        return latest

    def write(self, name: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Write items, given in DynamoDB JSON.

        Raises:
            TransientError: if the table takes none of them for many calls.
        """
        left = [{"PutRequest": {"Item": _for_boto3(item)}} for item in items]
        idle = 0
        with aws_errors(self._table(name)):
            while left:
                batch = left[:ITEMS_OF_A_BATCH]
                answer = self._dynamodb.batch_write_item(RequestItems={name: batch})
                unprocessed = (answer.get("UnprocessedItems") or {}).get(name, [])
                left = unprocessed + left[ITEMS_OF_A_BATCH:]
                idle = idle + 1 if len(unprocessed) == len(batch) else 0
                if unprocessed:
                    self._pause_after(idle, name)

    def _pause_after(self, idle: int, name: str) -> None:
        """Wait before what a table did not take is sent again, longer each time that it took nothing.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
        """
        if idle >= MOST_IDLE_BATCHES:
            raise TransientError(
                f"{self._table(name)} takes no items: all are left unprocessed.", "Run the canary again."
            )
        self._sleep(FIRST_PAUSE_SECONDS * 2**idle)

    def tables_with(self, prefix: str, tag: str) -> list[str]:
        """Return the tables whose names begin with a prefix and that have a tag."""
        with aws_errors(f"DynamoDB tables in {self.region}"):
            pages = self._dynamodb.get_paginator("list_tables").paginate()
            names = [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
            return [name for name in names if tag in self._tags_of(name)]

    def _tags_of(self, name: str) -> set[str]:
        arn = self._dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        return {tag["Key"] for tag in self._dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", ())}

    def delete_table(self, name: str) -> None:
        """Delete a table."""
        with aws_errors(self._table(name)):
            self._dynamodb.delete_table(TableName=name)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys of the objects below a prefix."""
        with aws_errors(f"s3://{bucket}/{prefix}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's bytes."""
        with aws_errors(f"s3://{bucket}/{key}"):
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()  # type: ignore[no-any-return]

    def encryption(self, bucket: str, key: str) -> str:
        """Return how an object is encrypted: ``AES256`` or ``aws:kms``."""
        with aws_errors(f"s3://{bucket}/{key}"):
            return str(self._s3.head_object(Bucket=bucket, Key=key).get("ServerSideEncryption"))

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete objects."""
        for start in range(0, len(keys), OBJECTS_OF_A_CALL):
            batch = [{"Key": key} for key in keys[start : start + OBJECTS_OF_A_CALL]]
            with aws_errors(f"s3://{bucket}/{batch[0]['Key']}"):
                self._s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})

    def _table(self, name: str) -> str:
        return f"DynamoDB table {name} in {self.region}"


def _for_boto3(value: Any) -> Any:
    """Return a part of an item with its binaries as bytes, which boto3 encodes itself."""
    match value:
        case {"B": str(text)}:
            return {"B": base64.b64decode(text)}
        case {"BS": list(texts)}:
            return {"BS": [base64.b64decode(text) for text in texts]}
        case dict():
            return {name: _for_boto3(each) for name, each in value.items()}
        case list():
            return [_for_boto3(each) for each in value]
    return value


def _code_of(error: ClientError) -> str:
    return str(error.response["Error"].get("Code"))


def connect_operator_aws(profile: str | None, region: str) -> OperatorAws:
    """Return AWS as a profile reaches it.

    Args:
        profile: its name; None for boto3's default credentials.
        region: the region of the tables.
    """
    with aws_errors(f"AWS in {region}"):
        session = boto3.Session(profile_name=profile, region_name=region)
        if session.get_credentials() is None:
            raise PermanentError(f"AWS in {region}: your sign-in has no credentials.", "Name a profile.")
        account = str(session.client("sts", config=SDK_CONFIG).get_caller_identity()["Account"])
        return OperatorAws(
            session.client("dynamodb", config=SDK_CONFIG),
            session.client("s3", config=SDK_CONFIG),
            account,
            region,
        )
