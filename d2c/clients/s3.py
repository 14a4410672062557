"""S3: the objects of an export."""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from d2c.clients.aws_errors import aws_errors
from d2c.clients.connections import connected_once
from d2c.clients.dynamodb import SDK_CONFIG


class Bucket:
    """One S3 bucket.

    Args:
        client: boto3's ``s3`` client.
        name: the bucket's name.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if there is no such object."""
        with aws_errors(f"s3://{self.name}/{key}"):
            try:
                return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()  # type: ignore[no-any-return]
            except ClientError as error:
                if error.response["Error"].get("Code") == "NoSuchKey":
                    return None
                raise

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the keys below a prefix with their sizes in bytes."""
        sizes: dict[str, int] = {}
        with aws_errors(f"s3://{self.name}/{prefix}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            ):
                sizes |= {item["Key"]: item["Size"] for item in page.get("Contents", ())}
        return sizes


@connected_once
def connect_bucket(name: str, region: str) -> Bucket:
    """Return a bucket, reached through a region, with credentials from boto3's ordinary chain."""
    with aws_errors(f"s3://{name}"):
        return Bucket(boto3.client("s3", region_name=region, config=SDK_CONFIG), name)
