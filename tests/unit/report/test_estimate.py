import math
from pathlib import Path

import pytest

from d2c.app.prices import DEFAULTS
from d2c.load_run.throughput.request_units import read_ru, size_of_items
from d2c.report.costs import COPY_ACTIVITIES, COSTS, Cluster, cluster_of, cost_lines
from d2c.report.estimate import estimate_of, estimated_quantities
from d2c.report.outcome import compare_with_estimate, sum_of_rows
from d2c.report.terms import Terms
from d2c.shapes import LoadBounds
from tests.builders import default_caps
from tests.unit.pages import table_rows, text_of
from tests.unit.reports import record_of

GB = 2**30
JOB = Cluster(3, "Standard_D4ds_v5", False)
TABLE = {
    "table": "Orders",
    "database": "shop",
    "container": "orders",
    "region": "eu-west-1",
    "item_count": 36_000_000,
    "size_bytes": 36 * GB,
    "throughput": {"load_ru_per_second": "auto"},
    "verify": "full",
}
SMALL = {**TABLE, "item_count": 1000, "size_bytes": 10**6}
CAPS = default_caps()


def terms(cluster=JOB, **changes):
    return Terms(cluster, DEFAULTS, LoadBounds(400_000, 32_000))._replace(**changes)


def many(count, table=TABLE, **changes):
    """Return tables with containers of their own."""
    return [{**table, "table": f"t{n}", "container": f"c{n}", **changes} for n in range(count)]


def total_of(of, cluster=JOB, **changes):
    return estimate_of(of, terms(cluster), {**CAPS, **changes})["total"]


def quantities(of=None, **changes):
    return estimated_quantities({**TABLE, **changes}, of or terms())


def money(found, cluster=JOB):
    return {
        f"{line['service']}: {line['what']}": line["money"] for line in cost_lines([found], cluster, DEFAULTS)
    }


def test_a_copy_is_billed_by_its_begun_minutes_of_which_one_is_the_summarys():
    found = quantities()
    # 363 s are 7 begun minutes; 1 is the summary's, at 2 DIU, and 6 the data's, at 4 DIU.
    found["seconds"] = {**found["seconds"], "copy": 363}
    assert money(found)["Data Factory: data movement"] == pytest.approx((6 * 4 + 2) / 60 * 0.25, abs=1e-4)


def test_a_tables_figures_follow_from_its_items_and_bytes():
    found = quantities()
    assert found["ru"] == size_of_items(36_000_000, 36 * GB, 1.15).ru
    assert (found["create_ru_per_second"], found["load_ru_per_second"]) == (24_000, 32_000)
    assert found["after_ru_per_second"] == 400
    assert found["copied_bytes"] == round(36 * GB * 0.4)
    assert found["seconds"]["export"] == 360 + -(-36 * GB // 100_000_000)
    assert found["seconds"]["load"] == -(-found["ru"] // 32_000)
    reading = 36_000_000 * read_ru(36 * GB / 36_000_000)
    assert found["seconds"]["verify"] == math.ceil(2 * reading / 32_000)
    assert found["seconds"]["cluster"] == 300
    assert found["seconds"]["assess"] == 36_000_000 // (5_000 * 8)
    assert found["seconds"]["prepare"] == 30


def test_the_plans_throughput_decides_on_the_seconds_of_the_load():
    found = quantities(throughput={"load_ru_per_second": 400, "after_load_ru_per_second": 800})
    assert found["seconds"]["load"] == -(-found["ru"] // 400)
    assert found["after_ru_per_second"] == 800


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({}, 1.15),
        ({"indexing": "all"}, 2.0),
        ({"indexing": {"indexingMode": "consistent", "includedPaths": [{"path": "/a/?"}]}}, 1.05),
        ({"index_factor": 1.3}, 1.3),
        ({"indexing": "all", "described": {"indexing_policy": {"indexingMode": "none"}}}, 1.0),
        ({"indexing": "all", "apply_indexing": "after_load"}, 1.0),
    ],
)
def test_indexes_multiply_the_request_units_as_far_as_they_are_known(changes, factor):
    assert quantities(**changes)["ru"] == size_of_items(36_000_000, 36 * GB, factor).ru


@pytest.mark.parametrize(
    ("changes", "added"),
    [
        ({}, None),
        ({"index_factor": 1.0, "added_factor": 0.2}, 0.2),
        ({"indexing": "all", "apply_indexing": "after_load"}, 1.0),
        ({"described": {"indexing_policy": {}, "final_policy": {"includedPaths": [{"path": "/a/?"}]}}}, 0.05),
    ],
)
def test_indexes_that_are_applied_after_the_load_take_the_ru_that_they_add(changes, added):
    found = quantities(**changes)
    assert ("index" in found["seconds"]) == (added is not None)
    if added:
        ru = size_of_items(36_000_000, 36 * GB, added).ru
        assert found["seconds"]["index"] == pytest.approx(ru / found["load_ru_per_second"], abs=1)


def test_a_verification_that_leaves_ru_to_others_takes_longer():
    scaling = {"peak_ru_per_second": 60_000, "after_ru_per_second": 500, "autoscale": False}
    alone, paced = (quantities(scaling=scaling, **more) for more in ({}, {"verify_ru_per_second": 600}))
    assert paced["seconds"]["verify"] > 50 * alone["seconds"]["verify"]


def test_a_container_that_was_looked_at_is_scaled_as_the_check_says():
    scaling = {
        "before_ru_per_second": 700,
        "peak_ru_per_second": 60_000,
        "after_ru_per_second": 500,
        "autoscale": False,
    }
    found = quantities(scaling=scaling)
    # The peak leaves more behind than the plan wants.
    assert (found["load_ru_per_second"], found["after_ru_per_second"]) == (60_000, 600)


def test_a_cluster_that_scales_is_as_large_as_the_load_needs_and_a_load_no_faster_than_it():
    scaling = Cluster(9, "Standard_D4ds_v5", False, 2)
    sized = quantities(terms(scaling, bounds=LoadBounds(400_000, 128_000)))
    assert (sized["load_ru_per_second"], sized["nodes"]) == (60_400, 5)
    assert quantities(terms(scaling), item_count=1, size_bytes=1)["nodes"] == 2
    slow = quantities(throughput={"load_ru_per_second": 100_000})
    assert slow["seconds"]["load"] == -(-slow["ru"] // 32_000)


@pytest.mark.parametrize(
    ("changes", "times"), [({"regions": 3}, 3), ({"regions": 2, "writes_in_all": True}, 4)]
)
def test_each_region_is_billed_and_writable_ones_twice(changes, times):
    one, all_ = money(quantities()), money(quantities(terms(**changes)))
    for what in ("throughput of the load", "throughput afterwards"):
        assert all_[f"Cosmos DB: {what}"] == pytest.approx(times * one[f"Cosmos DB: {what}"])
    assert all_["Cosmos DB: storage"] == pytest.approx(changes["regions"] * one["Cosmos DB: storage"])


def test_the_first_hour_is_billed_by_what_the_container_is_created_with():
    lowered = {**quantities(), "create_ru_per_second": 52_000}
    what = "Cosmos DB: throughput of the load"
    assert money(lowered)[what] - money(quantities())[what] == pytest.approx(200 * 0.008)


def test_a_table_of_unknown_size_has_no_figures():
    assert quantities(size_bytes=None) is None
    assert quantities(item_count=None) is None


def test_an_existing_cluster_need_not_start_and_counts_take_no_reading():
    existing = Cluster(3, "Standard_D4ds_v5", True)
    found = quantities(terms(existing), verify="counts")
    assert found["seconds"]["cluster"] == 0
    # The export is still mapped once more.
    assert found["seconds"]["verify"] == found["seconds"]["assess"] > 30
    small = {**TABLE, "verify": "counts", "item_count": 1, "size_bytes": 1}
    assert estimated_quantities(small, terms(existing))["seconds"]["verify"] == 30


@pytest.mark.parametrize(
    ("spec", "cluster"),
    [
        ({"num_workers": 2, "node_type_id": "n"}, Cluster(3, "n", False)),
        ({"autoscale": {"min_workers": 2, "max_workers": 8}, "node_type_id": "n"}, Cluster(9, "n", False, 3)),
        ({"existing_cluster_id": "c"}, Cluster(None, "unknown", True)),
        ({"instance_pool_id": "p", "num_workers": 0}, Cluster(1, "unknown", False)),
    ],
)
def test_a_clusters_size_is_read_from_its_specification_and_never_guessed(spec, cluster):
    assert cluster_of(spec) == cluster


def test_the_money_is_quantity_times_price():
    found = quantities()
    hours = sum(found["seconds"][stage] for stage in ("cluster", "assess", "load", "verify")) / 3600
    costs = money(found)
    assert costs["DynamoDB: export"] == pytest.approx(36 * 0.10)
    assert costs["AWS: transfer out"] == pytest.approx(36 * 0.4 * 0.09, rel=1e-6)
    assert costs["Databricks: virtual machines"] == pytest.approx(3 * hours * 0.226)
    assert costs["Databricks: DBU"] == pytest.approx(3 * hours * 0.30)
    assert costs["Cosmos DB: throughput of the load"] == pytest.approx(3 * 320 * 0.008)
    assert costs["Cosmos DB: throughput afterwards"] == pytest.approx(730 * 4 * 0.008)


def test_a_begun_hour_of_throughput_is_paid_whole():
    found = {**quantities(), "seconds": {"load": 10}}
    assert money(found)["Cosmos DB: throughput of the load"] == pytest.approx(320 * 0.008)


def test_what_has_no_known_price_or_quantity_has_no_money_and_is_named():
    unknown = Cluster(3, "Standard_Unheard", False)
    costs = money(quantities(), unknown)
    assert (costs["Databricks: virtual machines"], costs["Databricks: DBU"]) == (None, None)
    found = total_of([TABLE], Cluster(None, "Standard_D4ds_v5", True))
    assert found["unknown"] == ["Databricks: DBU", "Databricks: virtual machines"]


def test_tables_of_one_load_run_share_the_start_of_its_cluster_and_nothing_else():
    alone, shared = quantities(), quantities(tables_per_run=20)
    assert shared["seconds"] == {**alone["seconds"], "cluster": 15}
    a_second = (money(alone)["Databricks: DBU"] - money(shared)["Databricks: DBU"]) / 285
    assert a_second == pytest.approx(3 / 3600 * 0.30)


def test_the_whole_is_the_sum_of_its_tables():
    found = estimate_of(many(3), terms(), CAPS)
    assert found["total"]["items"] == 3 * 36_000_000
    assert found["total"]["once"] == pytest.approx(sum(table["once"] for table in found["tables"]))
    assert found["total"]["seconds"]["export"] == 3 * quantities()["seconds"]["export"]


def test_the_elapsed_time_follows_from_the_seconds_of_the_tables_and_the_plans_caps():
    seconds = quantities()["seconds"]
    one = sum(seconds.values())
    found = total_of(many(3))
    assert (found["seconds_in_all"], found["load_runs"], found["narrow_cap"]) == (one, 3, None)
    before_load = seconds["export"] + seconds["copy"]
    assert total_of(many(3), load=1)["seconds_in_all"] == before_load + 3 * (one - before_load)
    assert total_of(many(3), tables=1)["seconds_in_all"] == 3 * one


def test_small_tables_share_load_runs_and_those_of_one_container_do_not():
    small = many(20, SMALL, tables_per_run=20)
    seconds = estimated_quantities(small[0], terms())["seconds"]
    own = seconds["assess"] + seconds["load"] + seconds["verify"]
    found = total_of(small)
    assert found["load_runs"] == 1
    before_load = seconds["export"] + seconds["copy"]
    assert found["seconds_in_all"] == before_load + seconds["prepare"] + 300 + 20 * own
    assert total_of([{**table, "container": "all"} for table in small])["load_runs"] == 20


def test_the_narrow_cap_is_told_with_what_a_wider_one_brings_and_costs():
    tables = many(500, SMALL, throughput={"load_ru_per_second": 400}, tables_per_run=20)
    found = total_of(tables)
    narrow, wider = found["narrow_cap"], total_of(tables, load=8)
    assert (narrow["name"], narrow["value"], narrow["wider"]) == ("max_parallel_loads", 4, 8)
    assert narrow["seconds_saved"] == found["seconds_in_all"] - wider["seconds_in_all"]
    assert narrow["load_runs_added"] == wider["load_runs"] - found["load_runs"] > 0
    starts = narrow["load_runs_added"] * 300 / 3600
    assert narrow["money_added"] == pytest.approx(3 * starts * (0.226 + 0.30))


def test_a_wider_cap_has_no_money_where_the_cluster_has_no_known_price():
    narrow = total_of(many(8), Cluster(3, "Standard_Unheard", False), load=1)["narrow_cap"]
    assert (narrow["name"], narrow["money_added"]) == ("max_parallel_loads", None)


def test_an_estimate_of_nothing_is_zero():
    found = estimate_of([{**TABLE, "size_bytes": None}], terms(), CAPS)
    assert found["tables_of_unknown_size"] == ["Orders"]
    assert (found["total"]["items"], found["total"]["once"], found["total"]["seconds_in_all"]) == (0, 0, 0)


def test_the_pipelines_activities_are_as_many_as_the_formulas_say():
    pipeline = Path(__file__).parents[3] / "adf" / "pipeline" / "copy_export.json"
    assert pipeline.read_text().count('"type": "Copy"') == COPY_ACTIVITIES


def test_every_price_of_the_formulas_is_on_the_page():
    told = " ".join(row[3] for row in table_rows(text_of("start/cost.md"), "## The money"))
    for cost in COSTS:
        assert cost.price(JOB).partition(":")[0] in told


RECORD = {
    **TABLE,
    **record_of("Orders"),
    "item_count": 5_000,
    "size_bytes": 7_340_032,
    "copy": {"files": 12, "bytes": 3_000_000},
}
RECORD["export"] = {**RECORD["export"], "billed_bytes": 8_000_000, "files": 8}
BASIS = terms().to_dict()


class TestOutcome:
    def rows(self, record=None, census=None, basis=None):
        found = compare_with_estimate(record or RECORD, census or {"write_ru": 61_000}, basis or BASIS)
        return {row["what"]: (row["estimated"], row["actual"]) for row in found}

    def test_every_figure_of_the_estimate_has_what_it_came_to(self):
        rows = self.rows()
        assert rows["items"] == (5_000, 5_000)
        assert rows["bytes"] == (7_340_032, 8_000_000)
        assert rows["ru"] == (size_of_items(5_000, 7_340_032, 1.15).ru, 61_000 * 1.15)
        assert rows["export"] == (361, 2.5)
        assert rows["verify"][1] == 157.5

    def test_a_size_that_dynamodb_does_not_bill_is_not_known(self):
        unbilled = {**RECORD, "export": {**RECORD["export"], "billed_bytes": 0}}
        assert self.rows(record=unbilled)["bytes"] == (7_340_032, None)

    def test_actual_money_is_the_same_formulas_over_what_was_measured(self):
        rows = self.rows()
        assert rows["DynamoDB: export"][0] == pytest.approx(7_340_032 / GB * 0.10)
        assert rows["DynamoDB: export"][1] == pytest.approx(8_000_000 / GB * 0.10)
        assert rows["AWS: transfer out"][1] == pytest.approx(3_000_000 / GB * 0.09)
        assert rows["Cosmos DB: throughput of the load"] == (
            pytest.approx(400 / 100 * 0.008),
            pytest.approx(20_000 / 100 * 0.008),
        )
        assert not any("keeping" in what for what in rows)

    def test_the_start_of_a_cluster_is_not_measured_and_counts_as_estimated(self):
        measured = sum(
            stage["seconds"] for stage in RECORD["stages"] if stage["stage"] in ("assess", "load", "verify")
        )
        hours = 3 * (300 + measured) / 3600
        assert self.rows()["Databricks: virtual machines"][1] == pytest.approx(hours * 0.226)

    def test_stages_that_were_not_come_to_have_no_outcome(self):
        record = {
            **RECORD,
            "export": None,
            "copy": None,
            "described": None,
            "stages": [{"stage": "export", "state": "failed", "started_at": "x", "seconds": 4.0}],
        }
        rows = self.rows(record=record)
        assert rows["items"] == (5_000, None)
        assert rows["load"][1] is None
        assert rows["Databricks: virtual machines"][1] == 0
        assert rows["Cosmos DB: throughput of the load"][1] is None

    @pytest.mark.parametrize("changes", [{"arrived": {"folder": "x"}}, {"size_bytes": None}])
    def test_an_export_of_others_and_a_table_of_unknown_size_are_not_compared(self, changes):
        assert compare_with_estimate({**RECORD, **changes}, None, BASIS) is None

    def test_a_migration_of_before_there_were_estimates_has_none(self):
        assert compare_with_estimate(RECORD, None, None) is None

    def test_sums_are_over_what_is_known_on_both_sides(self):
        one = [{"what": "items", "unit": "items", "estimated": 10, "actual": 11}]
        other = [{"what": "items", "unit": "items", "estimated": 5, "actual": None}]
        assert sum_of_rows([one, None, other, one]) == [
            {"what": "items", "unit": "items", "estimated": 20, "actual": 22}
        ]
        assert sum_of_rows([other]) == [{"what": "items", "unit": "items", "estimated": None, "actual": None}]
        assert sum_of_rows([None]) is None
