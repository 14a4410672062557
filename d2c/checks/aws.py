"""AWS checks: the app's identity, and the export bucket."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from d2c.checks.findings import Finding, Findings
from d2c.plan.tables import Location

if TYPE_CHECKING:
    from d2c.clients.aws.s3 import Bucket

IDENTITY, COPY_SESSION, BUCKET_EXISTS, ENCRYPTION, LISTING, WRITING = (
    "identity",
    "copy session",
    "exists",
    "encryption",
    "can be read",
    "can be written",
)

GRANT_KEY = (
    "Grant the app kms:GenerateDataKey and kms:Decrypt on it, and kms:Decrypt to the reader of the copy "
    "(docs/install/permissions.md)."
)


def check_identities(locations: Sequence[Location], caller: Callable[[Location], str]) -> list[Finding]:
    """Check the app's AWS identity in each account and region of the plan.

    Args:
        locations: those of the plan's tables.
        caller: returns the ARN of the app's identity in a location.
    """
    findings = Findings("AWS")
    for location in locations:
        with findings.attempt(str(location), IDENTITY):
            findings.ok(str(location), IDENTITY, f"The app is signed in as {caller(location)}.")
    return findings.found


def check_copy_sessions(
    locations: Sequence[Location], take_on: Callable[[Location], str], longest_session_seconds: int
) -> list[Finding]:
    """Assume the roles with which copies read S3, for as long as the longest copy may need them.

    Args:
        locations: those of the plan's tables.
        take_on: assumes the role for copies from a location, discards the credentials and returns the role's ARN.
        longest_session_seconds: the longest session that a copy may need.
    """
    findings = Findings("AWS")
    for location in locations:
        with findings.attempt(str(location), COPY_SESSION):
            session = f"{take_on(location)} can be assumed for {longest_session_seconds:,} seconds"
            findings.ok(str(location), COPY_SESSION, f"{session}, the longest session that a copy may need.")
    return findings.found


def check_bucket(
    connect: Callable[[], "Bucket"], name: str, prefix: str, regions: Sequence[str], kms_key: str
) -> list[Finding]:
    """Check the bucket, except writing, since a test would change it.

    Args:
        connect: connects to the bucket.
        name: its name.
        prefix: the key prefix of exports.
        regions: those of the plan's tables.
        kms_key: the KMS key that exports are encrypted with; empty for S3's own keys.
    """
    findings = Findings("S3")
    with findings.attempt(name, BUCKET_EXISTS):
        bucket = connect()
        _check_region(findings, name, bucket.region(), regions)
        with findings.attempt(name, ENCRYPTION, is_needed=False):
            _check_encryption(findings, bucket, name, kms_key)
        with findings.attempt(name, LISTING):
            bucket.try_listing(f"{prefix}/")
            findings.ok(name, LISTING, "Objects can be listed.")
        findings.skipped(
            name,
            WRITING,
            "DynamoDB writes exports with the app's permissions, and the app lists of their files; testing them would "
            "change the bucket.",
            "Compare the app's policy with docs/install/permissions.md: s3:PutObject, s3:PutObjectAcl, "
            "s3:AbortMultipartUpload.",
        )
    return findings.found


def _check_region(findings: Findings, name: str, region: str, regions: Sequence[str]) -> None:
    others = sorted({other for other in regions if other != region})
    if not region or not others:
        findings.ok(name, BUCKET_EXISTS, f"The bucket is in {region or 'a region that AWS does not report'}.")
        return
    findings.warning(
        name,
        BUCKET_EXISTS,
        f"The bucket is in {region}, and tables are in {', '.join(others)}: their exports cross regions, for which AWS "
        "charges.",
        "Use a bucket in the tables' region, or accept the transfer.",
    )


def _check_encryption(findings: Findings, bucket: "Bucket", name: str, kms_key: str) -> None:
    if kms_key:
        findings.warning(name, ENCRYPTION, f"Exports are encrypted with the KMS key {kms_key}.", GRANT_KEY)
        return
    encryption = bucket.encryption()
    if not encryption.algorithm.startswith("aws:kms"):
        findings.ok(name, ENCRYPTION, f"Objects are encrypted with S3's own keys ({encryption.algorithm}).")
        return
    findings.warning(
        name,
        ENCRYPTION,
        f"Objects are encrypted with the KMS key {encryption.kms_key or 'aws/s3'}.",
        f"Set D2C_EXPORT_KMS_KEY to it, or DynamoDB encrypts exports with S3's own keys. {GRANT_KEY}",
    )
