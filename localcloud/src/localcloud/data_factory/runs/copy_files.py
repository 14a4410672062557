"""The work of a copy activity: files of a bucket's folder into the lake, byte for byte.

A file is streamed in blocks and appears in the lake once its last block is there.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import boto3
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient, ContainerClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.data_factory.runs.choosing import SourceFile, choose_files
from localcloud.data_factory.runs.connections import SinkFolder, SourceFolder
from localcloud.data_factory.runs.errors import ActivityError
from localcloud.data_factory.runs.watch import Watch
from localcloud.lake.reach import Reach

BLOCK_BYTES = 4 * 2**20
SDK_TRIES = 3
# Where the service's own default region would be asked, the region only enters the signature.
SIGNED_REGION = "us-east-1"
UNITS, PARALLEL_COPIES = range(2, 257), range(1, 257)
PLAIN_MD5 = re.compile(r'"([0-9a-f]{32})"')


def copy_files(
    source: SourceFolder,
    sink: SinkFolder,
    activity: Mapping[str, Any],
    lake: Reach,
    watch: Watch,
) -> None:
    """Copy what a copy activity's source selects.

    Args:
        source: where from.
        sink: where to.
        activity: the activity's ``typeProperties``, evaluated.
        lake: how the lake's account is reached.
        watch: told of progress; ends the copy if the run is cancelled or the time is up.

    Raises:
        ActivityError: if either side fails.
    """
    settings = activity["source"]["storeSettings"]
    block_bytes = activity["sink"]["storeSettings"].get("blockSizeInMB", BLOCK_BYTES // 2**20) * 2**20
    try:
        watch.uses(units_of(activity))
        client = _connect_source(source)
        files = choose_files(client, source, settings)
        container = _connect_sink(sink, lake, block_bytes)
        for file in files:
            watch.before_file(file.path)
            _copy_file(client, source.bucket, file, container, f"{sink.folder}/{file.path}", watch)
    except ClientError as error:
        raise _source_error(source, *_told_by_s3(error)) from error
    except BotoCoreError as error:
        raise _source_error(source, type(error).__name__, str(error)) from error
    except AzureError as error:
        raise _sink_error(sink, error) from error


def _sink_error(sink: SinkFolder, error: AzureError) -> ActivityError:
    """Return a failure of the lake as the service tells it.

    https://learn.microsoft.com/azure/data-factory/connector-troubleshoot-azure-data-lake
    """
    status = getattr(error, "status_code", None)
    answered = f"Operation returned an invalid status code '{HTTPStatus(status).phrase}'." if status else ""
    return ActivityError(
        f"ErrorCode=AdlsGen2OperationFailed,Message=ADLS Gen2 operation failed for: {answered} Account: "
        f"'{sink.account}'. FileSystem: '{sink.file_system}'. Path: '{sink.folder}'. ErrorCode: "
        f"'{getattr(error, 'error_code', None) or type(error).__name__}'. Message: '{str(error).splitlines()[0]}'.,"
        "Source=Failure happened on 'Sink' side."
    )


def _source_error(source: SourceFolder, kind: str, message: str) -> ActivityError:
    return ActivityError(
        f"ErrorCode=UserErrorFailedFileOperation,Message=Reading s3://{source.bucket}/{source.folder} failed.,"
        f"Source=Failure happened on 'Source' side.,''Type={kind},Message={message}"
    )


def _told_by_s3(error: ClientError) -> tuple[str, str]:
    """Return an answer of S3 as the .NET SDK tells it: its message and HTTP status, and not its error code."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    message = error.response["Error"]["Message"]
    refused = f"The remote server returned an error: ({status}) {HTTPStatus(status).phrase}."
    return (
        "Amazon.S3.AmazonS3Exception",
        f"{message},Source=AWSSDK.Core,''Type=Amazon.Runtime.Internal.HttpErrorResponseException,Message={refused}",
    )


def units_of(activity: Mapping[str, Any]) -> int:
    """Return the integration units that a copy asks for; 0 leaves them to the service, as do 0 parallel copies.

    https://learn.microsoft.com/azure/data-factory/copy-activity-performance-features

    Raises:
        ActivityError: if the service has no such numbers.
    """
    units, parallel = activity.get("dataIntegrationUnits", 0), activity.get("parallelCopies", 0)
    for name, value, known in (
        ("dataIntegrationUnits", units, UNITS),
        ("parallelCopies", parallel, PARALLEL_COPIES),
    ):
        if type(value) is not int or (value and value not in known):
            raise ActivityError(
                f"ErrorCode=UserErrorInvalidValue,Message={name} is {value!r}; it may be 0, for automatic, or "
                f"{known.start} to {known.stop - 1}."
            )
    return int(units)


class _Stream:
    """What is uploaded: reads a body block by block, telling the watch how far it got."""

    def __init__(self, body: Any, watch: Watch) -> None:
        self._body = body
        self._watch = watch
        self._last = 0
        self.md5 = hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1) -> bytes:
        # The block before this one has reached the lake: one is read only after the other was sent.
        self._watch.moved(written=self._last)
        content: bytes = self._body.read(size if size >= 0 else None)
        self._last = len(content)
        self._watch.moved(read=self._last)
        self.md5.update(content)
        return content

    def all_written(self) -> None:
        self._watch.moved(written=self._last)
        self._last = 0


def _copy_file(
    client: Any, bucket: str, file: SourceFile, container: ContainerClient, target: str, watch: Watch
) -> None:
    found = client.get_object(Bucket=bucket, Key=file.key)
    size, etag = found["ContentLength"], found["ETag"]
    stream = _Stream(found["Body"], watch)
    blob = container.get_blob_client(target.lstrip("/"))
    blob.upload_blob(stream, length=size, overwrite=True, max_concurrency=1)  # type: ignore[arg-type]
    stream.all_written()
    watch.file_done()
    written = blob.get_blob_properties().size
    checksum = PLAIN_MD5.fullmatch(etag)
    if written != size or (checksum and checksum[1] != stream.md5.hexdigest()):
        raise ActivityError(
            f"ErrorCode=DataConsistencyVerificationFailed,Message={target} differs from s3://{bucket}/{file.key}: "
            f"{written} of {size} bytes, MD5 {stream.md5.hexdigest()}, ETag {etag}."
        )


def _connect_source(source: SourceFolder) -> Any:
    return _s3_client(
        source.service_url, source.access_key_id, source.secret_access_key, source.session_token
    )


@lru_cache(maxsize=8)
def _s3_client(url: str, key_id: str, secret: str, token: str | None) -> Any:
    """Return a client, which threads may share; a session of their own they may not, and making one takes long."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        region_name=SIGNED_REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": SDK_TRIES}),
    )


def _connect_sink(sink: SinkFolder, lake: Reach, block_bytes: int) -> ContainerClient:
    service = _lake_service(lake, block_bytes)
    if service.account_name != sink.account:
        raise ActivityError(
            f"The lake's url names the account {sink.account}, but this machine's lake is {service.account_name}."
        )
    return service.get_container_client(sink.file_system)


@lru_cache(maxsize=8)
def _lake_service(lake: Reach, block_bytes: int) -> BlobServiceClient:
    """Return a client, which keeps its connections: a handshake takes longer than the copy of a small file."""
    return lake.blobs(
        max_block_size=block_bytes,
        max_single_put_size=block_bytes,
        min_large_block_upload_threshold=block_bytes + 1,
        retry_total=SDK_TRIES - 1,
    )
