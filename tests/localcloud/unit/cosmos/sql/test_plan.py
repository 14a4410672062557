"""The plans, in the shapes that Microsoft's SDKs read."""

import pytest

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.sql.plan import ORDER_FILTER, plan_of


def plan(text, features="", **parameters):
    return plan_of(parse(text), {f"@{name}": value for name, value in parameters.items()}, features)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("SELECT * FROM c WHERE c.n > 1", ""),
        ("SELECT VALUE COUNT(1) FROM c", 'SELECT VALUE [{"item": COUNT(1)}] FROM c'),
        (
            "SELECT VALUE AVG(c.n) FROM c WHERE c.n > 1",
            'SELECT VALUE [{"item": {"sum": SUM(c.n), "count": COUNT(c.n)}}] FROM c WHERE (c.n > 1)',
        ),
        (
            "SELECT VALUE MAX(c.n) FROM c",
            'SELECT VALUE [{"item": MAX(c.n), "item2": {"max": MAX(c.n), "count": COUNT(c.n)}}] FROM c',
        ),
        (
            "SELECT COUNT(1) AS Count, SUM(c.n) FROM c",
            'SELECT {"Count": {"item": COUNT(1)}, "$2": {"item": SUM(c.n)}} AS payload FROM c',
        ),
        (
            "SELECT * FROM root r WHERE r.a = 1 OR r.b = 2 ORDER BY r.n DESC",
            'SELECT r._rid, [{"item": r.n}] AS orderByItems, r AS payload FROM root r '
            f"WHERE (r.a = 1 OR r.b = 2) AND ({ORDER_FILTER}) ORDER BY r.n DESC",
        ),
        (
            "SELECT TOP 5 c.n, c.s AS t FROM c ORDER BY c.n, c.s",
            'SELECT TOP 5 c._rid, [{"item": c.n}, {"item": c.s}] AS orderByItems, {"n": c.n, "t": c.s} AS payload '
            f"FROM c WHERE ({ORDER_FILTER}) ORDER BY c.n ASC, c.s ASC",
        ),
        (
            "SELECT c.s, COUNT(1) AS many FROM c GROUP BY c.s",
            'SELECT [{"item": c.s}] AS groupByItems, {"s": c.s, "many": {"item": COUNT(1)}} AS payload '
            "FROM c GROUP BY c.s",
        ),
        ("SELECT VALUE c.n FROM c OFFSET 5 LIMIT @l", "SELECT VALUE c.n FROM c OFFSET 0 LIMIT 8"),
        ("SELECT DISTINCT VALUE c.n FROM c", "SELECT DISTINCT VALUE c.n FROM c"),
        (
            "SELECT DISTINCT VALUE c.n FROM c ORDER BY c.n",
            'SELECT DISTINCT c._rid, [{"item": c.n}] AS orderByItems, c.n AS payload '
            f"FROM c WHERE ({ORDER_FILTER}) ORDER BY c.n ASC",
        ),
    ],
)
def test_each_range_is_asked_for_its_share(text, rewritten):
    assert plan(text, l=3)["rewrittenQuery"] == rewritten
    parse(rewritten.replace(ORDER_FILTER, "true") or text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT VALUE COUNT(1) FROM c", {"aggregates": ["Count"], "hasSelectValue": True}),
        ("SELECT AVG(c.n) AS a FROM c", {"aggregates": [], "groupByAliasToAggregateType": {"a": "Average"}}),
        (
            "SELECT c.s, MIN(c.n) AS low FROM c GROUP BY c.s",
            {
                "groupByExpressions": ["c.s"],
                "groupByAliases": ["s", "low"],
                "groupByAliasToAggregateType": {"s": None, "low": "Min"},
            },
        ),
        (
            "SELECT * FROM c ORDER BY c.n DESC, c.s",
            {"orderBy": ["Descending", "Ascending"], "orderByExpressions": ["c.n", "c.s"]},
        ),
        ("SELECT TOP 7 * FROM c", {"top": 7, "offset": None, "limit": None}),
        ("SELECT * FROM c OFFSET 2 LIMIT 3", {"top": None, "offset": 2, "limit": 3}),
        ("SELECT DISTINCT c.n FROM c", {"distinctType": "Unordered"}),
        ("SELECT DISTINCT VALUE c.n FROM c ORDER BY c.n", {"distinctType": "Ordered"}),
    ],
)
def test_a_plan_says_what_the_client_has_to_do(text, expected):
    found = plan(text)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("SELECT c.s FROM c GROUP BY c.s", "GroupBy"),
        ("SELECT COUNT(1) FROM c", "NonValueAggregate"),
        ("SELECT * FROM c ORDER BY c.a, c.b", "MultipleOrderBy"),
    ],
)
def test_what_a_client_says_it_cannot_do_is_refused(text, lacking):
    with pytest.raises(CosmosError, match=f"does not support: {lacking}"):
        plan(text, features="Aggregate, OrderBy, Distinct")


def test_a_sum_of_aggregates_cannot_be_spread_over_ranges():
    with pytest.raises(CosmosError, match="over partition ranges"):
        plan("SELECT VALUE MAX(c.n) - MIN(c.n) FROM c")
