"""Short ways to map an item in a test."""

from typing import Any

import orjson

from d2c.mapping import Document, KeySchema, Mapped, Mapper, Rejected, compile_mapper, parse_rules

NOW = 1_800_000_000


def mapper_of(
    rules: dict[str, Any] | None = None,
    *,
    keys: tuple[str, ...] = ("pk", "sk"),
    ttl_attribute: str | None = None,
    container_has_ttl: bool | None = None,
) -> Mapper:
    return compile_mapper(
        parse_rules(
            rules or {}, KeySchema(*keys), ttl_attribute=ttl_attribute, container_has_ttl=container_has_ttl
        )
    )


def line_of(item: dict[str, Any]) -> bytes:
    return orjson.dumps({"Item": item})


def map_item(item: dict[str, Any], rules: dict[str, Any] | None = None, **options: Any) -> Mapped:
    return mapper_of(rules, **options).map_line(line_of(item), NOW)


def document_of(item: dict[str, Any], rules: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    mapped = map_item(item, rules, **options)
    assert isinstance(mapped, Document), mapped
    return orjson.loads(mapped.body)


def value_of(tagged: Any, rules: dict[str, Any] | None = None) -> Any:
    """Map one value as the attribute `v` of an otherwise plain item."""
    return document_of(item_with(tagged), rules)["v"]


def reason_of(tagged: Any, rules: dict[str, Any] | None = None) -> str:
    mapped = map_item(item_with(tagged), rules)
    assert isinstance(mapped, Rejected), mapped
    return mapped.reason


def item_with(tagged: Any) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": "s"}, "v": tagged}


def s(text: str) -> dict[str, str]:
    return {"S": text}


def n(text: str) -> dict[str, str]:
    return {"N": text}
