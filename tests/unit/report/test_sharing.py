"""What the report says of throughput that containers share."""

import pytest

from d2c.report.contents import table_report
from d2c.report.estimate import estimate_of
from d2c.report.outcome import compare_with_estimate
from tests.unit.reports import record_of

from .test_estimate import CAPS, SMALL, TABLE, many, quantities, terms

# 730 hours of 100 RU/s.
A_MONTH = 730 * 0.008


def sharing(sharers, ru_per_second=400, autoscale=False):
    shared = {"ru_per_second": ru_per_second, "autoscale": autoscale}
    own = {"load_ru_per_second": "auto", "kind": "shared", "database": shared, "sharers": sharers}
    return {**SMALL, "throughput": own}


def month_of(estimate, kind):
    return next(month for month in estimate["months"] if month["kind"] == kind)


def test_a_database_is_paid_once_by_all_that_share_it():
    found = estimate_of(many(20, sharing(20)), terms(), CAPS)
    lines = {line["what"]: line["money"] for line in found["lines"] if line["service"] == "Cosmos DB"}
    assert lines["throughput afterwards"] == pytest.approx(4 * A_MONTH)
    assert lines["throughput of the load"] == pytest.approx(4 * 0.008)
    assert {
        (each["sharers"], each["load_ru_per_second"], each["create_ru_per_second"])
        for each in found["tables"]
    } == {(20, 400, 0)}


def test_a_load_takes_as_long_as_the_databases_throughput_lets_it():
    slow = quantities(**{**sharing(2), "item_count": 240_000, "size_bytes": 240_000_000})
    fast = quantities(**{**sharing(2, 4000, True), "item_count": 240_000, "size_bytes": 240_000_000})
    assert slow["seconds"]["load"] == pytest.approx(10 * fast["seconds"]["load"], rel=0.01)


def test_small_tables_are_told_what_they_would_cost_together():
    found = estimate_of([*many(40, SMALL), TABLE], terms(), CAPS)["total"]
    manual, shared = month_of(found, "manual"), month_of(found, "shared")
    assert manual["busy"] == pytest.approx(41 * 4 * A_MONTH)
    # Two databases, and the large table has its own.
    assert shared["busy"] == pytest.approx((2 + 1) * 4 * A_MONTH)


def test_the_plans_database_decides_on_the_price_of_its_tables():
    found = estimate_of(many(10, sharing(10, 4000, True)), terms(), CAPS)["total"]
    assert month_of(found, "shared")["busy"] == pytest.approx(1.5 * 40 * A_MONTH)
    assert month_of(found, "shared")["idle"] == pytest.approx(0.15 * 40 * A_MONTH)
    assert month_of(found, "manual")["busy"] == pytest.approx(10 * 4 * A_MONTH)


def test_what_was_looked_at_counts_more_than_the_plan():
    shared = {"ru_per_second": 900, "autoscale": False}
    none = {
        "before_ru_per_second": None,
        "peak_ru_per_second": None,
        "after_ru_per_second": None,
        "autoscale": False,
    }
    assert quantities(**sharing(1), scaling={**none, "shared": shared})["load_ru_per_second"] == 900
    own = {**none, "before_ru_per_second": 700, "peak_ru_per_second": 4000, "after_ru_per_second": 700}
    found = quantities(**sharing(1), scaling=own)
    assert ("sharers" in found, found["load_ru_per_second"]) == (False, 4000)


def test_the_outcome_and_the_report_have_what_the_container_shared():
    shared = {"ru_per_second": 400, "autoscale": False}
    described = {"peak_ru_per_second": None, "created": True, "autoscale": False, "shared": shared}
    record = {
        **sharing(4),
        **record_of("Orders"),
        "described": described,
        "restored": {"after_ru_per_second": None},
    }
    record = {**record, "item_count": 1000, "size_bytes": 10**6, "throughput": sharing(4)["throughput"]}
    rows = {row["what"]: row for row in compare_with_estimate(record, None, terms().to_dict())}
    paid = rows["Cosmos DB: throughput of the load"]
    assert paid["estimated"] == pytest.approx(paid["actual"]) == pytest.approx(0.008)
    assert table_report(record, [])["throughput"]["shared_ru_per_second"] == 400
