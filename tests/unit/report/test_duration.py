import math
from time import process_time

import pytest

from d2c.plan.caps import CAPS
from d2c.plan.model import Plan
from d2c.plan.tables import Location
from d2c.report.duration import Way, duration_of, narrow_cap
from tests.builders import default_caps

HERE, THERE = Location(None, "eu-west-1"), Location(None, "us-east-1")
EXPORT, COPY, START, LOAD = 480, 120, 300, 30


def caps(**changes):
    return default_caps(**{"cluster_seconds": START, **changes})


def ways(count, **changes):
    """Return small tables, each with a container of its own."""
    way = Way(HERE, "", 1000, True, EXPORT, COPY, 0, LOAD)._replace(**changes)
    return [way._replace(container=f"shop/{way.location}-{number}") for number in range(count)]


LARGE = Way(HERE, "shop/large", 10**12, False, 5 * 3600, 10 * 3600, 0, 10 * 3600)


def seconds(of, **changes):
    return duration_of(of, caps(**changes)).seconds


def bound(count):
    """Return the time below which no pipeline of equal tables gets with the default caps."""
    return max(
        count * EXPORT / 50 + COPY + START + LOAD,
        EXPORT + count * COPY / 20 + START + LOAD,
        EXPORT + COPY + (math.ceil(count / 20) * START + count * LOAD) / 4,
        EXPORT + COPY + START + LOAD,
    )


def test_nothing_takes_no_time():
    assert duration_of([], caps()) == (0, 0)
    assert narrow_cap([], caps()) is None


def test_one_table_takes_its_stages_and_the_start_of_a_cluster_whatever_the_caps():
    (way,) = ways(1, prepare=20)
    assert duration_of([way], caps()) == (EXPORT + COPY + 20 + START + LOAD, 1)
    assert seconds([way], cluster_seconds=0) == EXPORT + COPY + 20 + LOAD
    assert narrow_cap([way], caps(export=1, copy=1, load=1, tables=1)) is None


def test_small_tables_share_the_start_of_a_cluster_and_are_prepared_side_by_side():
    assert duration_of(ways(20, prepare=20), caps()) == (EXPORT + COPY + 20 + START + 20 * LOAD, 1)
    assert duration_of(ways(20, prepare=20, is_small=False), caps(load=20)).load_runs == 20


def test_500_equal_tables_took_ten_hours_in_groups_and_come_near_the_bound_in_a_pipeline():
    # 25 runs of 15 minutes are not divisible by four lanes, which the bound does not know of.
    assert round(bound(500) / 60) == 104
    assert bound(500) < seconds(ways(500)) < 1.1 * bound(500)
    assert bound(1000) < seconds(ways(1000)) < 1.05 * bound(1000)


def test_a_huge_table_that_goes_first_ends_as_if_it_were_alone_and_the_small_ones_before_it():
    alone = LARGE.export + LARGE.copy + START + LARGE.load
    assert seconds([LARGE, *ways(500)]) == alone


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"export": 1}, 5 * EXPORT + COPY + START + LOAD),
        ({"copy": 1, "export": 5}, EXPORT + 5 * COPY + START + LOAD),
        ({"load": 1}, EXPORT + COPY + 5 * (START + LOAD)),
        ({"tables": 1}, 5 * (EXPORT + COPY + START + LOAD)),
        ({"export": 1, "copy": 1, "load": 1}, 5 * EXPORT + COPY + START + LOAD),
    ],
)
def test_a_cap_of_one_takes_one_table_after_another(changes, expected):
    assert seconds(ways(5, is_small=False), **changes) == expected


def test_export_lanes_are_those_of_a_place():
    both = [*ways(2), *ways(2, location=THERE)]
    assert seconds(both, export=1) == 2 * EXPORT + COPY + START + LOAD
    assert duration_of(both, caps()).load_runs == 2, "a run has tables of one location"


def test_exports_of_a_place_stay_within_the_bytes_that_aws_allows():
    vast = ways(2, size_bytes=60 * 10**12, is_small=False)
    assert seconds(vast) == 2 * EXPORT + COPY + START + LOAD
    assert seconds([vast[0], vast[1]._replace(location=THERE)]) == EXPORT + COPY + START + LOAD


def test_tables_of_one_container_are_loaded_one_after_another_each_with_a_run_of_its_own():
    sharers = [way._replace(container="shop/all") for way in ways(3)]
    assert duration_of(sharers, caps()) == (EXPORT + COPY + 3 * (START + LOAD), 3)


def test_few_small_tables_do_not_wait_longer_for_others_than_a_cluster_takes_to_start():
    first, late = ways(2)
    late = late._replace(export=10 * EXPORT)
    assert duration_of([first, late], caps()) == (10 * EXPORT + COPY + START + LOAD, 2)
    late = late._replace(export=EXPORT + START / 2)
    assert duration_of([first, late], caps()) == (EXPORT + START / 2 + COPY + START + 2 * LOAD, 1)


def test_no_export_begins_while_enough_tables_wait_for_the_load_lanes():
    *slow, last = ways(5, is_small=False, load=36_000)
    last = last._replace(export=200_000, load=LOAD)
    # The first is loaded, three more are ready: more than twice what one lane holds, until it takes the next.
    begins = EXPORT + COPY + START + 36_000
    assert seconds([*slow, last], load=1, export=1) == begins + 200_000 + COPY + START + LOAD
    assert seconds([*slow, last], load=2, export=1) == 4 * EXPORT + 200_000 + COPY + START + LOAD


class TestNarrowCap:
    def test_it_is_the_loads_for_many_small_tables(self):
        found = narrow_cap(ways(500), caps())
        assert (found.name, found.value, found.wider) == ("max_parallel_loads", 4, 8)
        then = duration_of(ways(500), caps(load=8))
        now = duration_of(ways(500), caps())
        assert found.seconds_saved == now.seconds - then.seconds > 600
        assert found.load_runs_added == then.load_runs - now.load_runs

    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({"export": 5}, "max_parallel_exports"),
            ({"copy": 1}, "max_parallel_copies"),
            ({"tables": 10}, "max_parallel_tables"),
        ],
    )
    def test_it_is_the_one_that_is_much_narrower_than_the_others(self, changes, name):
        assert narrow_cap(ways(300), caps(**changes)).name == name

    def test_none_is_wider_than_a_plan_may_have_it(self):
        tables = ways(1000, export=36_000)
        assert narrow_cap(tables, caps(export=200)).wider == 300
        assert narrow_cap(tables, caps(export=300)) is None

    def test_it_is_none_where_tables_have_all_the_lanes_they_need(self):
        assert narrow_cap(ways(20, is_small=False), caps(load=20)) is None

    def test_the_plans_limits_are_known(self):
        properties = Plan.model_json_schema()["properties"]
        for name, (_, most) in CAPS.items():
            kinds = properties[name].get("anyOf", [properties[name]])
            assert most == kinds[0]["maximum"]


def test_a_thousand_tables_are_counted_at_once_and_always_alike():
    tables = [way._replace(export=300 + 7 * (number % 90)) for number, way in enumerate(ways(1000))]
    began = process_time()
    first = duration_of(tables, caps())
    # A hundredth of it.
    assert process_time() - began < 10
    assert duration_of(tables, caps()) == first
