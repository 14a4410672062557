import pytest

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expressions import Row
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.sql.values import UNDEFINED, aggregate, sort_key

DOCUMENT = {
    "n": 5,
    "f": 1.5,
    "s": "Text",
    "t": True,
    "u": None,
    "l": [1, "x", None],
    "o": {"k": {"d": 7}},
    "odd name": 1,
    "quote's": 2,
}


def value_of(expression, **parameters):
    """Evaluate an expression over the document."""
    query = parse(f"SELECT VALUE {expression} FROM c")
    return query.columns[0].value.expression(
        Row(DOCUMENT, {f"@{name}": value for name, value in parameters.items()}, [])
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("c.n", 5),
        ("c['odd name']", 1),
        ('c["odd name"]', 1),
        (r"c['quote\'s']", 2),
        ("c.o.k['d']", 7),
        ("c.l[1]", "x"),
        ("c.l[7]", UNDEFINED),
        ("[c.n, c.missing, {'s': c.s, \"u\": c.missing}]", [5, {"s": "Text"}]),
        ("c.missing.deeper", UNDEFINED),
        ("c.n + 2 - 1", 6),
        ("-c.n", -5),
        ("c.n + c.s", UNDEFINED),
        ("c.n = 5", True),
        ("c.n = 5.0", True),
        ("c.n = '5'", False),
        ("c.t = 1", False),
        ("c.u = null", True),
        ("c.u != 1", True),
        ("c.missing = null", UNDEFINED),
        ("c.missing != 1", UNDEFINED),
        ("c.n > 'a'", UNDEFINED),
        ("c.s < 'U'", True),
        ("c.n >= 5 AND c.n <= 5", True),
        ("c.n <> 5 OR c.f < 2", True),
        ("c.n IN (1, 5)", True),
        ("c.n NOT IN (1, 5)", False),
        ("c.missing NOT IN (1, 5)", UNDEFINED),
        ("c.n BETWEEN 5 AND 6", True),
        ("c.n NOT BETWEEN 5 AND 6", False),
        ("c.missing NOT BETWEEN 5 AND 6", UNDEFINED),
        ("NOT c.t", False),
        ("NOT c.n", UNDEFINED),
        ("(c.n = 5 OR c.n = 6) AND c.t", True),
        ("c.n = @five", True),
        ("c.n = @missing", UNDEFINED),
        ("IS_DEFINED(c.u)", True),
        ("is_defined(c.missing)", False),
        ("IS_NULL(c.u)", True),
        ("IS_NUMBER(c.t)", False),
        ("IS_BOOL(c.t)", True),
        ("IS_STRING(c.s)", True),
        ("IS_ARRAY(c.l)", True),
        ("IS_OBJECT(c.o)", True),
        ("STARTSWITH(c.s, 'te')", False),
        ("STARTSWITH(c.s, 'te', true)", True),
        ("ENDSWITH(c.s, 'xt')", True),
        ("CONTAINS(c.s, 'ex')", True),
        ("CONTAINS(c.n, 'ex')", UNDEFINED),
        ("ARRAY_CONTAINS(c.l, 'x')", True),
        ("ARRAY_CONTAINS(c.l, true)", False),
        ("ARRAY_LENGTH(c.l)", 3),
        ("LENGTH(c.s)", 4),
        ("UPPER(c.s)", "TEXT"),
        ("LOWER(c.s)", "text"),
    ],
)
def test_an_expression_has_the_value_that_the_service_gives_it(expression, value):
    found = value_of(expression, five=5)
    assert found is value or (found == value and type(found) is type(value))


@pytest.mark.parametrize("true", [True, False, UNDEFINED])
@pytest.mark.parametrize("other", [True, False, UNDEFINED])
def test_logic_has_three_values(true, other):
    words = {True: "true", False: "false", UNDEFINED: "undefined"}
    both = value_of(f"{words[true]} AND {words[other]}")
    either = value_of(f"{words[true]} OR {words[other]}")
    values = {true, other}
    assert both is (False if False in values else UNDEFINED if UNDEFINED in values else True)
    assert either is (True if True in values else UNDEFINED if UNDEFINED in values else False)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "SELECT",
        "SELECT *",
        "SELECT * FROM",
        "SELECT * FROM c c c",
        "SELECT * FROM c WHERE (c.n = 1",
        "SELECT * FROM c WHERE c.n ? 1",
        "SELECT * FROM c WHERE c.n = 'open",
        "SELECT * FROM c WHERE d.n = 1",
        "SELECT * FROM c WHERE NOPE(c.n)",
        "SELECT * FROM c WHERE LENGTH(c.s, 1)",
        "SELECT * FROM c WHERE SUM(c.n) > 1",
        "SELECT * FROM c ORDER BY COUNT(1)",
        "SELECT *, COUNT(1) FROM c",
        "SELECT c.n, COUNT(1) FROM c GROUP BY c.s",
        "SELECT * FROM c GROUP BY c.s",
        "SELECT c.s FROM c GROUP BY c.s ORDER BY c.s",
        "SELECT * FROM c JOIN d IN c.l",
        "SELECT c.n",
        "SELECT * FROM c OFFSET 5",
        "SELECT * FROM c LIMIT 5",
        "SELECT TOP x * FROM c",
        "SELECT * FROM c WHERE c.n * 2 = 4",
        "SELECT * FROM c WHERE EXISTS (SELECT 1)",
        "SELECT VALUE {n: c.n} FROM c",
        "SELECT VALUE [] FROM c",
        "DELETE FROM c",
    ],
)
def test_what_is_not_supported_is_an_error(text):
    with pytest.raises(CosmosError) as caught:
        parse(text)
    assert caught.value.status == 400


def test_values_of_all_types_have_an_order():
    backwards = [{}, [], "a", "", 2, 0.5, -1, True, False, None, UNDEFINED]
    assert sorted(backwards, key=sort_key) == list(reversed(backwards))


@pytest.mark.parametrize(
    ("name", "values", "result"),
    [
        ("COUNT", [1, None, UNDEFINED, "x"], 3),
        ("SUM", [1, 2.5, UNDEFINED], 3.5),
        ("SUM", [], 0),
        ("SUM", [1, "x"], UNDEFINED),
        ("AVG", [1, 2], 1.5),
        ("AVG", [], UNDEFINED),
        ("MIN", [3, 1, 2], 1),
        ("MAX", [3, "x", 2], "x"),
        ("MAX", [], UNDEFINED),
    ],
)
def test_aggregates_go_over_what_is_defined(name, values, result):
    assert aggregate(name, values) is result or aggregate(name, values) == result
