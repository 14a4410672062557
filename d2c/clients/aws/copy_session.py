"""The temporary credentials with which Data Factory reads one export: permissions and lifetime."""

import math
import re
from typing import Any

from d2c.app.aws_settings import SESSION_SECONDS, AwsSettings

# Runs wait in Data Factory's queue, and copy the manifests in addition to the data.
OVERHEAD_SECONDS = 900
# A copy may be so many times as slow as expected.
SPARE = 2
# Of the shortest sessions it takes this part, since nothing would be left of them.
LEAST_SHARE = 3
MAX_SESSION_NAME_CHARACTERS = 64


def copy_session_policy(role_arn: str, bucket: str, folder: str) -> dict[str, Any]:
    """Return the policy that restricts a copy run to reading one export's objects, and the lists of them beside it.

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
                "Resource": f"{bucket_arn}/{name}*",
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


def most_bytes_of_a_run(aws: AwsSettings) -> int:
    """Return how much one copy run takes, so that it ends well before its credentials do.

    An access key does not expire; its runs are bounded alike, so that one that fails loses no more.
    """
    longest = aws.longest_session_seconds if aws.copy_credentials == "session" else SESSION_SECONDS[1]
    seconds = max(longest - OVERHEAD_SECONDS, longest // LEAST_SHARE)
    return seconds // SPARE * aws.copy_bytes_per_second


def copy_session_seconds(aws: AwsSettings, copied_bytes: int, *, is_first_try: bool) -> int:
    """Return how long the credentials of a copy run must last; Data Factory cannot renew them during a run.

    Args:
        aws: the settings.
        copied_bytes: the size of the files that it copies.
        is_first_try: whether no copy run of these files has failed yet, possibly because its session ended.
    """
    needed = SPARE * math.ceil(copied_bytes / aws.copy_bytes_per_second) + OVERHEAD_SECONDS
    longest = aws.longest_session_seconds
    return min(max(SESSION_SECONDS[0], needed), longest) if is_first_try else longest


def copy_session_name(migration: str, table: str) -> str:
    """Return the name of a copy run's session in CloudTrail."""
    return f"d2c-copy-{migration}-{table}"[:MAX_SESSION_NAME_CHARACTERS]
