from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from activities.lanes import (
    FIRST_IDLE_SECONDS,
    LONGEST_IDLE_SECONDS,
    LONGEST_WAIT_SECONDS,
    MOST_CANCELLED,
    abandon,
    end_lost,
    end_table,
    end_tables,
    pass_on,
    take_tables,
)
from d2c.plan.fields import MOST_EXPORT_BYTES
from d2c.state import paths
from d2c.state.ids import run_key
from d2c.state.operations import retried_input
from tests.builders import (
    EXPORT_TIME,
    REGION,
    a_claim,
    a_copy,
    a_described,
    a_lane,
    a_pass,
    a_source,
    a_stage,
    a_stage_end,
    a_table,
    an_end,
    an_error,
    an_export,
    an_operation,
    the_waits,
)

from .answers import error_of, value_of
from .queues import ends_of, file_of, log_of, put_queue, queue_of, record_of, some_tables, tell

IDLE_WAITS = the_waits(first_seconds=10, longest_seconds=600)


def take(world, stage="export", lane=0, turn=0, **more):
    return value_of(world.answer(take_tables, a_lane(stage, lane=lane, turn=turn, **more)))


def names_taken(world, stage="export", lane=0, turn=0, **more):
    """Return the tables that a lane takes, or its state if it takes none."""
    taken = take(world, stage, lane, turn, **more)
    if taken["state"] != "taken":
        return taken["state"]
    claim = queue_of(world, more.get("operation", 0)).claims[stage, lane, turn]
    assert (taken["table"], taken["tables"]) == (claim.tables[0], len(claim.tables))
    return list(claim.tables)


def clock(hour):
    """Return a window that is open, or shut, now: it begins so many hours from now and lasts one."""
    begin = datetime.now(UTC) + timedelta(hours=hour)
    texts = [(begin + timedelta(hours=hours)).strftime("%H:%M") for hours in (0, 1)]
    return {"between": texts, "time_zone": "UTC"}


class TestTaking:
    def test_each_table_is_taken_once_and_then_there_is_none(self, world):
        put_queue(world, *some_tables("a", "b", "c"))
        order = [(0, 0), (1, 0), (0, 1), (1, 1)]
        taken = [names_taken(world, lane=lane, turn=turn) for lane, turn in order]
        assert taken == [["a"], ["b"], ["c"], "over"]

    def test_a_turn_that_is_repeated_gets_the_same_whatever_happened_since(self, world):
        put_queue(world, *some_tables("a", "b"))
        first = take(world)
        tell(world, a_pass("export", "a"))
        world.cancel()
        assert take(world) == first
        assert len(log_of(world)) == 2

    def test_of_many_lanes_at_once_each_gets_a_table_of_its_own(self, world):
        names = [f"t{number}" for number in range(8)]
        put_queue(world, *some_tables(*names))
        together = Barrier(len(names))

        def at_once(lane):
            together.wait()
            return names_taken(world, lane=lane)

        with ThreadPoolExecutor(len(names)) as threads:
            taken = list(threads.map(at_once, range(len(names))))
        assert sorted(taken) == [[name] for name in names]

    def test_a_claim_that_another_lane_was_quicker_with_is_tried_again_at_once(self, world):
        put_queue(world, *some_tables("a", "b"))
        append = world.lake.append

        def append_after_another(path, entry):
            if len(log_of(world)) == 0:
                append(path, a_claim("export", "a", lane=1))
            append(path, entry)

        world.lake.append = append_after_another
        assert names_taken(world) == ["b"]
        assert queue_of(world).claims["export", 1, 0].tables == ("a",)

    def test_a_lane_that_others_are_always_quicker_than_looks_again_later(self, world):
        put_queue(world, *some_tables("a"))
        world.lake.append = lambda path, entry: None
        assert take(world) == {"state": "idle", "seconds": the_waits()["first_seconds"]}

    def test_a_line_that_is_there_twice_does_no_harm(self, world):
        put_queue(world, *some_tables("a", "b"))
        append = world.lake.append

        def append_twice(path, entry):
            append(path, entry)
            append(path, entry)

        world.lake.append = append_twice
        assert [names_taken(world), names_taken(world, turn=1)] == [["a"], ["b"]]

    def test_a_log_that_cannot_be_read_whole_is_read_again_and_nothing_is_taken(self, world):
        put_queue(world, *some_tables("a"))
        path = paths.MigrationFiles("m").work(0).queue_log
        world.lake.files[path] = b'{"did":"claimed","stage":'
        error_of(world.answer(take_tables, a_lane("export")), "transient")
        assert world.lake.files[path] == b'{"did":"claimed","stage":'

    def test_an_export_lane_takes_tables_of_its_own_place_alone(self, world):
        here, there = some_tables("a", "b")
        put_queue(world, here, {**there, "region": "eu-central-1"})
        assert names_taken(world, location="eu-central-1") == ["b"]
        assert names_taken(world, lane=1, location=REGION) == ["a"]

    def test_a_copy_lane_is_told_whether_others_copy_the_export(self, world):
        arrived, plain = some_tables("a", "b")
        put_queue(world, {**arrived, "arrived": {"folder": "f"}}, plain, enters="copy")
        assert [take(world, "copy", turn=turn)["arrived"] for turn in range(2)] == [True, False]

    def test_a_load_lane_takes_a_unit_of_small_tables(self, world):
        put_queue(world, *some_tables("a", "b", "c"), enters="load")
        assert names_taken(world, "load") == ["a", "b"]
        assert names_taken(world, "load", 1) == ["c"]

    def test_a_large_table_is_loaded_alone(self, world):
        put_queue(world, *some_tables("a", size_bytes=10**9), *some_tables("b", "c"), enters="load")
        assert [names_taken(world, "load", lane) for lane in range(2)] == [["a"], ["b", "c"]]

    def test_a_table_waits_for_the_one_that_loads_its_container(self, world):
        put_queue(world, a_table(table="a"), a_table(table="b"), enters="load")
        assert names_taken(world, "load") == ["a"]
        assert names_taken(world, "load", 1) == "idle"
        tell(world, an_end("a"))
        assert names_taken(world, "load", 1) == ["b"]

    def test_no_more_tables_are_begun_than_the_plan_allows(self, world):
        put_queue(world, *some_tables("a", "b"), tables=1)
        assert [names_taken(world), names_taken(world, lane=1)] == [["a"], "idle"]
        tell(world, an_end("a"))
        assert names_taken(world, lane=1) == ["b"]

    def test_nor_by_lanes_that_take_at_once(self, world):
        put_queue(world, *some_tables(*"abcd"), tables=2, export=4)
        together = Barrier(4)

        def at_once(lane):
            together.wait()
            return names_taken(world, lane=lane)

        with ThreadPoolExecutor(4) as threads:
            taken = list(threads.map(at_once, range(4)))
        assert sorted(map(str, taken)) == ["['a']", "['b']", "idle", "idle"]

    def test_of_two_lanes_at_once_one_loads_the_container_that_tables_share(self, world):
        put_queue(world, a_table(table="a"), a_table(table="b"), enters="load", tables_per_load_run=1)
        together = Barrier(2)

        def at_once(lane):
            together.wait()
            return names_taken(world, "load", lane)

        with ThreadPoolExecutor(2) as threads:
            taken = list(threads.map(at_once, range(2)))
        assert sorted(map(str, taken)) == ["['a']", "idle"]

    def test_exports_in_flight_are_no_larger_than_dynamodb_allows(self, world):
        put_queue(world, *some_tables("a", "b", size_bytes=int(MOST_EXPORT_BYTES * 0.6)))
        assert [names_taken(world), names_taken(world, lane=1)] == [["a"], "idle"]
        tell(world, a_pass("export", "a"))
        assert names_taken(world, lane=1) == ["b"]

    def test_another_operation_has_a_queue_of_its_own(self, world):
        for operation in (0, 1):
            put_queue(world, *some_tables("a"), operation=operation)
            assert names_taken(world, operation=operation) == ["a"]


class TestIdling:
    def test_a_lane_looks_again_the_sooner_the_fewer_idle_ones_are_before_it(self, world):
        put_queue(world, *some_tables(*"abcd"), copy=4)
        looks = [take(world, "copy", lane)["seconds"] for lane in range(4)]
        assert looks == [1, 2, 3, 4]

    def test_one_that_has_a_table_does_not_count(self, world):
        put_queue(world, *some_tables(*"ab"), copy=2)
        tell(world, a_claim("export", "a"), a_pass("export", "a"), a_claim("copy", "a"))
        assert take(world, "copy", 1)["seconds"] == 1

    def test_the_first_looks_every_few_seconds_and_none_less_than_once_a_minute(self, world):
        names = [f"t{number}" for number in range(30)]
        put_queue(world, *some_tables(*names), copy=30)
        looks = [take(world, "copy", lane, waits=IDLE_WAITS)["seconds"] for lane in (0, 1, 29)]
        assert looks == [FIRST_IDLE_SECONDS, 2 * FIRST_IDLE_SECONDS, LONGEST_IDLE_SECONDS]

    def test_however_short_the_waits_are_many_lanes_do_not_keep_a_host_busy(self, world):
        put_queue(world, *some_tables(*"abcd"), copy=30)
        waits = the_waits(first_seconds=0.1, longest_seconds=1)
        assert [take(world, "copy", lane, waits=waits)["seconds"] for lane in (0, 3)] == [1, 4]

    def test_a_lane_ends_when_nothing_can_come_any_more(self, world):
        put_queue(world, *some_tables("a"))
        assert names_taken(world, "load") == "idle"
        tell(world, a_claim("export", "a"), a_pass("export", "a"))
        assert [names_taken(world, "export", 1), names_taken(world, "load")] == ["over", "idle"]
        tell(world, a_claim("copy", "a"), an_end("a"))
        assert [names_taken(world, stage, 1) for stage in ("copy", "load")] == ["over", "over"]

    def test_no_more_lanes_stay_idle_than_tables_can_still_come(self, world):
        put_queue(world, *some_tables("a", "b", "c"), copy=3)
        assert [names_taken(world, "copy", lane) for lane in range(3)] == ["idle"] * 3
        tell(world, a_claim("export", "a"), an_end("a"), a_claim("export", "b"))
        assert [names_taken(world, "copy", lane) for lane in range(3)] == ["idle", "idle", "over"]
        tell(world, a_pass("export", "b"), a_claim("copy", "b"))
        assert [names_taken(world, "copy", lane) for lane in (1, 2)] == ["idle", "over"]

    def test_a_lane_goes_on_after_another_of_its_stage_has_ended(self, world):
        put_queue(world, *some_tables("a", "b", "c"), enters="load", tables_per_load_run=1)
        assert names_taken(world, "load") == ["a"]
        assert names_taken(world, "load", 1) == ["b"]
        assert names_taken(world, "load", 0, 1) == ["c"]
        assert names_taken(world, "load", 1, 1) == "over"

    def test_nothing_is_taken_of_a_queue_that_was_abandoned(self, world):
        put_queue(world, *some_tables("a", "b"))
        assert names_taken(world) == ["a"]
        value_of(world.answer(abandon, an_operation()))
        assert [names_taken(world, stage, 1) for stage in ("export", "copy", "load")] == ["over"] * 3

    def test_what_a_lane_had_taken_before_is_still_its_own(self, world):
        put_queue(world, *some_tables("a", "b"))
        take(world)
        value_of(world.answer(abandon, an_operation()))
        assert names_taken(world) == ["a"]


class TestBeingHeld:
    @pytest.fixture
    def tables(self, world):
        put_queue(world, *some_tables("a", "b"))
        return world

    def test_nothing_is_taken_during_a_pause_and_then_it_goes_on(self, tables):
        tables.lake.write_json(paths.MigrationFiles("m").pause, {})
        assert take(tables) == {"state": "idle", "seconds": LONGEST_IDLE_SECONDS}
        tables.lake.delete(paths.MigrationFiles("m").pause)
        assert names_taken(tables) == ["a"]

    def test_a_lane_without_anything_to_come_ends_during_a_pause(self, tables):
        tables.lake.write_json(paths.MigrationFiles("m").pause, {})
        tell(tables, an_end("a"), an_end("b"))
        assert take(tables) == {"state": "over"}

    @pytest.mark.parametrize("kind", ["verify", "replay"])
    def test_a_pause_is_of_the_migration_and_not_of_a_verify_or_a_replay(self, world, kind):
        put_queue(world, *some_tables("a"), enters="load", operation=3, times=clock(2))
        world.lake.write_json(paths.MigrationFiles("m").pause, {})
        assert names_taken(world, "load", operation=3, kind=kind) == ["a"]

    @pytest.mark.parametrize(("hour", "taken"), [(-0.5, ["a"]), (2, "idle")])
    def test_nothing_is_taken_while_the_window_is_shut(self, world, hour, taken):
        put_queue(world, *some_tables("a"), times=clock(hour))
        assert names_taken(world) == taken

    @pytest.mark.parametrize(("hour", "at_most"), [(5, LONGEST_WAIT_SECONDS), (0.25, 900)])
    def test_a_lane_looks_again_when_it_opens_and_at_least_once_an_hour(self, world, hour, at_most):
        put_queue(world, *some_tables("a"), times=clock(hour))
        assert at_most - 61 < take(world)["seconds"] <= at_most

    def test_the_time_of_the_start_does_not_hold_tables_back(self, world):
        start_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        put_queue(world, *some_tables("a"), times={"start_at": start_at})
        assert names_taken(world) == ["a"]


class TestTakingTheCancelled:
    def end(self, world, stage="export", **more):
        value_of(world.answer(end_tables, a_lane(stage, **more)))

    def test_they_are_taken_before_all_others_and_ended(self, world):
        put_queue(world, *some_tables(*"abcd"))
        world.cancel("b", "d")
        assert take(world) == {
            "state": "taken",
            "table": "b",
            "tables": 2,
            "cancelled": True,
            "arrived": False,
        }
        self.end(world)
        assert ends_of(world) == {"b": "cancelled", "d": "cancelled"}
        assert names_taken(world, turn=1) == ["a"]

    @pytest.mark.parametrize("held", ["pause", "window"])
    def test_nothing_holds_them_back(self, world, held):
        put_queue(world, *some_tables("a", "b"), times=clock(2) if held == "window" else {})
        if held == "pause":
            world.lake.write_json(paths.MigrationFiles("m").pause, {})
        world.cancel("b")
        assert names_taken(world) == ["b"]
        assert names_taken(world, turn=1) == "idle"

    @pytest.mark.parametrize("stage", ["export", "copy", "load"])
    def test_of_a_cancelled_migration_each_stage_ends_those_that_wait_for_it(self, world, stage):
        put_queue(world, *some_tables("a", "b"), enters=stage)
        world.cancel()
        assert take(world, stage)["tables"] == 2
        self.end(world, stage)
        assert ends_of(world) == {"a": "cancelled", "b": "cancelled"}
        error = record_of(world, "a")["error"]
        assert (error["detail"], error["stage"]) == (
            "Migration m was cancelled.",
            {"load": "prepare"}.get(stage, stage),
        )

    def test_one_that_was_cancelled_alone_is_told_so(self, world):
        put_queue(world, *some_tables("a", "b"))
        world.cancel("a")
        take(world)
        self.end(world)
        assert record_of(world, "a")["error"]["detail"].startswith("Table a of migration m was cancelled")

    def test_a_stage_that_they_never_began_is_not_among_their_stages(self, world):
        put_queue(world, *some_tables("a"))
        world.cancel()
        take(world)
        self.end(world)
        assert [stage["stage"] for stage in record_of(world, "a")["stages"]] == ["report"]

    def test_not_more_than_one_turn_can_end_are_taken_at_once(self, world):
        put_queue(world, *some_tables(*(f"t{number}" for number in range(MOST_CANCELLED + 1))))
        world.cancel()
        assert [take(world, turn=turn)["tables"] for turn in (0, 1)] == [MOST_CANCELLED, 1]

    def test_a_verify_is_cancelled_by_its_own_name(self, world):
        put_queue(world, *some_tables("a"), enters="load", operation=3)
        world.cancel()
        assert names_taken(world, "load", 1, operation=2 + 1, kind="verify") == ["a"]
        put_queue(world, *some_tables("a"), enters="load", operation=4)
        world.cancel(operation=4)
        verify = {"operation": 4, "kind": "verify"}
        assert take(world, "load", **verify)["cancelled"]
        self.end(world, "load", **verify)
        end = queue_of(world, 4).ends["a"]
        assert (end.state, end.error["detail"], end.error["stage"]) == (
            "cancelled",
            "verify-4 of migration m was cancelled.",
            "load",
        )
        assert record_of(world, "a") is None


class TestPassingOn:
    @pytest.fixture
    def exported(self, world):
        put_queue(world, *some_tables("Music"))
        tell(world, a_claim("export", "Music"))
        return world

    def pass_on(self, world, stage, **found):
        value_of(world.answer(pass_on, a_stage_end(stage, found=found)))

    def test_the_next_stage_may_take_it_with_what_was_found(self, exported):
        self.pass_on(exported, "export", source=a_source(), export=an_export(items=9))
        assert names_taken(exported, "copy") == ["Music"]
        assert queue_of(exported).items == {"Music": 9}
        table = file_of(exported)
        assert (table["source"], table["export"]["items"], table["started_at"]) == (
            a_source(),
            9,
            EXPORT_TIME,
        )
        assert table["stages"] == [a_stage("export", seconds=60)]

    def test_a_try_that_is_repeated_changes_nothing(self, exported):
        for _ in range(2):
            self.pass_on(exported, "export", export=an_export())
        assert len(log_of(exported)) == 2
        assert len(file_of(exported)["stages"]) == 1

    def test_a_try_that_broke_off_before_its_line_is_made_good(self, exported):
        append, exported.lake.append = exported.lake.append, None
        error_of(exported.answer(pass_on, a_stage_end("export")), "transient")
        exported.lake.append = append
        self.pass_on(exported, "export")
        assert len(file_of(exported)["stages"]) == 1
        assert names_taken(exported, "copy") == ["Music"]

    def test_a_try_that_comes_late_leaves_what_later_stages_found(self, exported):
        self.pass_on(exported, "export", export=an_export())
        tell(exported, a_claim("copy", "Music"))
        self.pass_on(exported, "copy", copy=a_copy())
        before = dict(exported.lake.files)
        self.pass_on(exported, "export", export=an_export())
        assert exported.lake.files == before

    def test_it_began_with_its_first_stage(self, exported):
        self.pass_on(exported, "export")
        tell(exported, a_claim("copy", "Music"))
        later = a_stage_end(
            "copy", started_at="2026-06-01T14:00:00+00:00", ended_at="2026-06-01T15:00:00+00:00"
        )
        value_of(exported.answer(pass_on, later))
        table = file_of(exported)
        assert table["started_at"] == EXPORT_TIME
        assert [(stage["stage"], stage["seconds"]) for stage in table["stages"]] == [
            ("export", 60),
            ("copy", 3600),
        ]

    def test_an_export_that_arrived_is_passed_on_as_a_copy(self, world):
        put_queue(world, *some_tables("Music"), enters="copy")
        tell(world, a_claim("copy", "Music"))
        self.pass_on(world, "copy", source=a_source(), export=an_export(), copy=a_copy())
        assert names_taken(world, "load") == ["Music"]
        assert file_of(world)["export"] == an_export()


class TestEndingATable:
    def test_it_ends_in_its_stage_with_what_it_had_found(self, world):
        put_queue(world, *some_tables("Music"))
        tell(world, a_claim("export", "Music"))
        end = a_stage_end("export", error=an_error(), found={"source": a_source()})
        value_of(world.answer(end_table, end))
        record = record_of(world)
        assert (record["state"], record["error"]["stage"]) == ("failed", "export")
        assert (record["source"], record["started_at"]) == (a_source(), EXPORT_TIME)
        assert record["stages"][0] == a_stage("export", state="failed", seconds=60)
        assert ends_of(world) == {"Music": "failed"}

    def test_it_began_with_its_first_stage_although_it_fails_in_its_second(self, world):
        exported = a_table(started_at="2026-06-01T11:00:00+00:00", stages=[a_stage("export")])
        put_queue(world, exported)
        tell(world, a_claim("export", "Music"), a_pass("export"), a_claim("copy", "Music"))
        value_of(world.answer(end_table, a_stage_end("copy", error=an_error())))
        record = record_of(world)
        assert record["started_at"] == "2026-06-01T11:00:00+00:00"
        assert [stage["stage"] for stage in record["stages"]] == ["export", "copy", "report"]

    def test_a_cancelled_one_is_cancelled_in_that_stage(self, world):
        put_queue(world, *some_tables("Music"))
        tell(world, a_claim("export", "Music"))
        value_of(world.answer(end_table, a_stage_end("export", error=an_error(cancelled=True))))
        assert record_of(world)["stages"][0]["state"] == "cancelled"
        assert ends_of(world) == {"Music": "cancelled"}


PREPARED = {
    "source": a_source(),
    "export": an_export(),
    "copy": a_copy(),
    "described": a_described(),
    "prepare_began": "2026-06-01T12:10:00.000+00:00",
    "is_prepared": True,
    "stages": [
        *(a_stage(stage) for stage in ("export", "copy")),
        a_stage("prepare", started_at="2026-06-01T12:10:00.000+00:00", seconds=30),
    ],
}
LET_GO = {
    **PREPARED,
    "assessed": {"documents": 7, "document_bytes": 700, "write_ru": 70},
    "may_be_scaled": True,
    "is_let_go": True,
}


class TestEndingAUnit:
    def unit(self, world, *tables):
        put_queue(world, *tables, enters="load")
        tell(world, a_claim("load", *(table["table"] for table in tables)))

    def end(self, world, **more):
        value_of(world.answer(end_tables, a_lane("load", error=an_error(), **more)))

    def test_all_that_it_still_has_end_with_its_error(self, world):
        self.unit(world, *some_tables("a", "b", "c"))
        tell(world, an_end("b"))
        self.end(world)
        assert ends_of(world) == {"a": "failed", "b": "succeeded", "c": "failed"}
        assert record_of(world, "b") is None

    def test_those_of_other_turns_and_lanes_go_on(self, world):
        put_queue(world, *some_tables("a", "b", "c"), enters="load")
        tell(world, a_claim("load", "a"), a_claim("load", "b", turn=1), a_claim("load", "c", lane=1))
        self.end(world, turn=1)
        assert ends_of(world) == {"b": "failed"}

    def test_a_table_whose_container_was_not_ready_failed_in_prepare(self, world):
        self.unit(world, a_table(prepare_began=PREPARED["prepare_began"]))
        self.end(world)
        record = record_of(world)
        assert record["error"]["stage"] == "prepare"
        assert (record["stages"][0]["stage"], record["stages"][0]["started_at"]) == (
            "prepare",
            PREPARED["prepare_began"],
        )

    @pytest.mark.parametrize(("table", "failed"), [(PREPARED, "assess"), (LET_GO, "load")])
    def test_a_table_that_was_prepared_failed_in_assess_until_its_items_were_known_to_fit(
        self, world, table, failed
    ):
        self.unit(world, a_table(**table))
        self.end(world)
        record = record_of(world)
        assert record["error"]["stage"] == failed
        stage = record["stages"][3]
        assert (stage["stage"], stage["state"], stage["started_at"]) == (
            failed,
            "failed",
            "2026-06-01T12:10:30.000+00:00",
        )

    def test_documents_that_it_may_have_written_do_not_stop_its_retry(self, world):
        self.unit(world, a_table(**LET_GO))
        self.end(world)
        assert "described" in retried_input(record_of(world), {"table": "Music"})

    def test_a_try_after_one_that_put_the_throughput_back_has_each_stage_once(self, world):
        self.unit(world, a_table(**LET_GO))
        append, world.lake.append = world.lake.append, None
        error_of(world.answer(end_tables, a_lane("load", error=an_error())), "transient")
        world.lake.append = append
        self.end(world)
        stages = [stage["stage"] for stage in record_of(world)["stages"]]
        assert stages == ["export", "copy", "prepare", "load", "report"]

    def test_a_unit_that_has_ended_may_be_ended_again(self, world):
        self.unit(world, *some_tables("a"))
        self.end(world)
        before = dict(world.lake.files)
        self.end(world)
        assert world.lake.files == before

    def test_throughput_that_cannot_be_put_back_is_told_beside_the_error(self, world):
        self.unit(world, a_table(**LET_GO))
        self.end(world, restore_error=an_error(detail="no permission"))
        assert "no permission" in record_of(world)["error"]["detail"]


class TestEndingALostLane:
    def lost(self, world, stage="load", **more):
        return value_of(world.answer(end_lost, a_lane(stage, **more)))

    def test_its_tables_end_and_another_lane_goes_on_with_the_next_turn(self, world):
        put_queue(world, *some_tables("a", "b", "c"))
        tell(world, a_claim("export", "a"), a_pass("export", "a"), a_claim("export", "b", turn=1))
        tell(world, a_claim("export", "c", lane=1))
        assert self.lost(world, "export") == {"turn": 2, "tables": 1}
        assert ends_of(world) == {"b": "failed"}
        record = record_of(world, "b")
        assert record["error"]["title"] == "An orchestration ended without a result"
        assert [(stage["stage"], stage["state"]) for stage in record["stages"][:1]] == [("export", "failed")]
        assert record["stages"][0]["started_at"].startswith("2026-06-01T12:00:00")

    def test_one_that_had_nothing_ends_nothing(self, world):
        put_queue(world, *some_tables("a"))
        assert self.lost(world) == {"turn": 0, "tables": 0}
        assert log_of(world) == []

    def test_what_it_claimed_too_late_is_not_its_own(self, world):
        put_queue(world, *some_tables("a"))
        tell(world, a_claim("export", "a", lane=1), a_claim("export", "a"))
        assert self.lost(world, "export") == {"turn": 0, "tables": 0}
        assert ends_of(world) == {}

    def test_a_repeated_try_finds_nothing_left_to_end(self, world):
        put_queue(world, *some_tables("a"))
        tell(world, a_claim("export", "a"))
        assert [self.lost(world, "export")["tables"] for _ in range(2)] == [1, 0]

    def test_a_table_that_was_being_loaded_keeps_its_container_as_it_was_described(self, world):
        put_queue(world, a_table(**LET_GO), enters="load")
        tell(world, a_claim("load", "Music"))
        self.lost(world)
        record = record_of(world)
        assert record["error"]["stage"] == "load"
        assert "described" in retried_input(record, {"table": "Music"})

    def test_its_load_run_is_stopped_before_others_may_have_the_container(self, world):
        for lane in (0, 1):
            path = paths.MigrationFiles("m").work(0).unit_requests(f"{lane}-0", 12)
            world.lake.write(path, b"{}")
            request = world.settings.lake_path(path)
            world.databricks.start_run(run_key=str(lane), parameters={"request": request})
        put_queue(world, *some_tables("a", "b"), enters="load")
        tell(world, a_claim("load", "a"), a_claim("load", "b", lane=1))
        self.lost(world)
        assert world.databricks.cancelled == [0]

    def test_its_copy_run_is_stopped_whatever_attempt_it_is_and_no_other(self, world):
        lane = a_lane("copy")
        for name, attempt in (("a", 2), ("b", 1)):
            world.factory.start_run("copy_export", {"runKey": run_key(lane, name, "copy", attempt)})
        put_queue(world, *some_tables("a", "b"), enters="copy")
        tell(world, a_claim("copy", "a"), a_claim("copy", "b", lane=1))
        assert self.lost(world, "copy") == {"turn": 1, "tables": 1}
        assert world.factory.cancelled == ["run-0"]

    def test_the_runs_of_units_that_it_had_before_are_not_looked_for(self, world):
        world.databricks = None
        put_queue(world, *some_tables("a", "b"), enters="load")
        tell(world, a_claim("load", "a"), an_end("a"))
        assert self.lost(world) == {"turn": 1, "tables": 0}
