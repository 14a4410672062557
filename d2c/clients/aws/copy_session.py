"""The temporary credentials with which Data Factory reads one export: permissions and lifetime."""

import math
import re
from typing import Any

from d2c.app.aws_settings import SESSION_SECONDS, AwsSettings
from d2c.errors import PermanentError

# Runs wait in Data Factory's queue, and list and copy the manifests in addition to the data.
OVERHEAD_SECONDS = 900
MAX_SESSION_NAME_CHARACTERS = 64


def copy_session_policy(role_arn: str, bucket: str, folder: str) -> dict[str, Any]:
    """Return the policy that restricts a copy run to reading one export's objects.

    Data Factory needs these actions:
    https://learn.microsoft.com/azure/data-factory/connector-amazon-simple-storage-service#required-permissions.
    ``kms:Decrypt`` is for buckets with their own key; the role determines whether it may use it.

    Args:
        role_arn: the role whose session it is.
        bucket: the export bucket.
        folder: the export's folder, without a trailing slash.
    """
    # In a policy these characters begin a pattern or a variable.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
    name = re.sub(r"[*?$]", r"${\g<0>}", folder)
    bucket_arn = f"arn:{role_arn.split(':')[1]}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": f"{bucket_arn}/{name}/*",
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
                "Condition": {"StringLike": {"s3:prefix": f"{name}*"}},
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
        export_bytes: the size of the export.
        is_first_try: whether no copy run of this export has failed yet, possibly because its session ended.

    Raises:
        PermanentError: if a copy of this size takes longer than a session may last.
    """
    needed = math.ceil(export_bytes / aws.copy_bytes_per_second) + OVERHEAD_SECONDS
    longest = aws.longest_session_seconds
    if needed > longest:
        raise PermanentError(
            f"The export has {export_bytes:,} bytes. Copying them takes about {needed:,} seconds at "
            f"{aws.copy_bytes_per_second:,} bytes per second, and a session of the AWS role lasts at most {longest:,} "
            "seconds (D2C_AWS_SESSION_SECONDS).",
            _next_step(needed),
            title="The copy would outlast its AWS session",
        )
    return max(SESSION_SECONDS[0], needed) if is_first_try else longest


def copy_session_name(migration: str, table: str) -> str:
    """Return the name of a copy run's session in CloudTrail."""
    return f"d2c-copy-{migration}-{table}"[:MAX_SESSION_NAME_CHARACTERS]


def _next_step(needed: int) -> str:
    others = (
        "set D2C_COPY_BYTES_PER_SECOND if your copies are faster, or set D2C_COPY_CREDENTIALS to key_vault; "
        "then retry the migration (docs/install/aws.md)."
    )
    if needed <= SESSION_SECONDS[1]:
        return f"Set the role's MaxSessionDuration and D2C_AWS_SESSION_SECONDS to {needed:,}, {others}"
    return f"AWS limits sessions to {SESSION_SECONDS[1]:,} seconds: {others}"
