"""Query plans: what a client asks each partition range, and what it makes of the answers.

The service rewrites what one range cannot answer for all: the client merges sorted streams by `orderByItems`, adds up
`item`, and groups by `groupByItems`. The shapes are those that the pipelines of Microsoft's SDKs read
(`com.azure.cosmos.implementation.query` of azure-cosmos for Java, `azure.cosmos._execution_context` for Python).
"""

from typing import Any

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expressions import Expression, Row
from localcloud.cosmos.sql.query import Aggregate, Column, Query

# A client puts its place in the order in here when it resumes.
ORDER_FILTER = "{documentdb-formattableorderbyquery-filter}"
OPERATORS = {"COUNT": "Count", "SUM": "Sum", "MIN": "Min", "MAX": "Max", "AVG": "Average"}

Json = dict[str, Any]


def plan_of(query: Query, named: Json, features: str) -> Json:
    """Return the plan's `queryInfo`.

    Args:
        query: as parsed.
        named: the parameters' values.
        features: the query features that the client says it supports, between commas; empty for all.

    Raises:
        CosmosError: 400, for a query that cannot be spread over ranges, or needs what the client does not support.
    """
    _check_features(query, features)
    top, offset, limit = (count_of(each, named) for each in (query.top, query.offset, query.limit))
    listed = query.kind == "list" and bool(query.aggregates)
    operators = {
        column.name: OPERATORS[column.aggregate.name] for column in query.columns if column.aggregate
    }
    return {
        "distinctType": _distinct_type(query),
        "top": top,
        "offset": offset,
        "limit": limit,
        "orderBy": ["Descending" if order.descending else "Ascending" for order in query.order],
        "orderByExpressions": [order.by.text for order in query.order],
        "groupByExpressions": [part.text for part in query.group],
        "groupByAliases": [column.name for column in query.columns] if listed or query.group else [],
        "aggregates": list(operators.values()) if query.kind == "value" else [],
        "groupByAliasToAggregateType": _by_alias(query, operators),
        "rewrittenQuery": _rewritten(query, top, offset, limit),
        "hasSelectValue": query.kind == "value",
        "hasNonStreamingOrderBy": False,
    }


def count_of(expression: Expression | None, named: Json) -> int | None:
    """Return what TOP, OFFSET or LIMIT says, or None if there is none.

    Raises:
        CosmosError: 400, if it is no whole number.
    """
    if expression is None:
        return None
    value = expression(Row(None, named, []))
    if type(value) is not int or value < 0:
        raise CosmosError(400, "TOP, OFFSET and LIMIT take whole numbers.")
    return value


def _check_features(query: Query, features: str) -> None:
    needed = {
        "GroupBy": bool(query.group),
        "NonValueAggregate": bool(query.aggregates) and query.kind == "list",
        "OrderBy": bool(query.order),
        "MultipleOrderBy": len(query.order) > 1,
        "Distinct": query.distinct,
        "Aggregate": bool(query.aggregates),
    }
    known = {each.strip() for each in features.split(",")}
    lacking = [name for name, needs in needed.items() if needs and features and name not in known]
    if lacking:
        raise CosmosError(
            400,
            "Query contains the following features, which the calling client does not support: "
            f"{' '.join(lacking)}",
        )
    if any(column.aggregates and not column.aggregate for column in query.columns):
        raise CosmosError(
            400, "An expression with an aggregate in it is not supported over partition ranges."
        )


def _distinct_type(query: Query) -> str:
    if not query.distinct:
        return "None"
    return "Ordered" if query.order else "Unordered"


def _by_alias(query: Query, operators: dict[str, str]) -> Json:
    if query.kind != "list" or not (query.aggregates or query.group):
        return {}
    return {column.name: operators.get(column.name) for column in query.columns}


def _rewritten(query: Query, top: int | None, offset: int | None, limit: int | None) -> str:
    if query.streams:
        return ""
    words = ["SELECT"] + ["DISTINCT"] * query.distinct
    if top is not None:
        words += ["TOP", str(top)]
    words += [_columns(query), query.source]
    conditions = [f"({query.where.text})"] if query.where else []
    conditions += [f"({ORDER_FILTER})"] if query.order else []
    words += ["WHERE", " AND ".join(conditions)] if conditions else []
    words += _listed("GROUP BY", [part.text for part in query.group])
    words += _listed(
        "ORDER BY", [f"{order.by.text} {'DESC' if order.descending else 'ASC'}" for order in query.order]
    )
    if offset is not None and limit is not None:
        words.append(f"OFFSET 0 LIMIT {offset + limit}")
    return " ".join(words)


def _columns(query: Query) -> str:
    """Return what a range is asked for instead of the query's columns."""
    if query.aggregates and query.kind == "value" and not query.group:
        return f"VALUE [{_value(query.columns[0])}]"
    payload = f"{_payload(query)} AS payload"
    if query.group:
        return f"{_items('groupByItems', [part.text for part in query.group])}, {payload}"
    if query.order:
        # So no two results are the same: of a DISTINCT query the client drops repetitions.
        return f"{query.root}._rid, {_items('orderByItems', [order.by.text for order in query.order])}, {payload}"
    return payload if query.aggregates else _own_columns(query)


def _own_columns(query: Query) -> str:
    if query.kind == "*":
        return "*"
    if query.kind == "value":
        return f"VALUE {query.columns[0].value.text}"
    return f"VALUE {_payload(query)}"


def _payload(query: Query) -> str:
    if query.kind == "*":
        return query.root
    if query.kind == "value":
        return _value(query.columns[0])
    return "{" + ", ".join(f"{_quoted(column.name)}: {_value(column)}" for column in query.columns) + "}"


def _value(column: Column) -> str:
    return _partial(column.aggregate) if column.aggregate else column.value.text


def _partial(aggregate: Aggregate) -> str:
    """Return a range's share of an aggregate; the count tells a minimum of nothing."""
    name, argument = aggregate.name, aggregate.argument.text
    call, count = f"{name}({argument})", f'"count": COUNT({argument})'
    if name == "AVG":
        return f'{{"item": {{"sum": SUM({argument}), {count}}}}}'
    if name in ("MIN", "MAX"):
        return f'{{"item": {call}, "item2": {{"{name.lower()}": {call}, {count}}}}}'
    return f'{{"item": {call}}}'


def _items(name: str, texts: list[str]) -> str:
    entries = ", ".join(f'{{"item": {text}}}' for text in texts)
    return f"[{entries}] AS {name}"


def _listed(word: str, texts: list[str]) -> list[str]:
    return [word, ", ".join(texts)] if texts else []


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
