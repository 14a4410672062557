"""S3: the objects of an export."""

from typing import Any

from botocore.exceptions import ClientError

from d2c.clients.aws_errors import aws_errors
from d2c.clients.aws_sign_in import aws_client
from d2c.clients.connections import connected_once
from d2c.settings import Settings


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
def connect_bucket(settings: Settings, account: str | None, region: str) -> Bucket:
    """Return the bucket that exports are written to.

    Args:
        settings: the app's.
        account: the 12 digits of the tables' account, or None for that of plans that name none.
        region: the region of the tables, through which the bucket is reached.
    """
    with aws_errors(f"s3://{settings.export_bucket}"):
        account = settings.aws.bucket_account(account, region)
        return Bucket(aws_client(settings, "s3", account, region), settings.export_bucket)
