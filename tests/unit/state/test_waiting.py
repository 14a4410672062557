"""What tables wait for, and which stage holds a migration back."""

import pytest

from d2c.cli.views.status_lines import WAITS_FOR
from d2c.state.table_states import REASONS, StageLoad, held_back_by, loads_of_stages, waiting_of
from tests.unit.state.queues import TB, claimed, ended, exported, queue, queue_file, queued, small

PAUSE = {"for": "pause", "until": None, "place": None}


def reason(file, *entries, table, held=None):
    """Return what a table waits for, and its place in the queue."""
    waiting = waiting_of(queue(file, *entries), table, held)
    return waiting and (waiting["for"], waiting["place"])


def test_every_reason_has_its_words_for_users():
    assert set(REASONS) == set(WAITS_FOR)


class TestWaitingOf:
    def test_a_table_that_a_lane_has_waits_for_nothing(self):
        assert reason(queue_file("a"), claimed("export", "a"), table="a", held=PAUSE) is None

    @pytest.mark.parametrize("table", ["a", "x"])
    def test_neither_does_one_that_has_ended_or_is_not_there(self, table):
        assert reason(queue_file("a"), ended("a"), table=table, held=PAUSE) is None

    @pytest.mark.parametrize("word", ["start", "pause", "window"])
    def test_what_holds_all_tables_back_is_told_first(self, word):
        held = {"for": word, "until": "2026-06-01T12:00:00+00:00", "place": None}
        assert waiting_of(queue(queue_file("a", tables=1)), "a", held) == held

    def test_a_table_waits_for_others_where_no_more_may_be_under_way(self):
        assert reason(queue_file("a", "b", tables=1), claimed("export", "a"), table="b") == ("tables", None)

    def test_a_table_waits_for_exported_ones_to_be_loaded(self):
        found = reason(queue_file(*"abcd", load=1), *exported(*"abc"), table="d")
        assert found == ("ahead", None)

    def test_a_table_waits_for_exports_that_are_as_large_as_aws_allows(self):
        file = queue_file(queued("a", 90 * TB), queued("b", 20 * TB))
        assert reason(file, claimed("export", "a"), table="b") == ("aws_limit", None)

    def test_a_table_waits_for_the_one_that_loads_its_container(self):
        file = queue_file(*(queued(name, container="shop/all") for name in "ab"))
        entries = [*exported("a", "b"), claimed("load", "a")]
        assert reason(file, *entries, table="b") == ("container", None)

    @pytest.mark.parametrize("stage", ["export", "copy", "load"])
    def test_a_table_waits_for_a_lane_at_its_place_in_the_queue(self, stage):
        file = queue_file(*(queued(name, enters=stage) for name in "abc"))
        found = [reason(file, claimed(stage, "a"), table=name) for name in "abc"]
        assert found == [None, (f"{stage}_lane", 1), (f"{stage}_lane", 2)]

    def test_a_small_table_that_waits_for_others_waits_for_a_load(self):
        assert reason(queue_file(small("a"), small("b")), *exported("a"), table="a") == ("load_lane", 1)


class TestLoadsOfStages:
    def test_each_stage_has_its_lanes_those_at_work_and_who_waits(self):
        file = queue_file(*"abcdef", export=2, copy=2, load=1)
        entries = [*exported("a", "b"), claimed("load", "a"), claimed("export", "c")]
        assert loads_of_stages(queue(file, *entries), file) == {
            "export": StageLoad(lanes=2, busy=1, waiting=3),
            "copy": StageLoad(lanes=2, busy=0, waiting=0),
            "load": StageLoad(lanes=1, busy=1, waiting=1),
        }

    def test_exports_of_all_places_count_together(self):
        file = queue_file("a", queued("b", location="us-east-1"))
        assert loads_of_stages(queue(file, claimed("export", "a")), file)["export"] == StageLoad(2, 1, 1)

    def test_a_stage_that_no_table_comes_to_has_no_lanes(self):
        file = queue_file(queued("a", enters="load"))
        loads = loads_of_stages(queue(file), file)
        assert [loads[stage].lanes for stage in ("export", "copy", "load")] == [0, 0, 1]


class TestHeldBackBy:
    def loads(self, **stages):
        idle = StageLoad(lanes=2, busy=0, waiting=0)
        return {stage: stages.get(stage, idle) for stage in ("export", "copy", "load")}

    def test_a_stage_whose_lanes_are_all_busy_while_tables_wait_holds_back(self):
        assert held_back_by(self.loads(copy=StageLoad(2, 2, 1))) == "copy"

    @pytest.mark.parametrize("load", [StageLoad(2, 1, 9), StageLoad(2, 2, 0), StageLoad(0, 0, 0)])
    def test_a_stage_with_an_idle_lane_or_with_nobody_waiting_does_not(self, load):
        assert held_back_by(self.loads(copy=load)) is None

    def test_of_two_it_is_the_one_with_more_tables_to_a_lane(self):
        export, load = StageLoad(50, 50, 100), StageLoad(2, 2, 20)
        assert held_back_by(self.loads(export=export, load=load)) == "load"
