import pytest

from d2c.plan.caps import CAP_FIELDS, CAPS, caps_of, is_small, tables_per_run
from d2c.plan.model import parse_plan

from .test_model import faults_of, plan_text


def caps(**fields):
    return caps_of(parse_plan(plan_text(**fields)), 300)


def tables(count, size_bytes=1000, region="eu-west-1"):
    return [{"region": region, "size_bytes": size_bytes}] * count


def test_the_defaults_limit_exports_copies_and_loads_and_not_tables():
    assert caps() == {
        "export": 50,
        "copy": 20,
        "load": 4,
        "tables": None,
        "tables_per_load_run": 20,
        "share_load_run_below_bytes": 100 * 2**20,
        "cluster_seconds": 300,
    }


def test_a_retry_changes_caps_by_the_names_of_the_plans_fields():
    plan = parse_plan(plan_text(max_parallel_tables=7, max_parallel_loads=2))
    changed = caps_of(plan, 0, {"max_parallel_loads": 5, "max_parallel_exports": 1})
    assert (changed["tables"], changed["load"], changed["export"]) == (7, 5, 1)


def test_each_field_that_holds_back_the_pipeline_has_its_cap_and_its_most():
    assert CAPS.keys() == {*CAP_FIELDS, "max_tables_per_load_run"}
    for field, (cap, most) in CAPS.items():
        assert caps(**{field: most})[cap] == most
        assert faults_of(plan_text(**{field: most + 1}))


@pytest.mark.parametrize(("size_bytes", "expected"), [(99, True), (100, False), (None, False)])
def test_a_table_is_small_below_the_plans_bytes_and_never_if_its_size_is_unknown(size_bytes, expected):
    assert is_small(size_bytes, caps(share_load_run_below_bytes=100)) is expected
    assert not is_small(0, caps(share_load_run_below_bytes=0))


def test_small_tables_of_a_place_are_spread_evenly_over_as_few_runs_as_hold_them():
    assert tables_per_run(tables(20), caps()) == [20] * 20
    assert tables_per_run(tables(25), caps()) == [13] * 25
    assert tables_per_run([*tables(2), *tables(1, region="us-east-1")], caps()) == [2, 2, 1]
    assert tables_per_run([*tables(2), *tables(1, 10**9), *tables(1, None)], caps()) == [2, 2, 1, 1]


def test_small_tables_of_two_accounts_share_no_run():
    place = {"region": "eu-west-1", "size_bytes": 1}
    accounts = [{**place, "account": account} for account in ("1" * 12, "2" * 12, "1" * 12)]
    assert tables_per_run(accounts, caps()) == [2, 1, 2]


def test_one_table_to_a_load_run_means_that_none_is_shared():
    assert tables_per_run(tables(3), caps(max_tables_per_load_run=1)) == [1, 1, 1]
    assert tables_per_run([], caps()) == []
