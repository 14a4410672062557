import json

import pytest

from activities.report import write_report, write_table_report
from d2c.app.prices import DEFAULTS
from d2c.state import paths
from tests.builders import a_described, a_load, a_record

from .answers import error_of, value_of

RECORD = a_record(
    load=a_load(result_path="result.json"),
    described=a_described(before_ru_per_second=400),
    throughput={"load_ru_per_second": "auto"},
)
PLAN = {
    "name": "m",
    "database": "shop",
    "tables": [
        {"table": "Orders", "container": "orders", "database": "other"},
        {"table": "Music", "container": "music"},
    ],
}


def table_report_of(world, table="Music"):
    return json.loads(world.lake.files[paths.table_report_path("m", table)])


def accept(world):
    world.lake.write_json(
        paths.plan_path("m"), {"plan": PLAN, "accepted_at": "2026-06-01T12:00:00.000+00:00"}
    )
    listed = [{"database": "shop", **table} for table in reversed(PLAN["tables"])]
    world.lake.write_json(paths.tables_path("m"), {"round": 0, "tables": listed})


class TestWriteTableReport:
    def test_it_takes_the_mismatches_from_where_the_load_run_left_them(self, world):
        mismatch = {"kind": "missing", "document": "d", "properties": []}
        world.lake.write_json("result.json", {"mismatches": [mismatch]})
        value_of(world.answer(write_table_report, RECORD))
        report = table_report_of(world)
        assert report["mismatches"] == [mismatch]
        assert report["items"] == {"exported": 7, "written": 7, "rejected": 0, "expired": 0}
        assert report["throughput"] == {
            "before_ru_per_second": 400,
            "peak_ru_per_second": 4000,
            "after_ru_per_second": 1000,
        }

    def test_it_takes_the_census_from_there_too_and_says_how_long_the_load_takes(self, world):
        world.lake.write_json("result.json", {"census": {"write_ru": 8_000}})
        value_of(world.answer(write_table_report, RECORD))
        census = table_report_of(world)["census"]
        assert census["write_ru"] == 8_000
        assert {"ru_per_second": 4000, "seconds": 2, "planned": True} in census["load_estimate"]

    def test_what_was_expected_stands_beside_what_it_came_to(self, world):
        basis = {**DEFAULTS.to_dict(), "cluster": {"nodes": 3, "node_type": "n", "is_existing": False}}
        world.lake.write_json(paths.estimate_path("m"), {"basis": basis})
        value_of(
            world.answer(
                write_table_report,
                {
                    **RECORD,
                    "item_count": 9,
                    "size_bytes": 900,
                    "throughput": {"load_ru_per_second": "auto"},
                },
            )
        )
        rows = {row["what"]: row for row in table_report_of(world)["estimate"]}
        assert (rows["items"]["estimated"], rows["items"]["actual"]) == (9, 7)
        accept(world)
        value_of(world.answer(write_report, {"migration": "m", "state": "succeeded", "error": None}))
        report = world.lake.read_json(paths.report_path("m"))
        assert report["estimate"][0] == {"what": "items", "unit": "items", "estimated": 9, "actual": 7}
        assert b"Estimate and outcome" in world.lake.files[paths.report_page_path("m")]

    def test_the_census_stays_when_a_revisit_has_verified_anew(self, world):
        world.lake.write_json(
            "result.json", {"census": {"write_ru": 8_000}, "mismatches": [{"kind": "missing"}]}
        )
        world.lake.write_json("verify-1.json", {"mismatches": []})
        value_of(world.answer(write_table_report, {**RECORD, "verified_by": "verify-1.json"}))
        report = table_report_of(world)
        assert (report["census"]["write_ru"], report["mismatches"]) == (8_000, [])

    def test_a_table_that_failed_early_has_a_report_all_the_same(self, world):
        error = {"title": "t", "detail": "d", "next_step": "n", "stage": "export"}
        early = {
            name: value
            for name, value in RECORD.items()
            if name not in ("export", "load", "described", "restored")
        }
        value_of(
            world.answer(write_table_report, {**early, "state": "failed", "error": error, "restored": None})
        )
        assert table_report_of(world)["error"] == error

    def test_a_result_that_is_gone_costs_the_examples_and_not_the_report(self, world):
        value_of(world.answer(write_table_report, RECORD))
        report = table_report_of(world)
        assert (report["mismatches"], report["census"]) == ([], None)

    def test_the_log_of_ended_tables_gets_a_line_that_tells_how_it_stands(self, world):
        value_of(world.answer(write_table_report, RECORD))
        (line,) = world.lake.read_log(paths.ended_tables_path("m"))
        counts = {"items_exported": 7, "items_written": 7, "items_rejected": 0, "items_expired": 0}
        assert {"table": "Music", "round": 0, "state": "succeeded", "stage": "report", **counts}.items() <= (
            line.items()
        )

    def test_writing_it_again_gives_the_same(self, world):
        value_of(world.answer(write_table_report, RECORD))
        first = table_report_of(world)
        value_of(world.answer(write_table_report, RECORD))
        assert table_report_of(world) == first


class TestWriteReport:
    def write(self, world, state="succeeded"):
        value_of(world.answer(write_report, {"migration": "m", "state": state}))
        return json.loads(world.lake.files[paths.report_path("m")])

    def test_it_has_the_tables_in_the_plans_order_as_json_and_as_a_page(self, world):
        accept(world)
        for table in ("Music", "Orders"):
            value_of(world.answer(write_table_report, {**RECORD, "table": table}))
        report = self.write(world)
        assert [part["table"] for part in report["tables"]] == ["Orders", "Music"]
        page = world.lake.files[paths.report_page_path("m")].decode()
        assert "Orders" in page
        assert page.lower().startswith("<!doctype html>")

    def test_a_table_that_left_no_part_is_in_it_as_failed_and_not_left_out(self, world):
        accept(world)
        value_of(world.answer(write_table_report, RECORD))
        orders, music = self.write(world, "failed")["tables"]
        assert (orders["table"], orders["database"], orders["state"]) == ("Orders", "other", "failed")
        assert paths.table_report_path("m", "Orders") in orders["error"]["detail"]
        assert music["state"] == "succeeded"

    @pytest.mark.parametrize(
        ("states", "whole"),
        [
            (["succeeded", "succeeded"], "succeeded"),
            (["succeeded", "cancelled"], "cancelled"),
            (["failed", "cancelled"], "failed"),
        ],
    )
    def test_the_whole_ended_as_its_tables_did_in_whatever_round(self, world, states, whole):
        accept(world)
        for table, state in zip(("Music", "Orders"), states, strict=True):
            value_of(world.answer(write_table_report, {**RECORD, "table": table, "state": state}))
        ended = value_of(world.answer(write_report, {"migration": "m", "state": "succeeded"}))
        assert ended["state"] == whole
        assert sum(ended["tables"].values()) == 2

    def test_a_migration_that_ended_before_its_tables_were_listed_tells_why(self, world):
        accept(world)
        world.lake.delete(paths.tables_path("m"))
        value_of(
            world.answer(
                write_report, {"migration": "m", "state": "failed", "error": {"detail": "no such pattern"}}
            )
        )
        report = json.loads(world.lake.files[paths.report_path("m")])
        assert (report["state"], report["tables"]) == ("failed", [])
        assert report["error"]["detail"] == "no such pattern"

    def test_a_migration_whose_report_is_written_is_no_longer_open(self, world):
        accept(world)
        world.lake.write(paths.open_path("m"), b"")
        for table in ("Music", "Orders"):
            value_of(world.answer(write_table_report, {**RECORD, "table": table}))
        self.write(world)
        assert paths.open_path("m") not in world.lake.files

    def test_a_plan_that_is_gone_is_told_and_not_tried_for_hours(self, world):
        error = error_of(world.answer(write_report, {"migration": "m", "state": "failed"}))
        assert paths.plan_path("m") in error["detail"]
