"""S3: the objects of an export."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from d2c.app.settings import Settings
from d2c.clients.answers import typed
from d2c.clients.aws.errors import aws_errors
from d2c.clients.aws.sign_in import aws_client
from d2c.clients.connections import connected_once
from d2c.errors import PermanentError

NO_ENCRYPTION = "ServerSideEncryptionConfigurationNotFoundError"


@dataclass(frozen=True)
class Encryption:
    """A bucket's default encryption: ``AES256`` or a kind of ``aws:kms``, and the key's ARN or an empty text."""

    algorithm: str
    kms_key: str


class Bucket:
    """One S3 bucket.

    Args:
        client: boto3's ``s3`` client.
        name: the bucket's name.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return an object's bytes, or None if there is no such object.

        Args:
            key: the object's.
            most_bytes: the largest size that is read.

        Raises:
            PermanentError: if it is larger.
        """
        with aws_errors(f"s3://{self.name}/{key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
                if answer.get("ContentLength", 0) > most_bytes:
                    raise self._too_large(key, answer["ContentLength"], most_bytes)
                return answer["Body"].read()  # type: ignore[no-any-return]
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

    def write(self, key: str, content: bytes) -> None:
        """Write an object, replacing an existing one."""
        with aws_errors(f"s3://{self.name}/{key}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def region(self) -> str:
        """Return the bucket's region, which also proves that the bucket exists."""
        with aws_errors(f"s3://{self.name}"):
            return str(self._client.head_bucket(Bucket=self.name).get("BucketRegion", ""))

    def encryption(self) -> Encryption:
        """Return the bucket's default encryption; since 2023 every bucket has one."""
        with aws_errors(f"s3://{self.name}"):
            try:
                answer = self._client.get_bucket_encryption(Bucket=self.name)
            except ClientError as error:
                if error.response["Error"].get("Code") == NO_ENCRYPTION:
                    return Encryption("AES256", "")
                raise
            rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]
            return typed(Encryption(rule["SSEAlgorithm"], rule.get("KMSMasterKeyID", "")))

    def _too_large(self, key: str, size_bytes: int, most_bytes: int) -> PermanentError:
        return PermanentError(
            f"s3://{self.name}/{key} has {size_bytes:,} bytes, and {most_bytes:,} are read of such an object.",
            "Check what else writes to the bucket, then start again.",
            title="An object in the bucket is too large",
        )

    def try_listing(self, prefix: str) -> None:
        """List one object below a prefix, whether or not there is one."""
        with aws_errors(f"s3://{self.name}/{prefix}"):
            self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)


@connected_once
def connect_bucket(settings: Settings, account: str | None, region: str) -> Bucket:
    """Return the bucket that exports are written to.

    Args:
        settings: the app's.
        account: the 12 digits of the tables' account, or None for the default account.
        region: the region of the tables, through which the bucket is accessed.
    """
    with aws_errors(f"s3://{settings.export_bucket}"):
        account = settings.aws.bucket_account(account, region)
        return Bucket(aws_client(settings, "s3", account, region), settings.export_bucket)
