"""The stage verify: compare the export, mapped again, with the container's documents."""

import functools
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.load_run import comparing, cosmos_options, verification
from d2c.load_run.counting.reports import Address, reporting, reporting_rows
from d2c.load_run.mappers import request_mapper
from d2c.spark_run.counting import name_of_task
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
    counted = load.contents.mapInArrow(reporting(worker, load.reports_to), comparing.EXPECTED_COUNTS_SCHEMA)
    surely, possibly = _only_row(counted.agg(F.sum("surely"), F.sum("possibly")))
    return verification.compare_counts(actual, surely or 0, possibly or 0)


def _compare_documents(load: TableLoad, since: int) -> tuple[Counts, Mismatches, Repeated]:
    """Compare all documents, or a sample, by digests; describe a few that differ."""
    worker = comparing.expected_documents(load.request, load.files, since)
    lines = load.contents.mapInArrow(reporting(worker, load.reports_to), comparing.EXPECTED_SCHEMA)
    expected = lines.groupBy("identity").agg(*_columns(verification.EXPECTED_ONCE_SQL))
    actual = _digests(load, _all_documents(load), load.reports_to)
    with _judged(expected, actual.repartition(1) if load.is_small else actual) as rows:
        counts, repeated, read_at = _judgements(rows)
        if verification.needs_second_look(counts):
            wrong = rows.filter(verification.wrong_sql(read_at)).collect()
            return *_look_again(load, since, counts, wrong), repeated
        return counts, _describe(load, since, _examples(rows, counts, read_at)), repeated


def _look_again(
    load: TableLoad, since: int, first: Counts, wrong: Sequence[Row]
) -> tuple[Counts, Mismatches]:
    """Compare once more what seemed wrong, after a pause."""
    time.sleep(verification.SECOND_LOOK_SECONDS)
    identities = [row.identity for row in wrong]
    known = [
        tuple(row[name] for name in comparing.EXPECTED_ONCE) for row in wrong if row.mismatch != "unexpected"
    ]
    expected = load.spark.createDataFrame(known, comparing.EXPECTED_ONCE_SCHEMA)
    actual = _digests(load, _documents_with(load, identities)).filter(F.col("identity").isin(identities))
    with _judged(expected, actual) as rows:
        again, _, read_at = _judgements(rows)
        mismatches = _describe(load, since, _examples(rows, again, read_at))
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
    compared = expected.alias("e").join(actual.alias("a"), F.expr("e.identity = a.identity"), "full_outer")
    rows = compared.select(*_columns(verification.JUDGEMENT_SQL)).persist()
    try:
        yield rows
    finally:
        rows.unpersist()


def _judgements(rows: DataFrame) -> tuple[Counts, Repeated, int]:
    """Return the counts of judged rows, the repeated keys, and the time at which both sides were read."""
    rows.count()  # reads both sides to their ends, which defines the time of reading
    read_at = int(time.time())
    counts = verification.counts_sql(read_at)
    found = _only_row(rows.agg(*_columns(counts | verification.REPEATED_SQL))).asDict()
    return (
        {name: found[name] for name in counts},
        {name: found[name] for name in verification.REPEATED_SQL},
        read_at,
    )


def _columns(sql_by_name: Mapping[str, str]) -> list[Column]:
    return [F.expr(sql).alias(name) for name, sql in sql_by_name.items()]


def _examples(rows: DataFrame, counts: Mapping[str, int], read_at: int) -> dict[str, str]:
    """Return a few mismatches of each kind: their kinds by identity."""
    kinds: dict[str, str] = {}
    for kind in filter(counts.get, verification.KINDS):
        chosen = rows.filter(verification.mismatch_sql(kind, read_at)).select("identity").orderBy("identity")
        kinds |= {row.identity: kind for row in chosen.limit(verification.MOST_EXAMPLES).collect()}
    return kinds


def _describe(load: TableLoad, since: int, kinds: Mapping[str, str]) -> Mismatches:
    """Return mismatches with the properties that differ, from the whole documents."""
    different = frozenset(identity for identity, kind in kinds.items() if kind == "different")
    expected: dict[str, list[str]] = {}
    actual: dict[str, list[str]] = {}
    if different:
        worker = comparing.expected_bodies(load.request, load.files, since, different)
        expected = _bodies(load.contents.mapInArrow(worker, comparing.BODY_SCHEMA))
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
