"""AWS: who the app is there, and the bucket that DynamoDB exports to."""

from collections.abc import Callable, Sequence

from d2c.app.aws_settings import AwsSettings
from d2c.checks.findings import Finding, Findings
from d2c.clients.aws.copy_session import copy_session_seconds
from d2c.clients.aws.s3 import Bucket
from d2c.errors import PermanentError
from d2c.plan.tables import Location

IDENTITY, COPY_SESSION, COPY_TIME, BUCKET_EXISTS, ENCRYPTION, LISTING, WRITING = (
    "identity",
    "copy session",
    "copy time",
    "exists",
    "encryption",
    "can be read",
    "can be written",
)


def check_identities(places: Sequence[Location], caller: Callable[[Location], str]) -> list[Finding]:
    """Ask AWS in each of the plan's places who the app is.

    Args:
        places: those of the plan's tables.
        caller: returns the ARN of the app's identity in one of them.
    """
    findings = Findings("AWS")
    for place in places:
        with findings.attempt(str(place), IDENTITY):
            findings.ok(str(place), IDENTITY, f"The app is signed in as {caller(place)}.")
    return findings.found


def check_copy_sessions(
    places: Sequence[Location], take_on: Callable[[Location], str], longest_session_seconds: int
) -> list[Finding]:
    """Take on the roles that copies read S3 with, for as long as the longest copy may need them.

    Args:
        places: those of the plan's tables.
        take_on: takes on the role for copies from one of them, throws the credentials away and returns its ARN.
        longest_session_seconds: how long a session may have to last.
    """
    findings = Findings("AWS")
    for place in places:
        with findings.attempt(str(place), COPY_SESSION):
            told = f"{take_on(place)} may be taken on for {longest_session_seconds:,} seconds"
            findings.ok(str(place), COPY_SESSION, f"{told}, the longest that a copy's session has to last.")
    return findings.found


def check_copy_time(table: str, copied_bytes: int, aws: AwsSettings) -> list[Finding]:
    """Tell whether a table's copy ends before its session does; the bytes are an estimate, so it may be otherwise.

    Args:
        table: its name.
        copied_bytes: of its export in S3.
        aws: the settings about sessions.
    """
    findings = Findings("S3")
    try:
        seconds = copy_session_seconds(aws, copied_bytes, is_first_try=True)
    except PermanentError as error:
        findings.warning(table, COPY_TIME, f"By its estimated size: {error.detail}", error.next_step)
    else:
        findings.ok(table, COPY_TIME, f"A session of {seconds:,} seconds outlasts the copy.")
    return findings.found


def check_bucket(
    connect: Callable[[], Bucket], name: str, prefix: str, regions: Sequence[str]
) -> list[Finding]:
    """Look at the bucket; whether it can be written is left to the first export, for a trial would be a change.

    Args:
        connect: connects to it.
        name: its name.
        prefix: what the keys of exports begin with.
        regions: those of the plan's tables.
    """
    findings = Findings("S3")
    with findings.attempt(name, BUCKET_EXISTS):
        bucket = connect()
        _check_region(findings, name, bucket.region(), regions)
        with findings.attempt(name, ENCRYPTION, is_needed=False):
            _check_encryption(findings, bucket, name)
        with findings.attempt(name, LISTING):
            bucket.try_listing(f"{prefix}/")
            findings.ok(name, LISTING, "Objects can be listed.")
        findings.skipped(
            name,
            WRITING,
            "DynamoDB writes exports with the app's rights; to try them would change the bucket.",
            "Hold the app's policy against docs/install/permissions.md: s3:PutObject, s3:PutObjectAcl, "
            "s3:AbortMultipartUpload.",
        )
    return findings.found


def _check_region(findings: Findings, name: str, region: str, regions: Sequence[str]) -> None:
    others = sorted({other for other in regions if other != region})
    if not region or not others:
        findings.ok(name, BUCKET_EXISTS, f"The bucket is in {region or 'a region that AWS does not tell'}.")
        return
    findings.warning(
        name,
        BUCKET_EXISTS,
        f"The bucket is in {region}, and tables are in {', '.join(others)}: their exports cross regions, which AWS "
        "charges for.",
        "Use a bucket in the tables' region, or accept the transfer.",
    )


def _check_encryption(findings: Findings, bucket: Bucket, name: str) -> None:
    encryption = bucket.encryption()
    if not encryption.algorithm.startswith("aws:kms"):
        findings.ok(name, ENCRYPTION, f"Objects are encrypted with S3's own keys ({encryption.algorithm}).")
        return
    findings.warning(
        name,
        ENCRYPTION,
        f"Objects are encrypted with the KMS key {encryption.kms_key or 'aws/s3'}.",
        "Grant the app kms:GenerateDataKey and kms:Decrypt on it, and the reader of the copy kms:Decrypt "
        "(docs/install/permissions.md).",
    )
