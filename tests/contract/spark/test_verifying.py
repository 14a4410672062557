"""Verifications in a Spark session: of a small table document by document, of others by checksums of buckets first.

Of few items the driver makes the documents that a container must hold, of others tasks do.
"""

import json
import re
from dataclasses import replace

import orjson
import pytest

from d2c.errors import PermanentError
from d2c.load_run import verification
from d2c.load_run.mappers import request_mapper
from d2c.spark_run.table_load import TableLoad
from d2c.spark_run.verifying import verify
from tests.unit.load_run.batches import data_file, lines_of, request

NOW = 1_780_000_000
LATER = str(NOW + 10**8)
ITEMS = [
    *({"pk": {"S": f"k{number:03}"}, "v": {"N": str(number)}} for number in range(300)),
    *({"pk": {"S": f"t{number:03}"}, "until": {"N": LATER}} for number in range(40)),
]
# It is not in the container, since it has expired.
SOON = {"pk": {"S": "soon"}, "until": {"N": str(NOW + 5)}}
FADING = request({}, ttl_attribute="until", stages=("verify",), load_started_at=NOW, documents_written=1)
NONE = {"missing": 0, "unexpected": 0, "different": 0}


class Load(TableLoad):
    """A load of data files and of a container that lie in memory; counts how often the container was read whole."""

    is_small = has_few_items = False
    documents = ()

    def read_container(self, options, schema=None):
        texts = [(json.dumps(document),) for document in self.documents]
        rows = self.spark.createDataFrame(texts, "_rawBody string").coalesce(1)
        if "spark.cosmos.read.customQuery" in options:
            return rows
        reads = self.reads

        def counted(batches):
            reads.add(1)
            yield from batches

        return rows.mapInArrow(counted, rows.schema)


def stored_documents(asked, items):
    mapper = request_mapper(asked)
    bodies = [mapper.map_line(line, NOW).body for line in lines_of(*items)]
    return {document["id"]: {**document, "_ts": NOW} for document in map(orjson.loads, bodies)}


def load_of(spark, asked, items, documents, **kind):
    file, batch = data_file(lines_of(*items))
    load = Load(asked, spark, None)
    load.documents, load.reads = documents, spark.sparkContext.accumulator(0)
    contents = spark.createDataFrame(
        [tuple(row.values()) for row in batch.to_pylist()], "path string, content binary"
    )
    # As they are found once.
    vars(load).update(files=(file,), listed=(file,), sizes={file.name: 1}, contents=contents, **kind)
    load.progress._write = lambda name, text: None
    return load


def found_by(spark, change=lambda documents: None, asked=FADING, items=ITEMS):
    """Return what all ways find after a change of the container, which must be alike, and how often each reads it."""
    documents = stored_documents(asked, ITEMS)
    change(documents)
    found, reads = [], []
    for kind in ({"is_small": True, "has_few_items": True}, {"is_small": True}, {}):
        load = load_of(spark, asked, items, documents.values(), **kind)
        try:
            verify(load)
        except PermanentError as error:
            # Of several keys, each way names another as its example.
            told = re.sub(r'\["k00\d","k00\d"\]', "[key]", str(error))
            found.append((told, load.progress.found("verification"), load.progress.found("mismatches")))
        else:
            found.append((None, load.progress.found("verification"), load.progress.found("mismatches")))
        reads.append(load.reads.value)
    assert found[0] == found[1] == found[2]
    return *found[1], reads


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(verification, "SECOND_LOOK_SECONDS", 0)


def damage(documents):
    del documents["k005"], documents["t001"]
    documents["new"] = {"id": "new", "pk": "new", "_ts": NOW}
    documents["k010"]["v"] = -1
    documents["k011"]["ttl"] = 5
    documents["t003"]["ttl"] = 60
    del documents["t004"]["ttl"]


def test_a_container_that_has_all_is_read_once_and_no_document_is_compared_alone(spark):
    error, counts, mismatches, reads = found_by(spark, asked=replace(FADING, ttl_attribute=None))
    assert (error, mismatches, reads) == (None, [], [1, 1, 1])
    assert counts == {"expected": 340, "actual": 340, **NONE, "method": "full"}


def test_a_small_container_is_read_again_only_if_its_checksum_is_not_that_of_the_export(spark):
    asked = replace(FADING, ttl_attribute=None)
    error, counts, mismatches, reads = found_by(spark, lambda documents: documents.pop("k005"), asked)
    assert (error, counts["missing"], len(mismatches), reads) == (None, 1, 1, [2, 2, 1])


def test_each_kind_of_damage_is_found_by_buckets_as_document_by_document(spark):
    error, counts, mismatches, reads = found_by(spark, damage, items=[*ITEMS, SOON])
    assert (error, reads) == (None, [1, 1, 1])
    assert counts == {
        "expected": 340,
        "actual": 339,
        "missing": 2,
        "unexpected": 1,
        "different": 4,
        "method": "full",
    }
    assert {one["document"]: (one["kind"], *one["properties"]) for one in mismatches} == {
        '["k005","k005"]': ("missing",),
        '["t001","t001"]': ("missing",),
        '["new","new"]': ("unexpected",),
        '["k010","k010"]': ("different", "v"),
        '["k011","k011"]': ("different", "ttl"),
        '["t003","t003"]': ("different", "ttl"),
        '["t004","t004"]': ("different", "ttl"),
    }


def test_more_mismatches_than_are_looked_at_again_have_examples(spark, monkeypatch):
    monkeypatch.setattr(verification, "MOST_LOOKED_AT_AGAIN", 3)
    monkeypatch.setattr(verification, "MOST_EXAMPLES", 200)
    error, counts, mismatches, _ = found_by(
        spark, lambda documents: [documents.pop(f"k{n:03}") for n in range(150)]
    )
    assert (error, counts["missing"], counts["actual"], len(mismatches)) == (None, 150, 190, 150)
    assert mismatches[7]["document"] == '["k007","k007"]'


def test_a_key_of_several_lines_is_found_by_buckets_too(spark):
    error, counts, _, _ = found_by(spark, items=[*ITEMS, ITEMS[7], {**ITEMS[8], "v": {"N": "9"}}])
    assert "several lines for each of 2 keys, such as [key]; " in error
    assert "for 1 of them with different values" in error
    assert counts["expected"] == counts["actual"] == 340
