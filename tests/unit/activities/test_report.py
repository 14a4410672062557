import json

import pytest

from activities.report import write_report
from activities.table_end import write_record
from d2c.app.prices import DEFAULTS
from d2c.report.costs import Cluster
from d2c.report.terms import Terms
from d2c.shapes import LoadBounds
from d2c.state import paths
from tests.builders import (
    a_census,
    a_claim,
    a_described,
    a_load,
    a_load_run_result,
    a_pass,
    a_record,
    an_end,
    an_error,
)

from .answers import error_of, value_of
from .fakes import SubstituteClients
from .queues import put_queue, some_tables, tell

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
    return json.loads(world.lake.files[paths.MigrationFiles("m").table(table).report])


def accept(world):
    world.lake.write_json(
        paths.MigrationFiles("m").plan, {"plan": PLAN, "accepted_at": "2026-06-01T12:00:00.000+00:00"}
    )
    listed = [{"database": "shop", **table} for table in reversed(PLAN["tables"])]
    world.lake.write_json(paths.MigrationFiles("m").tables, {"operation": 0, "tables": listed})


def write(world, record):
    write_record(SubstituteClients(world), record)


def put_report(world, operation=0, kind="start", error=None):
    """Write the report of an operation; the result is how it ended."""
    payload = {"migration": "m", "operation": operation, "kind": kind, "error": error}
    return value_of(world.answer(write_report, payload))


class TestATablesPart:
    def test_it_takes_the_mismatches_from_where_the_load_run_left_them(self, world):
        mismatch = {"kind": "missing", "document": "d", "properties": []}
        world.lake.write_json("result.json", a_load_run_result(mismatches=[mismatch]))
        write(world, RECORD)
        report = table_report_of(world)
        assert report["mismatches"] == [mismatch]
        assert report["items"] == {"exported": 7, "written": 7, "rejected": 0, "expired": 0}
        assert report["throughput"] == {
            "before_ru_per_second": 400,
            "peak_ru_per_second": 4000,
            "after_ru_per_second": 1000,
            "shared_ru_per_second": None,
            "verify_ru_per_second": None,
        }

    def test_it_takes_the_census_from_there_too_and_says_how_long_the_load_takes(self, world):
        world.lake.write_json("result.json", a_load_run_result(census=a_census(write_ru=8_000)))
        write(world, RECORD)
        census = table_report_of(world)["census"]
        assert (census["write_ru"], census["write_factor"]) == (9_200, 1.15)
        assert {"ru_per_second": 4000, "seconds": 3, "planned": True} in census["load_estimate"]

    def test_what_was_expected_stands_beside_what_it_came_to(self, world):
        basis = Terms(Cluster(3, "n", False), DEFAULTS, LoadBounds(400_000, 32_000)).to_dict()
        world.lake.write_json(paths.MigrationFiles("m").estimate, {"basis": basis})
        write(
            world,
            {
                **RECORD,
                "item_count": 9,
                "size_bytes": 900,
                "throughput": {"load_ru_per_second": "auto"},
            },
        )
        rows = {row["what"]: row for row in table_report_of(world)["estimate"]}
        assert (rows["items"]["estimated"], rows["items"]["actual"]) == (9, 7)
        accept(world)
        put_report(world)
        report = world.lake.read_json(paths.MigrationFiles("m").report)
        assert report["estimate"][0] == {"what": "items", "unit": "items", "estimated": 9, "actual": 7}
        assert b"Estimate and outcome" in world.lake.files[paths.MigrationFiles("m").report_page]

    def test_the_census_stays_when_an_operation_has_verified_anew(self, world):
        mismatch = {"kind": "missing", "document": "d", "properties": []}
        world.lake.write_json("result.json", a_load_run_result(mismatches=[mismatch]))
        world.lake.write_json("verify-1.json", a_load_run_result(mismatches=[]))
        write(world, {**RECORD, "verified_by": "verify-1.json"})
        report = table_report_of(world)
        assert (report["census"]["write_ru"], report["mismatches"]) == (81, [])

    def test_a_table_that_failed_early_has_a_report_all_the_same(self, world):
        error = {"title": "t", "detail": "d", "next_step": "n", "stage": "export"}
        early = {
            name: value
            for name, value in RECORD.items()
            if name not in ("export", "load", "described", "restored")
        }
        write(world, {**early, "state": "failed", "error": error, "restored": None})
        assert table_report_of(world)["error"] == error

    @pytest.mark.parametrize("content", [None, {"mismatches": "all"}])
    def test_a_result_that_is_gone_costs_the_examples_and_not_the_report(self, world, content):
        if content:
            world.lake.write_json("result.json", content)
        write(world, RECORD)
        report = table_report_of(world)
        assert (report["mismatches"], report["census"]) == ([], None)

    def test_the_log_of_ended_tables_gets_a_line_that_tells_how_it_stands(self, world):
        write(world, RECORD)
        (line,) = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        counts = {"items_exported": 7, "items_written": 7, "items_rejected": 0, "items_expired": 0}
        assert {
            "table": "Music",
            "operation": 0,
            "state": "succeeded",
            "stage": "report",
            **counts,
        }.items() <= (line.items())

    def test_writing_it_again_gives_the_same(self, world):
        write(world, RECORD)
        first = table_report_of(world)
        write(world, RECORD)
        assert table_report_of(world) == first

    def test_stages_end_in_the_record_as_in_the_report(self, world):
        running = {"stage": "report", "state": "running", "started_at": "2026-06-01T12:00:00+00:00"}
        write(world, {**RECORD, "stages": [running]})
        kept = world.lake.read_json(paths.MigrationFiles("m").table("Music").record)["stages"]
        assert kept == table_report_of(world)["stages"]
        assert kept[0]["state"] == "succeeded"
        assert kept[0]["seconds"] > 0

    def test_a_report_that_began_by_a_clock_ahead_of_this_one_took_no_time(self, world):
        ahead = {"stage": "report", "state": "running", "started_at": "2999-01-01T00:00:00+00:00"}
        write(world, {**RECORD, "stages": [ahead]})
        (stage,) = table_report_of(world)["stages"]
        assert (stage["state"], stage["seconds"]) == ("succeeded", 0)


class TestWriteReport:
    def report(self, world, **ended):
        put_report(world, **ended)
        return json.loads(world.lake.files[paths.MigrationFiles("m").report])

    def test_it_has_the_tables_in_the_plans_order_as_json_and_as_a_page(self, world):
        accept(world)
        for table in ("Music", "Orders"):
            write(world, {**RECORD, "table": table})
        report = self.report(world)
        assert [part["table"] for part in report["tables"]] == ["Orders", "Music"]
        page = world.lake.files[paths.MigrationFiles("m").report_page].decode()
        assert "Orders" in page
        assert page.lower().startswith("<!doctype html>")

    def test_a_table_that_left_no_part_is_in_it_as_failed_and_not_left_out(self, world):
        accept(world)
        write(world, RECORD)
        orders, music = self.report(world)["tables"]
        assert (orders["table"], orders["database"], orders["state"]) == ("Orders", "other", "failed")
        assert paths.MigrationFiles("m").table("Orders").report in orders["error"]["detail"]
        assert music["state"] == "succeeded"

    @pytest.mark.parametrize(
        ("states", "whole"),
        [
            (["succeeded", "succeeded"], "succeeded"),
            (["succeeded", "cancelled"], "cancelled"),
            (["failed", "cancelled"], "failed"),
        ],
    )
    @pytest.mark.parametrize("operation", [{}, {"operation": 1, "kind": "retry"}])
    def test_the_whole_ended_as_its_tables_did_in_whatever_operation(self, world, states, whole, operation):
        accept(world)
        for table, state in zip(("Music", "Orders"), states, strict=True):
            write(world, {**RECORD, "table": table, "state": state})
        ended = put_report(world, **operation)
        assert (ended["state"], ended["error"]) == (whole, None)
        assert sum(ended["tables"].values()) == 2

    def test_a_migration_that_ended_before_its_tables_were_listed_tells_why(self, world):
        accept(world)
        world.lake.delete(paths.MigrationFiles("m").tables)
        report = self.report(world, error=an_error(detail="no such pattern"))
        assert (report["state"], report["tables"]) == ("failed", [])
        assert report["error"]["detail"] == "no such pattern"

    def test_one_that_was_cancelled_before_has_no_tables_and_is_cancelled(self, world):
        accept(world)
        world.lake.delete(paths.MigrationFiles("m").tables)
        error = an_error(cancelled=True)
        assert put_report(world, error=error) == {"state": "cancelled", "tables": {}, "error": error}

    def test_a_lane_that_had_to_stop_fails_the_whole_though_its_tables_are_well(self, world):
        accept(world)
        for table in ("Music", "Orders"):
            write(world, {**RECORD, "table": table})
        ended = put_report(world, error=an_error())
        assert (ended["state"], ended["tables"]) == ("failed", {"succeeded": 2})

    def test_writing_it_again_gives_the_same(self, world):
        accept(world)
        write(world, RECORD)
        first = self.report(world)
        assert self.report(world) == first

    def test_a_plan_that_is_gone_is_told_and_not_tried_for_hours(self, world):
        payload = {"migration": "m", "operation": 0, "kind": "start", "error": None}
        assert paths.MigrationFiles("m").plan in error_of(world.answer(write_report, payload))["detail"]


class TestClosingAMigration:
    @pytest.fixture
    def migrated(self, world):
        accept(world)
        world.lake.write(paths.MigrationFiles("m").is_open, b"")
        for table in ("Music", "Orders"):
            write(world, {**RECORD, "table": table})
        put_queue(world, *some_tables("Music", "Orders"))
        return world

    def is_open(self, world):
        return world.lake.exists(paths.MigrationFiles("m").is_open)

    def test_one_whose_tables_have_all_ended_is_no_longer_open(self, migrated):
        tell(migrated, an_end("Music"), an_end("Orders"))
        put_report(migrated)
        assert not self.is_open(migrated)

    @pytest.mark.parametrize(
        "entries",
        [[], [a_claim("export", "Orders")], [a_claim("export", "Orders"), a_pass("export", "Orders")]],
    )
    def test_a_line_of_its_end_is_enough_where_the_one_in_the_queue_was_lost(self, migrated, entries):
        tell(migrated, an_end("Music"), *entries)
        put_report(migrated)
        assert not self.is_open(migrated)

    def test_so_does_one_a_table_of_which_is_not_in_the_log(self, migrated):
        tell(migrated, an_end("Music"), an_end("Orders"))
        migrated.lake.delete(paths.MigrationFiles("m").ended_tables)
        put_report(migrated)
        assert self.is_open(migrated)

    def test_one_without_tables_is_no_longer_open(self, migrated):
        for path in (paths.MigrationFiles("m").tables, paths.MigrationFiles("m").work(0).queue):
            migrated.lake.delete(path)
        put_report(migrated, error=an_error())
        assert not self.is_open(migrated)

    def test_a_retry_needs_the_end_of_its_own_tables(self, migrated):
        retry = {"operation": 1, "kind": "retry"}
        put_queue(migrated, *some_tables("Orders"), operation=1)
        put_report(migrated, **retry)
        assert self.is_open(migrated)
        tell(migrated, an_end("Orders"), operation=1)
        put_report(migrated, **retry)
        assert not self.is_open(migrated)


VERIFY = {"operation": 3, "kind": "verify"}


class TestComparing:
    """The report after a verify or a replay."""

    @pytest.fixture
    def compared(self, world):
        accept(world)
        for table in ("Music", "Orders"):
            write(world, {**RECORD, "table": table})
        put_queue(world, *some_tables("Music", "Orders"), enters="load", operation=3)
        return world

    def test_it_ended_as_its_tables_did_and_the_migration_is_as_it_was(self, compared):
        failed = an_error(stage="verify")
        tell(compared, an_end("Music"), an_end("Orders", state="failed", error=failed), operation=3)
        ended = put_report(compared, **VERIFY)
        assert (ended["state"], ended["tables"]) == ("failed", {"succeeded": 1, "failed": 1})
        assert ended["error"]["detail"] == "Table Orders: it broke"
        assert compared.lake.read_json(paths.MigrationFiles("m").report)["state"] == "succeeded"

    def test_a_line_that_is_there_twice_counts_once(self, compared):
        tell(compared, an_end("Music"), an_end("Music", state="failed", error=an_error()), operation=3)
        assert put_report(compared, **VERIFY)["tables"] == {"succeeded": 1}

    def test_what_stopped_it_as_a_whole_is_its_error(self, compared):
        tell(compared, an_end("Music", state="failed", error=an_error(detail="of a table")), operation=3)
        ended = put_report(compared, error=an_error(cancelled=True), **VERIFY)
        assert (ended["state"], ended["error"]["detail"]) == ("failed", "it broke")

    def test_one_that_ended_before_its_tables_were_listed_tells_why(self, compared):
        compared.lake.delete(paths.MigrationFiles("m").work(3).queue)
        ended = put_report(compared, error=an_error(cancelled=True), **VERIFY)
        assert (ended["state"], ended["tables"]) == ("cancelled", {})

    def test_it_neither_opens_nor_closes_the_migration(self, compared):
        compared.lake.write(paths.MigrationFiles("m").is_open, b"")
        tell(compared, an_end("Music"), an_end("Orders"), operation=3)
        put_report(compared, **VERIFY)
        assert compared.lake.exists(paths.MigrationFiles("m").is_open)
