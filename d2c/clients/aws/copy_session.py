"""The temporary credentials with which Data Factory reads one export: what they allow, and how long they last."""

import math
from typing import Any

from d2c.app.aws_settings import SESSION_SECONDS, AwsSettings
from d2c.errors import PermanentError

# Runs wait for their turn in Data Factory, and list and copy the manifests beside the data.
SECONDS_BESIDE_THE_DATA = 900
MOST_SESSION_NAME_CHARACTERS = 64


def copy_session_policy(role_arn: str, bucket: str, folder: str) -> dict[str, Any]:
    """Return what a copy run may do of what the role may: read one export's objects, and nothing else.

    Data Factory needs these actions:
    https://learn.microsoft.com/azure/data-factory/connector-amazon-simple-storage-service#required-permissions.
    ``kms:Decrypt`` is for buckets with a key of their own; the role says whether it may use it.

    Args:
        role_arn: the role whose session it is.
        bucket: the export bucket.
        folder: the export's, without a slash at its end.
    """
    bucket_arn = f"arn:{role_arn.split(':')[1]}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": f"{bucket_arn}/{folder}/*",
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
                "Condition": {"StringLike": {"s3:prefix": f"{folder}*"}},
            },
            {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": bucket_arn},
            {
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
            },
        ],
    }


def copy_session_seconds(aws: AwsSettings, export_bytes: int, *, is_first_try: bool) -> int:
    """Return how long the credentials of a copy run must last; Data Factory cannot renew them during a run.

    Args:
        aws: the settings.
        export_bytes: what is copied.
        is_first_try: whether no copy run of this export has failed yet, maybe since its session ended.

    Raises:
        PermanentError: if a copy of this size takes longer than a session may last.
    """
    needed = math.ceil(export_bytes / aws.copy_bytes_per_second) + SECONDS_BESIDE_THE_DATA
    longest = aws.longest_session_seconds
    if needed > longest:
        raise PermanentError(
            f"The export has {export_bytes:,} bytes. To copy them takes about {needed:,} seconds at "
            f"{aws.copy_bytes_per_second:,} bytes per second, and a session of the AWS role lasts {longest:,} "
            "seconds at most (D2C_AWS_SESSION_SECONDS).",
            _next_step(needed),
            title="The copy would outlive its AWS session",
        )
    return max(SESSION_SECONDS[0], needed) if is_first_try else longest


def copy_session_name(migration: str, table: str) -> str:
    """Return what CloudTrail calls a copy run's session."""
    return f"d2c-copy-{migration}-{table}"[:MOST_SESSION_NAME_CHARACTERS]


def _next_step(needed: int) -> str:
    others = (
        "set D2C_COPY_BYTES_PER_SECOND if your copies are faster, or set D2C_COPY_CREDENTIALS to key_vault; "
        "then retry the migration (docs/install/aws.md)."
    )
    if needed <= SESSION_SECONDS[1]:
        return f"Let the role allow {needed:,} seconds and set D2C_AWS_SESSION_SECONDS to that, {others}"
    return f"AWS lets no session last longer than {SESSION_SECONDS[1]:,} seconds: {others}"
