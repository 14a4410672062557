"""The stage verify: compare the export, mapped again, with the container's documents."""

import functools
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.load_run import comparing, cosmos_options, verification
from d2c.load_run.counting.reports import Address, reporting_rows
from d2c.load_run.mappers import request_mapper
from d2c.spark_run.counting import name_of_task
from d2c.spark_run.sides import Sides, columns, compared_by_buckets, keyed, same_documents
from d2c.spark_run.table_load import TableLoad

Counts = dict[str, Any]
Mismatches = list[dict[str, Any]]
# Keys for which the export has several lines, as `check_keys_once` takes them.
Repeated = dict[str, Any]
NOT_LOOKED_AT: Repeated = {"keys": 0, "unlike": 0, "example": None}


def verify(load: TableLoad) -> None:
    """Compare both sides, and what seems wrong once more after a pause."""
    since = load.request.load_started_at or load.progress.found("load_started_at")
    load.counts.expect(load.files, load.sizes, sides=1 if load.request.verify == "counts" else 2)
    compare = _compare_numbers if load.request.verify == "counts" else _compare_documents
    counts, mismatches, repeated = compare(load, since)
    load.progress.note(verification={**counts, "method": load.request.verify}, mismatches=mismatches)
    written = sum((load.progress.found(stage) or {}).get("documents", 0) for stage in ("loaded", "replayed"))
    verification.check_compared_something(counts, load.request.documents_written + written)
    verification.check_keys_once(**repeated)


def _compare_numbers(load: TableLoad, since: int) -> tuple[Counts, Mismatches, Repeated]:
    counts = _count_both_sides(load, since)
    if verification.needs_second_look(counts):
        time.sleep(verification.SECOND_LOOK_SECONDS)
        counts = _count_both_sides(load, since)
    _check_connectors_own_name(load)
    return counts, [], NOT_LOOKED_AT


def _check_connectors_own_name(load: TableLoad) -> None:
    """Check what comparing whole documents would find: that the connector wrote a property of a name that it uses."""
    name = verification.CONNECTORS_OWN_NAME
    mapper, found = request_mapper(load.request), load.progress.found
    if name not in mapper.rules.drop and verification.should_have(name, found("census"), found("assessed")):
        options = cosmos_options.count_options(comparing.constants_of(mapper), mapper.rules.property_of(name))
        verification.check_kept(mapper.rules.property_of(name), _count(load, options))


def _count(load: TableLoad, options: Mapping[str, str]) -> int:
    counted = load.read_container(options, cosmos_options.COUNT_SCHEMA).agg(F.sum("Count"))
    return _only_row(counted)[0] or 0


def _count_both_sides(load: TableLoad, since: int) -> Counts:
    began_at = int(time.time())
    options = cosmos_options.count_options(comparing.constants_of(request_mapper(load.request)))
    actual = _count(load, options)
    worker = comparing.count_expected(load.request, load.files, since, began_at, int(time.time()))
    counted = load.mapped(worker, comparing.EXPECTED_COUNTS_SCHEMA)
    surely, possibly = _only_row(counted.agg(F.sum("surely"), F.sum("possibly")))
    return verification.compare_counts(actual, surely or 0, possibly or 0)


def _compare_documents(load: TableLoad, since: int) -> tuple[Counts, Mismatches, Repeated]:
    """Compare all documents, or a sample, by digests; describe a few that differ."""
    if counts := _all_alike(load, since):
        return counts, [], NOT_LOOKED_AT
    with _sides(load, since) as sides, _judged(sides.once, keyed(sides.actual, sides.key_sql)) as rows:
        counts, repeated, read_at = _judgements(rows, sides)
        if repeated["example"]:
            repeated["example"] = sides.identities([repeated["example"]])[repeated["example"]]
        if verification.needs_second_look(counts):
            wrong = rows.filter(verification.wrong_sql(read_at)).withColumn("key", F.hex("key")).collect()
            return *_look_again(load, since, counts, wrong, sides), repeated
        kinds = _examples(rows, counts, read_at)
        return counts, _describe(load, since, _named(kinds, sides.identities(kinds))), repeated


def _all_alike(load: TableLoad, since: int) -> Counts | None:
    """Return the counts of a small table if both sides have the same documents, by one checksum of each side.

    None if they have not, or might have documents with a time to live, which are compared by themselves.
    """
    if not load.is_small or request_mapper(load.request).rules.container_has_ttl:
        return None
    with _sides(load, since) as sides:
        documents = same_documents(sides.expected, sides.actual)
    if documents is None:
        return None
    return {**dict.fromkeys(verification.SIDES, documents), **dict.fromkeys(verification.KINDS, 0)}


def _sides(load: TableLoad, since: int) -> AbstractContextManager[Sides]:
    """Return both sides; of a small table, they are compared document by document at once."""
    worker = comparing.expected_documents(load.request, load.files, since)
    expected = load.mapped(worker, comparing.EXPECTED_SCHEMA)
    actual = _digests(load, _all_documents(load), load.reports_to)
    if load.is_small:
        return nullcontext(Sides(expected.coalesce(1), actual.repartition(1)))
    return compared_by_buckets(expected, actual)


def _look_again(
    load: TableLoad, since: int, first: Counts, wrong: Sequence[Row], sides: Sides
) -> tuple[Counts, Mismatches]:
    """Compare once more what seemed wrong, after a pause."""
    names = sides.identities([row.key for row in wrong])
    time.sleep(verification.SECOND_LOOK_SECONDS)
    known = [
        tuple(row[name] for name in comparing.EXPECTED_ONCE) for row in wrong if row.mismatch != "unexpected"
    ]
    expected = load.spark.createDataFrame(known, comparing.EXPECTED_ONCE_SCHEMA)
    identities = list(names.values())
    actual = _digests(load, _documents_with(load, identities)).filter(F.col("identity").isin(identities))
    with _judged(expected.withColumn("key", F.unhex("key")), keyed(actual, sides.key_sql)) as rows:
        again, _, read_at = _judgements(rows)
        mismatches = _describe(load, since, _named(_examples(rows, again, read_at), names))
    return verification.counts_after_second_look(first, again), mismatches


def _all_documents(load: TableLoad) -> DataFrame:
    rows = load.read_container(cosmos_options.read_options())
    if load.is_small:
        return rows
    reads_with, cores = load.request.verify_reads_with, load.spark.sparkContext.defaultParallelism
    options = cosmos_options.partitioning_options(reads_with, rows.rdd.getNumPartitions(), cores)
    return load.read_container({**cosmos_options.read_options(), **options}) if options else rows


def _documents_with(load: TableLoad, identities: Collection[str]) -> DataFrame:
    """Return the documents that have the ids of a few identities, without reading all others."""
    ids, size = sorted(set(map(comparing.id_of, identities))), verification.IDS_PER_QUERY
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    reads = [load.read_container(cosmos_options.query_options(part)) for part in parts]
    return functools.reduce(DataFrame.union, reads)


def _digests(load: TableLoad, documents: DataFrame, reports_to: Address | None = None) -> DataFrame:
    worker = reporting_rows(comparing.actual_documents(load.request), reports_to, name_of_task)
    return documents.select("_rawBody").mapInArrow(worker, comparing.ACTUAL_SCHEMA)


@contextmanager
def _judged(expected: DataFrame, actual: DataFrame) -> Iterator[DataFrame]:
    """Join both sides and judge each pair; the rows are kept while the block runs."""
    compared = expected.alias("e").join(actual.alias("a"), F.expr("e.key = a.key"), "full_outer")
    rows = compared.select(*columns(verification.JUDGEMENT_SQL)).persist()
    try:
        yield rows
    finally:
        rows.unpersist()


def _judgements(rows: DataFrame, sides: Sides | None = None) -> tuple[Counts, Repeated, int]:
    """Return the counts of judged rows, the repeated keys, and the time at which both sides were read.

    Args:
        rows: judged.
        sides: with the documents that both sides have alike, which are not among the rows.
    """
    rows.count()  # reads both sides to their ends, which defines the time of reading
    read_at, alike = (sides.read_at, sides.alike) if sides else (None, 0)
    read_at = read_at or int(time.time())
    counts = verification.counts_sql(read_at)
    found = _only_row(rows.agg(*columns(counts | verification.REPEATED_SQL))).asDict()
    return (
        {name: found[name] + (alike if name in verification.SIDES else 0) for name in counts},
        {name: found[name] for name in verification.REPEATED_SQL},
        read_at,
    )


def _examples(rows: DataFrame, counts: Mapping[str, int], read_at: int) -> dict[str, str]:
    """Return a few mismatches of each kind: their kinds by key, in hex."""
    kinds: dict[str, str] = {}
    for kind in filter(counts.get, verification.KINDS):
        chosen = rows.filter(verification.mismatch_sql(kind, read_at)).select(F.hex("key").alias("key"))
        kinds |= {row.key: kind for row in chosen.orderBy("key").limit(verification.MOST_EXAMPLES).collect()}
    return kinds


def _named(kinds: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Return kinds by identity."""
    return {names[key]: kind for key, kind in kinds.items()}


def _describe(load: TableLoad, since: int, kinds: Mapping[str, str]) -> Mismatches:
    """Return mismatches with the properties that differ, from the whole documents."""
    different = frozenset(identity for identity, kind in kinds.items() if kind == "different")
    expected: dict[str, list[str]] = {}
    actual: dict[str, list[str]] = {}
    if different:
        worker = comparing.expected_bodies(load.request, load.files, since, different)
        expected = _bodies(load.mapped(worker, comparing.BODY_SCHEMA))
        worker = comparing.actual_bodies(load.request, different)
        documents = _documents_with(load, different).select("_rawBody")
        actual = _bodies(documents.mapInArrow(worker, comparing.BODY_SCHEMA))
    has_ttl = request_mapper(load.request).rules.container_has_ttl
    return verification.describe(kinds, expected, actual, ignore_ttl=has_ttl)


def _bodies(rows: DataFrame) -> dict[str, list[str]]:
    """Return the documents of each identity: one, or two of those by several lines of the export."""
    found = rows.groupBy("identity").agg(F.min("body").alias("one"), F.max("body").alias("other"))
    return {row.identity: sorted({row.one, row.other}) for row in found.collect()}


def _only_row(rows: DataFrame) -> Row:
    """Return the row of an aggregation."""
    return rows.collect()[0]
