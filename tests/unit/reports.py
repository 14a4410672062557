"""A report with everything in it, as assembled by the product from records as stages leave them."""

from typing import Any

from d2c.load_run.census.counts import Census, merged, summarise
from d2c.mapping import KeySchema, MappedShape, compile_mapper, parse_rules
from d2c.report.contents import assemble_report, table_report

from .mapping.helpers import NOW, line_of, n, s

HOSTILE = '"><script>alert(1)</script>&amp;'
STAGES = ("export", "copy", "prepare", "assess", "load", "verify", "report")


def census_of(items: list[dict[str, Any]], keys: tuple[str, str]) -> dict[str, Any]:
    """Return the census of items, as a load run leaves it."""
    mapped_shape = MappedShape()
    rules = parse_rules({}, KeySchema(*keys), ttl_attribute="Until")
    mapper = compile_mapper(rules, mapped_shape)
    census = Census(mapped_shape, rules.drop, rules.ttl_attribute)
    for item in items:
        census.add(mapper.map_line(line_of(item), NOW))
    return summarise(merged([census.to_json()]))


def orders(count: int) -> list[dict[str, Any]]:
    """Return orders of a few customers, one of whom has half of them."""
    return [
        {
            "CustomerId": s(f"CUST#{number % 2 and number % 97}"),
            "OrderId": s(f"ORD#{number:07}"),
            "Total": n(f"{number}.25"),
            "Trace": n(f"12345678901234567{number:03}") if number % 5 == 0 else s("none"),
            "Lines": {
                "L": [{"M": {"Sku": s(f"SKU-{number}"), "Count": n("3"), "Text": s("x" * (number % 700))}}]
            },
            HOSTILE: {"SS": ["a", "b"]},
            **({"Until": n(str(NOW * 1000))} if number < 3 else {}),
        }
        for number in range(count)
    ]


def record_of(table: str, **changes: Any) -> dict[str, Any]:
    """Return the record of a table whose migration succeeded."""
    stages = [
        {
            "stage": stage,
            "state": "succeeded",
            "started_at": f"2026-06-01T12:{2 * place:02}:07.123+00:00",
            "seconds": 2.5 + 31.0 * place,
        }
        for place, stage in enumerate(STAGES)
    ]
    sums = {"documents": 4_970, "rejected": 25, "expired": 5}
    return {
        "table": table,
        "container": table.lower(),
        "database": "shop",
        "state": "succeeded",
        "error": None,
        "export": {
            "arn": "arn",
            "time": "2026-06-01T11:59:00+00:00",
            "items": 5_000,
            "bytes": 2_340_032,
            "billed_bytes": 7_340_032,
        },
        "described": {"before_ru_per_second": 400, "peak_ru_per_second": 20_000},
        "restored": {"after_ru_per_second": 1_000},
        "stages": stages,
        "load": {
            "files": {"listed": 8, "verified": 8},
            "loaded": {**sums, "rejected_by_reason": {"inexact_number": 20, "missing_key": 5}},
            "verification": {
                "method": "full",
                "expected": 4_970,
                "actual": 4_971,
                "missing": 1,
                "unexpected": 2,
                "different": 1,
            },
        },
        **changes,
    }


def whole_report() -> dict[str, Any]:
    """Return the report of three tables: one with mismatches and replays, one that failed, one that is clean."""
    verification = {
        "method": "full",
        "expected": 9,
        "actual": 9,
        "missing": 0,
        "unexpected": 0,
        "different": 0,
    }
    operation = {
        "operation": "replay",
        "number": 1,
        "finished_at": "2026-06-02T08:00:00+00:00",
        "items": {"replayed": 25, "written": 20, "rejected": 5, "expired": 0},
        "verification": verification,
    }
    mismatches = [
        {"kind": "missing", "document": '["CUST#7"] ORD#0000001', "properties": []},
        {"kind": "different", "document": HOSTILE, "properties": ["Lines[0].Count", HOSTILE]},
    ]
    error = {
        "title": "Too many rejected items",
        "detail": f"25 items cannot become faithful documents ({HOSTILE}: 25); the plan allows 0.",
        "next_step": "Read the rejected items in the lake, then change the rules or raise limits.max_rejected_items.",
        "stage": "assess",
    }
    failed = {
        "state": "failed",
        "error": error,
        "stages": [
            *record_of("x")["stages"][:3],
            {
                "stage": "assess",
                "state": "failed",
                "started_at": "2026-06-01T12:06:07.123+00:00",
                "seconds": 12.25,
            },
        ],
        "load": {"files": {"listed": 4, "verified": 4}, "assessed": {"rejected": 25, "expired": 0}},
        "restored": None,
    }
    many = [
        {"pk": s(str(number)), **{f"measure {one:02}": n("1") for one in range(40)}} for number in range(3)
    ]
    clean = {"loaded": {"documents": 9, "rejected": 0, "expired": 0}, "verification": verification}
    parts = [
        table_report(
            record_of("Orders", operations=[operation]),
            mismatches,
            census_of(orders(5_000), ("CustomerId", "OrderId")),
        ),
        table_report(record_of("Customers", **failed), [], census_of(orders(10), ("CustomerId", "OrderId"))),
        table_report(
            record_of("Measurements", load={"files": {"listed": 1, "verified": 1}, **clean}),
            [],
            census_of(many, ("pk", None)),
        ),
        table_report(
            {
                "table": "Left",
                "container": "left",
                "database": "shop",
                "stages": [],
                **{k: failed[k] for k in ("state", "error")},
            },
            [],
        ),
    ]
    accepted = {"plan": {"name": "shop-2026"}, "accepted_at": "2026-06-01T11:58:59.000+00:00"}
    return assemble_report("shop-2026", "failed", accepted, parts)
