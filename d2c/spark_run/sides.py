"""Both sides of a verification, what a container must hold and what it holds, compared first by their checksums."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.load_run import verification

# So many checksums of each side are compared before any documents are. Of any number of documents they are some 100 KB
# a task, and one mismatch has only the documents of its bucket compared one by one.
BUCKETS = 4_096
# A document with a time to live is compared by itself: its expiry need only be near the expected one, and when the
# container is read, the document may be gone.
BY_ITSELF = -1
_BUCKET = f"pmod(xxhash64(identity), {BUCKETS})"
EXPECTED_BUCKET_SQL = f"case when expires_at is null then {_BUCKET} else {BY_ITSELF} end"
ACTUAL_BUCKET_SQL = f"case when ttl is null then {_BUCKET} else {BY_ITSELF} end"
# Both sides have the same of a bucket if they have the same documents. Where an export has a key twice, the container
# has fewer documents.
CHECKSUM_SQL = {
    "documents": "count(*)",
    "checksum": "bit_xor(xxhash64(identity, digest))",
    "other_checksum": "bit_xor(xxhash64(digest, identity))",
}
# What stands for an identity where documents are compared one by one: 16 bytes, or of a small table its text.
KEY_SQL = "substring(unhex(sha2(identity, 256)), 1, 16)"
SMALL_KEY_SQL = "cast(identity as binary)"

Checksums = Mapping[int, tuple[Any, ...]]
"""What a side has in each bucket, as in `CHECKSUM_SQL`."""


@dataclass(frozen=True)
class Sides:
    """What is compared document by document.

    Args:
        expected: rows of `comparing.EXPECTED_SCHEMA`.
        actual: rows of `comparing.ACTUAL_SCHEMA`.
        alike: how many documents need not be compared, since both sides have them.
        read_at: epoch seconds at which both sides had been read; None if they have not been.
    """

    expected: DataFrame
    actual: DataFrame
    alike: int = 0
    read_at: int | None = None

    @property
    def key_sql(self) -> str:
        """What stands for an identity."""
        return SMALL_KEY_SQL if self.read_at is None else KEY_SQL

    @property
    def once(self) -> DataFrame:
        """The expected documents by key, each once, however many lines of the export it has."""
        return keyed(self.expected, self.key_sql).groupBy("key").agg(*columns(verification.EXPECTED_ONCE_SQL))

    def identities(self, keys: Collection[str]) -> dict[str, str]:
        """Return the identities that a few keys, in hex, stand for."""
        if self.read_at is None:
            return {key: bytes.fromhex(key).decode() for key in keys}
        rows = self.expected.select("identity").union(self.actual.select("identity"))
        found = rows.select(F.hex(F.expr(self.key_sql)).alias("key"), "identity").filter(
            F.col("key").isin(list(keys))
        )
        return {row.key: row.identity for row in found.distinct().collect()} if keys else {}


@contextmanager
def compared_by_buckets(expected: DataFrame, actual: DataFrame) -> Iterator[Sides]:
    """Compare checksums of both sides, and yield what is left to be compared document by document.

    The container is read once: rows without the documents stay on the disks of the cluster while the block runs.
    """
    both = [rows.persist(StorageLevel.DISK_ONLY) for rows in (expected, actual)]
    sql = (EXPECTED_BUCKET_SQL, ACTUAL_BUCKET_SQL)
    try:
        sums = _checksums(both, sql)
        read_at = int(time.time())
        unlike, alike = unlike_buckets(*sums)
        places = ", ".join(map(str, unlike)) or "null"
        left, right = (rows.filter(f"{bucket} in ({places})") for rows, bucket in zip(both, sql, strict=True))
        yield Sides(left, right, alike, read_at)
    finally:
        for rows in both:
            rows.unpersist()


def _checksums(both: Sequence[DataFrame], sql: Sequence[str]) -> list[Checksums]:
    """Return the checksums of each side's buckets, in one job."""
    sums = [
        rows.groupBy(F.expr(bucket).alias("bucket"))
        .agg(*columns(CHECKSUM_SQL))
        .withColumn("side", F.lit(side))
        for side, (rows, bucket) in enumerate(zip(both, sql, strict=True))
    ]
    found: list[dict[int, tuple[int, ...]]] = [{}, {}]
    for row in sums[0].union(sums[1]).collect():
        found[row.side][row.bucket] = tuple(row[name] for name in CHECKSUM_SQL)
    return list(found)


def same_documents(expected: DataFrame, actual: DataFrame) -> int | None:
    """Return how many documents both sides have if they have the same, as far as one checksum tells; None if not."""
    sums = [
        rows.selectExpr(*(f"{sql} {name}" for name, sql in CHECKSUM_SQL.items()))
        for rows in (expected, actual)
    ]
    first, second = sums[0].union(sums[1]).collect()
    return int(first.documents) if first == second else None


def unlike_buckets(expected: Checksums, actual: Checksums) -> tuple[list[int], int]:
    """Return the buckets whose documents are compared one by one, and how many documents the others have.

    Args:
        expected: the export's.
        actual: the container's.
    """
    alike = {bucket for bucket, sums in expected.items() if actual.get(bucket) == sums} - {BY_ITSELF}
    return sorted((expected.keys() | actual.keys()) - alike), sum(expected[bucket][0] for bucket in alike)


def keyed(rows: DataFrame, key_sql: str) -> DataFrame:
    """Return rows with what stands for their identities, and without those."""
    return rows.withColumn("key", F.expr(key_sql)).drop("identity")


def columns(sql_by_name: Mapping[str, str]) -> list[Column]:
    """Return columns by the SQL of each name."""
    return [F.expr(sql).alias(name) for name, sql in sql_by_name.items()]
