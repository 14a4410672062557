"""Writes by Spark against a running local Cosmos DB."""

import json

import pytest

both_modes = pytest.mark.parametrize("bulk", ["true", "false"], ids=["bulk", "point"])


def body(name, partition="a", **properties):
    return json.dumps({"id": name, "pk": partition, **properties})


@both_modes
def test_overwrite_creates_and_replaces(table_of, bulk):
    table = table_of()
    table.write([body("1", n=1), body("2", n=1)], write__bulk__enabled=bulk)
    table.write([body("2", n=2), body("3", n=2)], write__bulk__enabled=bulk)
    assert [(d["id"], d["n"]) for d in table.documents()] == [("1", 1), ("2", 2), ("3", 2)]


@both_modes
def test_append_leaves_what_is_there(table_of, bulk):
    table = table_of()
    table.write([body("1", n=1)])
    table.write([body("1", n=2), body("2", n=2)], "ItemAppend", write__bulk__enabled=bulk)
    assert [(d["id"], d["n"]) for d in table.documents()] == [("1", 1), ("2", 2)]


@both_modes
def test_delete_takes_away_what_is_there_and_lives_with_what_is_not(table_of, bulk):
    table = table_of()
    table.write([body("1"), body("2")])
    table.write([body("2"), body("3")], "ItemDelete", write__bulk__enabled=bulk)
    assert [d["id"] for d in table.documents()] == ["1"]


@both_modes
def test_overwrite_if_not_modified_replaces_only_the_version_that_was_read(table_of, bulk):
    table = table_of()
    table.write([body("same", n=1), body("changed", n=1), body("there", n=1)])
    etags = {d["id"]: d["_etag"] for d in table.container.read_all_items()}
    table.write([body("changed", n=2)])
    table.write(
        [
            body("same", n=3, _etag=etags["same"]),
            body("changed", n=3, _etag=etags["changed"]),
            body("gone", n=3, _etag=etags["same"]),
            body("there", n=3),
            body("new", n=3),
        ],
        "ItemOverwriteIfNotModified",
        write__bulk__enabled=bulk,
    )
    found = {d["id"]: d["n"] for d in table.documents()}
    assert found == {"same": 3, "changed": 2, "there": 1, "new": 3}


@both_modes
def test_delete_if_not_modified_deletes_only_the_version_that_was_read(table_of, bulk):
    table = table_of()
    table.write([body("same"), body("changed")])
    etags = {d["id"]: d["_etag"] for d in table.container.read_all_items()}
    table.write([body("changed", n=2)])
    rows = [body(name, _etag=etag) for name, etag in etags.items()]
    table.write([*rows, body("gone", _etag="x")], "ItemDeleteIfNotModified", write__bulk__enabled=bulk)
    assert [d["id"] for d in table.documents()] == ["changed"]


def test_delete_if_not_modified_without_an_etag_fails(table_of):
    with pytest.raises(Exception, match="needs the _etag of the document with id '1'"):
        table_of().write([body("1")], "ItemDeleteIfNotModified")


@both_modes
def test_documents_that_differ_in_the_second_level_of_a_hierarchical_key_are_two(table_of, bulk):
    table = table_of("/a", '/b/"c d"', "/n")
    keys = [("x", "y", 1), ("x", "z", 1), ("x", "y", None), ("x", "y", True), ("x", "y", "1")]
    bodies = [json.dumps({"id": "1", "a": a, "b": {"c d": b}, "n": n}) for a, b, n in keys]
    table.write(bodies, write__bulk__enabled=bulk)
    assert table.container.read_item("1", ["x", "z", 1])["b"] == {"c d": "z"}
    assert len(table.documents()) == len(keys)
    table.write(bodies[:2], "ItemDelete", write__bulk__enabled=bulk)
    assert sorted(map(repr, [d["n"] for d in table.documents()])) == ["'1'", "None", "True"]


@both_modes
def test_partition_keys_beyond_ascii_arrive(table_of, bulk):
    table = table_of()
    table.write([body("ü-日本", "ключ-🎉/#?")], write__bulk__enabled=bulk)
    assert table.container.read_item("ü-日本", "ключ-🎉/#?")["pk"] == "ключ-🎉/#?"
    table.write([body("ü-日本", "ключ-🎉/#?")], "ItemDelete", write__bulk__enabled=bulk)
    assert table.documents() == []


def test_a_document_without_partition_key_needs_point_writes(table_of):
    table = table_of()
    text = json.dumps({"id": "1", "v": 1})
    with pytest.raises(Exception, match=r"id '1' has no partition key.*bulk\.enabled to false"):
        table.write([text])
    table.write([text], write__bulk__enabled="false")
    assert table.documents() == [{"id": "1", "v": 1}]


def test_properties_named_like_those_of_a_batch_are_kept(table_of):
    table = table_of()
    document = {
        "id": "1",
        "pk": "a",
        "operationType": "Delete",
        "partitionKey": "b",
        "resourceBody": {"x": [1]},
    }
    table.write([json.dumps(document)])
    assert table.documents() == [document]


def test_values_arrive_as_they_are(table_of):
    table = table_of()
    document = {"id": "1", "pk": "a", "x": [1, 2.5, -1e-130, None, True, {}], "": "\u2028\x00", "é": 2**53}
    table.write([json.dumps(document)])
    assert table.documents() == [document]


def test_other_columns_beside_the_raw_body_are_ignored(table_of, spark):
    table = table_of()
    table.write_rows(spark.createDataFrame([(body("1"), "other", 5)], "_rawBody string, id string, n int"))
    assert table.documents() == [{"id": "1", "pk": "a"}]


def test_columns_become_the_document_where_there_is_no_raw_body(table_of, spark):
    table = table_of()
    schema = "id string, pk string, n bigint, d double, b boolean, l array<int>, s struct<x: int, y: string>"
    table.write_rows(spark.createDataFrame([("1", "a", 7, 0.5, None, [1, 2], (3, "z"))], schema))
    assert table.documents() == [
        {"id": "1", "pk": "a", "n": 7, "d": 0.5, "b": None, "l": [1, 2], "s": {"x": 3, "y": "z"}}
    ]


def test_a_document_of_two_megabytes_goes_in_a_batch_of_its_own(table_of):
    table = table_of()
    bodies = [body("small"), body("big", s="x" * 2_000_000), body("small2")]
    table.write(bodies)
    assert [(d["id"], len(d.get("s", ""))) for d in table.documents()] == [
        ("big", 2_000_000),
        ("small", 0),
        ("small2", 0),
    ]


def test_20000_documents_read_back_are_those_that_were_written(table_of):
    table = table_of()
    written = {
        f"i{n}": {"id": f"i{n}", "pk": f"p{n % 97}", "n": n, "s": "x" * (n % 50)} for n in range(20_000)
    }
    table.write(map(json.dumps, written.values()), partitions=2)
    rows = table.read().collect()
    found = {}
    for row in rows:
        document = json.loads(row._rawBody)
        assert (row.id, row._ts) == (document["id"], document["_ts"])
        found[row.id] = {name: value for name, value in document.items() if name[0] != "_"}
    assert len(rows) == 20_000
    assert found == written


def test_an_id_that_is_missing_or_no_text_fails_before_any_document_is_sent(table_of):
    table = table_of()
    for bad in ({"pk": "a"}, {"id": 5, "pk": "a"}, {"id": None, "pk": "a"}):
        with pytest.raises(Exception, match="id is a mandatory field"):
            table.write([body("1"), json.dumps(bad)])
    assert table.documents() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[1]", "not an object"), (None, "null"), ('{"id":"1","n":NaN}', "not JSON")],
)
def test_a_row_that_is_no_document_fails(table_of, text, message):
    with pytest.raises(Exception, match=message):
        table_of().write([text])


@both_modes
def test_a_document_that_is_refused_fails_the_job_and_names_its_id_but_not_its_content(table_of, bulk):
    table = table_of()
    with pytest.raises(Exception, match="BulkOperationFailedException: status 400") as caught:
        table.write([body("fine"), body("a/b", secret="hidden-value")], write__bulk__enabled=bulk)
    assert "'a/b'" in str(caught.value)
    assert '["a"]' in str(caught.value)
    assert "hidden-value" not in str(caught.value)


@both_modes
def test_a_document_over_two_megabytes_fails_with_413(table_of, bulk):
    with pytest.raises(Exception, match="status 413/0 for the item with id 'big'"):
        table_of().write([body("big", s="x" * 2_200_000)], write__bulk__enabled=bulk)


def test_the_mode_overwrite_is_refused(table_of):
    with pytest.raises(Exception, match="does not support the mode overwrite"):
        table_of().write([body("1")], mode="overwrite")


def test_an_unknown_option_is_refused_with_a_suggestion(table_of):
    with pytest.raises(Exception, match=r"Did you mean spark\.cosmos\.write\.maxRetryCount"):
        table_of().write([body("1")], write__maxRetries="3")


def test_a_wrong_key_fails_without_telling_it(table_of):
    table = table_of()
    table._options["spark.cosmos.accountKey"] = "d3Jvbmcga2V5"
    with pytest.raises(Exception, match="status 401") as caught:
        table.write([body("1")])
    assert "d3Jvbmcga2V5" not in str(caught.value)


def test_a_missing_container_fails_and_is_named(table_of):
    table = table_of()
    table._options["spark.cosmos.container"] = "nowhere"
    with pytest.raises(Exception, match="nowhere failed with status 404"):
        table.write([body("1")])
