import pytest

from localcloud.cosmos.data_plane.patches import patched
from localcloud.cosmos.errors import CosmosError


def apply(document, *operations):
    return patched(document, {"operations": list(operations)})


def op(kind, path, value=None):
    return {"op": kind, "path": path, "value": value}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (op("add", "/n", 5), {"n": 5, "l": [1, 2], "m": {}}),
        (op("Set", "/m/x", 5), {"n": 1, "l": [1, 2], "m": {"x": 5}}),
        (op("add", "/l/1", 9), {"n": 1, "l": [1, 9, 2], "m": {}}),
        (op("add", "/l/2", 9), {"n": 1, "l": [1, 2, 9], "m": {}}),
        (op("add", "/l/-", 9), {"n": 1, "l": [1, 2, 9], "m": {}}),
        (op("set", "/l/1", 9), {"n": 1, "l": [1, 9], "m": {}}),
        (op("replace", "/n", 9), {"n": 9, "l": [1, 2], "m": {}}),
        (op("remove", "/l/0"), {"n": 1, "l": [2], "m": {}}),
        (op("incr", "/n", -3), {"n": -2, "l": [1, 2], "m": {}}),
        (op("incr", "/new", 3), {"n": 1, "l": [1, 2], "m": {}, "new": 3}),
        ({**op("move", "/m/x"), "from": "/n"}, {"l": [1, 2], "m": {"x": 1}}),
        ({**op("move", "/first"), "from": "/l/0"}, {"n": 1, "l": [2], "m": {}, "first": 1}),
        (op("set", "/a~1b~0", 1), {"n": 1, "l": [1, 2], "m": {}, "a/b~": 1}),
    ],
)
def test_an_operation_changes_what_is_at_its_path(operation, result):
    assert apply({"n": 1, "l": [1, 2], "m": {}}, operation) == result


@pytest.mark.parametrize(
    "operation",
    [
        op("move", "/n"),
        {**op("move", "/n"), "from": "/missing"},
        op("copy", "/n"),
        op("set", "n", 1),
        op("set", None, 1),
        op("replace", "/missing", 1),
        op("remove", "/missing"),
        op("remove", "/l/2"),
        op("remove", "/l/-1"),
        op("set", "/l/-1", 1),
        op("add", "/l/3", 1),
        op("add", "/l/x", 1),
        op("set", "/missing/x", 1),
        op("set", "/n/x", 1),
        op("incr", "/s", 1),
        op("incr", "/b", 1),
        op("incr", "/n", "1"),
        "x",
        5,
    ],
)
def test_an_impossible_operation_is_refused(operation):
    with pytest.raises(CosmosError) as caught:
        apply({"n": 1, "s": "x", "b": True, "l": [1, 2]}, operation)
    assert caught.value.status == 400


@pytest.mark.parametrize("operations", [None, [], "x", [op("set", "/n", 1)] * 11])
def test_a_patch_has_one_to_ten_operations(operations):
    with pytest.raises(CosmosError) as caught:
        patched({}, {"operations": operations})
    assert caught.value.status == 400


def test_a_condition_decides_whether_anything_changes():
    patch = {"operations": [op("set", "/n", 2)], "condition": "from c where c.n = 1"}
    assert patched({"n": 1}, patch) == {"n": 2}
    document = {"n": 3}
    with pytest.raises(CosmosError) as caught:
        patched(document, patch)
    assert (caught.value.status, document) == (412, {"n": 3})
