import pytest
from azure.cosmos.partition_key import PartitionKey
from hypothesis import given
from hypothesis import strategies as st

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import keys

scalars = st.one_of(
    st.text(max_size=20),
    st.booleans(),
    st.none(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just(keys.UNDEFINED),
)


def test_keys_of_different_types_are_different():
    values = [1, "1", True, "true", None, "null", {}, "{}", 0, False, "", "1.0"]
    assert len({keys.canonical([value]) for value in values}) == len(values)


def test_numbers_that_are_equal_as_binary64_are_the_same_key():
    assert keys.canonical([1]) == keys.canonical([1.0])
    assert keys.canonical([2**53]) == keys.canonical([2**53 + 1])
    assert keys.canonical([0.1]) != keys.canonical([0.2])


@given(st.lists(scalars, min_size=1, max_size=3))
def test_a_key_survives_its_text(key):
    assert keys.canonical(keys.parse_key(keys.canonical(key))) == keys.canonical(key)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a", ("a",)),
        ("/a/b", ("a", "b")),
        ('/"a/b"/c', ("a/b", "c")),
        (r'/"a\"b"', ('a"b',)),
        ('/a/"zip code"', ("a", "zip code")),
    ],
)
def test_paths_fall_apart_at_slashes_outside_quotes(path, parts):
    assert keys.path_parts(path) == parts


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"a": {"b": "x"}}, ["x"]),
        ({"a": {"b": None}}, [None]),
        ({"a": {}}, [keys.UNDEFINED]),
        ({}, [keys.UNDEFINED]),
        ({"a": 5}, [keys.UNDEFINED]),
        ({"a": {"b": [1]}}, [keys.UNDEFINED]),
        ({"a": {"b": {"c": 1}}}, [keys.UNDEFINED]),
    ],
)
def test_what_is_no_scalar_at_a_path_is_undefined(document, key):
    assert keys.key_of(document, ["/a/b"]) == key


@pytest.mark.parametrize(
    "text", [None, 5, "", "x", "{}", "[[1]]", '[{"a":1}]', "[NaN]", "[1e400]", '["\\ud800"]']
)
def test_what_is_no_array_of_scalars_is_no_key(text):
    with pytest.raises(CosmosError) as caught:
        keys.parse_key(text)
    assert caught.value.status == 400


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("values", [["CUST#1"], [None], [True], [7]])
def test_places_on_the_ring_are_those_that_the_sdk_computes(values, version):
    sdk = PartitionKey("/pk", version=version)
    definition = keys.check_definition({"paths": ["/pk"], "version": version})
    place = keys.effective_key(definition, values)
    assert place == sdk._get_effective_partition_key_string(values).upper()


@pytest.mark.parametrize("values", [["a", 1], ["a", 1.5, True], [None, "ü", False]])
def test_places_of_hierarchical_keys_are_those_that_the_sdk_computes(values):
    paths = [f"/{place}" for place in range(len(values))]
    sdk = PartitionKey(paths, kind="MultiHash")
    definition = keys.check_definition({"paths": paths, "kind": "MultiHash"})
    assert keys.effective_key(definition, values) == sdk._get_effective_partition_key_string(values)


def test_a_prefix_lies_at_the_start_of_what_is_below_it():
    definition = keys.check_definition({"paths": ["/a", "/b"], "kind": "MultiHash"})
    places = {keys.effective_key(definition, ["x", b])[:32] for b in ("u", 1, None)}
    assert len(places) == 1
