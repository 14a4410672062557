import json

import pyarrow as pa
import pytest
from pyspark.sql import types as T

from localcloud.databricks.connector.container import Container, KeyRange
from localcloud.databricks.connector.documents import UNDEFINED_KEY, bodies_of, documents_of, partition_key_of
from localcloud.databricks.connector.errors import DocumentError, OptionError


def container(*paths):
    kind = "MultiHash" if len(paths) > 1 else "Hash"
    return Container("rid", {"paths": list(paths), "kind": kind}, (KeyRange("0", "", "FF"),))


def key(document, *paths):
    return partition_key_of({"id": "1", **document}, container(*paths))


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", '["a"]'), (1, "[1]"), (1.5, "[1.5]"), (True, "[true]"), ("1", '["1"]'), ("", '[""]')],
)
def test_a_key_keeps_its_type(value, text):
    assert key({"pk": value}, "/pk") == text


@pytest.mark.parametrize("document", [{}, {"pk": {"x": 1}}])
def test_a_single_key_that_is_missing_or_an_object_is_undefined(document):
    assert key(document, "/pk") == UNDEFINED_KEY


def test_an_explicit_null_is_a_key():
    assert key({"pk": None}, "/pk") == "[null]"


def test_a_missing_level_of_a_hierarchical_key_is_null():
    assert key({"a": "x"}, "/a", "/b") == '["x",null]'


def test_paths_lead_into_objects_and_may_be_quoted():
    document = {"a": {"b c": {"d/e": "deep"}}, 'q"': 1}
    assert key(document, '/a/"b c"/"d/e"') == '["deep"]'
    assert key(document, r'/"q\""') == "[1]"


def test_a_key_is_ascii_since_it_stands_in_a_header():
    text = key({"pk": "ключ-🎉"}, "/pk")
    assert text.isascii()
    assert json.loads(text) == ["ключ-🎉"]


def test_an_array_is_no_key():
    with pytest.raises(DocumentError, match="id '1' has an array or an object"):
        key({"pk": [1]}, "/pk")
    with pytest.raises(DocumentError, match="has an array or an object"):
        key({"a": {}, "b": 1}, "/a", "/b")


def test_a_document_keeps_its_text_to_the_byte():
    text = b'{ "id" : "1" , "pk":1.50, "n":12345678901234567890123 }'
    (document,) = documents_of([text], container("/pk"))
    assert (document.body, document.id, document.partition_key, document.etag) == (text, "1", "[1.5]", None)


def columns(**kinds):
    return T.StructType([T.StructField(name, kind) for name, kind in kinds.items()])


@pytest.mark.parametrize(
    "kind",
    [
        T.DecimalType(10, 2),
        T.DateType(),
        T.TimestampType(),
        T.BinaryType(),
        T.FloatType(),
        T.MapType(T.StringType(), T.IntegerType()),
    ],
    ids=lambda kind: kind.simpleString(),
)
def test_columns_that_json_cannot_hold_faithfully_are_refused_by_name(kind):
    with pytest.raises(OptionError, match="The column x of type"):
        bodies_of(columns(id=T.StringType(), x=kind))
    with pytest.raises(OptionError, match="The column x of type"):
        bodies_of(columns(id=T.StringType(), x=T.ArrayType(columns(y=kind))))


def test_a_raw_body_that_is_no_text_is_refused():
    with pytest.raises(OptionError, match="_rawBody must hold strings"):
        bodies_of(columns(_rawBody=T.BinaryType()))


def test_the_connectors_other_raw_body_is_refused():
    with pytest.raises(OptionError, match="_origin_rawBody is not supported"):
        bodies_of(columns(_origin_rawBody=T.StringType()))


def test_numbers_that_json_does_not_have_are_refused():
    bodies = bodies_of(columns(id=T.StringType(), x=T.ArrayType(T.DoubleType())))
    for value in (float("nan"), float("inf"), float("-inf")):
        batch = pa.RecordBatch.from_pylist([{"id": "1", "x": [1.0, value]}])
        with pytest.raises(DocumentError, match="NaN or Infinity"):
            list(bodies(batch))
