import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.plan.units import units_of

MB = 2**20


def table(name, size_bytes=500 * MB, container=None, region="eu-west-1", database="shop"):
    return {
        "table": name,
        "container": container or name,
        "database": database,
        "region": region,
        "size_bytes": size_bytes,
    }


def units(tables, order="largest_first", below=100 * MB, most=20, round_number=0):
    return units_of(
        tables,
        order=order,
        share_load_run_below_bytes=below,
        max_tables_per_load_run=most,
        round_number=round_number,
    )


def names(found):
    return ["+".join(table["table"] for table in unit["tables"]) for unit in found]


def test_large_tables_are_units_alone_the_largest_first():
    found = units([table("a", 200 * MB), table("b", 900 * MB), table("c", 500 * MB)])
    assert names(found) == ["b", "c", "a"]
    assert not any(unit["together"] for unit in found)
    assert all(unit["tables"][0]["load_group"] is None for unit in found)


def test_tables_as_listed_stay_so():
    found = units([table("a", 200 * MB), table("b", None), table("c", 500 * MB)], order="as_listed")
    assert names(found) == ["a", "b", "c"]


def test_a_table_of_unknown_size_comes_first_and_alone():
    assert names(units([table("a", 1), table("b", 10**15), table("c", None), table("d", 2)])) == [
        "c",
        "b",
        "d+a",
    ]


def test_tables_of_one_size_stay_as_listed():
    assert names(units([table("b"), table("a"), table("c")])) == ["b", "a", "c"]


def test_small_tables_share_a_load_run():
    (unit,) = units([table("a", MB), table("b", 2 * MB), table("c", 0)], round_number=7)
    assert unit["together"]
    assert names([unit]) == ["b+a+c"]
    group = {"id": "7-0", "tables": ["b", "a", "c"]}
    assert [table["load_group"] for table in unit["tables"]] == [group] * 3


def test_a_load_group_is_called_as_its_unit():
    found = units([table("a", MB), table("large"), table("b", MB), table("c", MB), table("d", MB)], most=2)
    assert names(found) == ["large", "a+b", "c+d"]
    assert [unit["tables"][0]["load_group"] for unit in found[1:]] == [
        {"id": "0-1", "tables": ["a", "b"]},
        {"id": "0-2", "tables": ["c", "d"]},
    ]


def test_a_table_of_exactly_the_size_is_not_small():
    assert names(units([table("a", 100 * MB), table("b", 100 * MB - 1), table("c", 1)])) == ["a", "b+c"]


def test_a_size_of_zero_means_that_no_load_run_is_shared():
    assert names(units([table("a", 0), table("b", 0)], below=0)) == ["a", "b"]


def test_one_table_to_a_load_run_means_that_none_is_shared():
    found = units([table("a", 1), table("b", 1)], most=1)
    assert names(found) == ["a", "b"]
    assert not any(unit["together"] or unit["tables"][0]["load_group"] for unit in found)


def test_a_small_table_alone_is_a_unit_like_any_other():
    (unit,) = units([table("a", 1)])
    assert unit == {"tables": [{**table("a", 1), "load_group": None}], "together": False}


def test_no_small_table_is_left_alone_where_it_can_be_helped():
    assert [len(unit["tables"]) for unit in units([table(f"t{n:02}", 1) for n in range(21)])] == [11, 10]


def test_small_tables_of_two_regions_share_no_load_run():
    tables = [
        table("a", 1),
        table("b", 1, region="us-east-1"),
        table("c", 1),
        table("d", 1, region="us-east-1"),
    ]
    assert names(units(tables)) == ["a+c", "b+d"]


def test_tables_that_share_a_container_run_one_after_another_in_one_unit():
    tables = [table("a", 1, "all"), table("b", 300 * MB), table("c", 400 * MB, "all"), table("d", 1)]
    found = units(tables)
    assert names(found) == ["c+a", "b", "d"]
    assert not any(unit["together"] for unit in found)
    assert all(table["load_group"] is None for unit in found for table in unit["tables"])


def test_containers_of_one_name_in_two_databases_are_two():
    assert names(units([table("a", 1, "all"), table("b", 1, "all", database="crm")])) == ["a+b"]


def test_a_unit_as_listed_comes_with_its_first_table():
    tables = [
        table("a", 1),
        table("b"),
        table("c", container="all"),
        table("d", 1),
        table("e", container="all"),
    ]
    assert names(units(tables, order="as_listed")) == ["a+d", "b", "c+e"]


def test_a_table_of_a_retry_gets_the_group_of_its_new_round():
    before = {**table("a", 1), "load_group": {"id": "0-3", "tables": ["a", "b"]}}
    (unit,) = units([before], round_number=1)
    assert unit["tables"][0]["load_group"] is None
    assert before["load_group"] is not None, "an input is not changed"


def test_no_tables_are_no_units():
    assert units([]) == []


many = st.lists(
    st.builds(
        table,
        name=st.uuids().map(str),
        size_bytes=st.none() | st.integers(0, 200),
        container=st.none() | st.sampled_from(["c1", "c2", "c3"]),
        region=st.sampled_from(["eu-west-1", "us-east-1"]),
        database=st.sampled_from(["shop", "crm"]),
    ),
    max_size=60,
    unique_by=lambda table: table["table"],
)
orders = st.sampled_from(["largest_first", "as_listed"])


@given(many, orders, st.integers(0, 200), st.integers(1, 20))
def test_every_table_is_in_one_unit_as_it_was_given(tables, order, below, most):
    found = [table for unit in units(tables, order, below, most) for table in unit["tables"]]
    assert sorted(table["table"] for table in found) == sorted(table["table"] for table in tables)
    given_inputs = {table["table"]: table for table in tables}
    for one in found:
        assert {**one, "load_group": 0} == {**given_inputs[one["table"]], "load_group": 0}


@given(many, orders, st.integers(0, 200), st.integers(1, 20))
def test_a_load_group_has_few_small_tables_with_own_containers(tables, order, below, most):
    containers = [(table["database"], table["container"]) for table in tables]
    for number, unit in enumerate(units(tables, order, below, most)):
        group = unit["tables"]
        assert unit["together"] == (group[0]["load_group"] is not None)
        if unit["together"]:
            expected = {"id": f"0-{number}", "tables": [table["table"] for table in group]}
            assert all(table["load_group"] == expected for table in group)
            assert 2 <= len(group) <= most
            assert len({table["region"] for table in group}) == 1
            assert all(table["size_bytes"] < below for table in group)
            assert all(containers.count((table["database"], table["container"])) == 1 for table in group)


@given(many, orders, st.integers(0, 200), st.integers(1, 20))
def test_no_two_units_write_to_one_container(tables, order, below, most):
    seen = set()
    for unit in units(tables, order, below, most):
        containers = {(table["database"], table["container"]) for table in unit["tables"]}
        assert not containers & seen
        assert len(containers) == (len(unit["tables"]) if unit["together"] else 1)
        seen |= containers


@given(many, st.integers(0, 200), st.integers(1, 20))
def test_no_unit_is_larger_than_the_one_before_it(tables, below, most):
    sizes = [
        [table["size_bytes"] for table in unit["tables"]] for unit in units(tables, below=below, most=most)
    ]
    totals = [float("inf") if None in one else sum(one) for one in sizes]
    assert totals == sorted(totals, reverse=True)


@given(many, st.integers(0, 200), st.integers(1, 20))
def test_units_as_listed_come_in_the_order_of_their_first_tables(tables, below, most):
    place = {table["table"]: number for number, table in enumerate(tables)}
    found = units(tables, "as_listed", below, most)
    firsts = [place[unit["tables"][0]["table"]] for unit in found]
    assert firsts == sorted(firsts)
    for unit in found:
        places = [place[table["table"]] for table in unit["tables"]]
        assert places == sorted(places)


@pytest.mark.parametrize("order", ["largest_first", "as_listed"])
def test_the_same_tables_are_always_the_same_units(order):
    tables = [table(f"t{n}", n % 7 * 30 * MB, "all" if n % 11 == 0 else None) for n in range(200)]
    assert units(tables, order) == units(tables, order)


def test_small_tables_of_two_accounts_do_not_run_together():
    tables = [{**table(name, MB), "account": account} for name, account in (("a", "1" * 12), ("b", "2" * 12))]
    assert sorted(names(units(tables))) == ["a", "b"]
