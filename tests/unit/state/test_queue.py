"""The queue of an operation, folded from its log."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.state.queue import SHORTEST_UNIT_SECONDS, Lane, Queue, lanes_of
from tests.unit.state.queues import (
    LOCATION,
    MB,
    TB,
    abandoned,
    at,
    claimed,
    ended,
    exported,
    passed,
    queue,
    queue_file,
    queued,
    small,
)

EXPORT, COPY, LOAD = Lane("export", 0, LOCATION), Lane("copy", 0), Lane("load", 0)
OTHER_LOCATION = "111122223333/us-east-1"


def positions(found):
    return {name: (position.stage, position.claim is not None) for name, position in found.positions.items()}


class TestClaims:
    def test_a_claim_gives_a_lane_the_tables_and_says_when(self):
        found = queue(queue_file("a", "b"), claimed("export", "a", minutes=3))
        claim = found.claim_of(EXPORT, 0)
        assert (claim.tables, claim.at, claim.cancelled) == (("a",), at(3), False)
        assert positions(found) == {"a": ("export", True), "b": ("export", False)}
        assert (found.held_by(claim), found.begun) == (["a"], {"a": at(3)})
        assert found.is_busy(EXPORT)

    def test_of_two_lanes_that_take_a_table_at_once_the_first_in_the_log_has_it(self):
        found = queue(queue_file("a"), claimed("export", "a", lane=1), claimed("export", "a", lane=0))
        assert found.claim_of(Lane("export", 1, LOCATION), 0).tables == ("a",)
        assert found.claim_of(EXPORT, 0) is None
        assert not found.is_busy(EXPORT)

    def test_a_claim_that_overlaps_an_earlier_one_in_part_is_void_as_a_whole(self):
        tables = [small(name, enters="load") for name in "abc"]
        found = queue(queue_file(*tables), claimed("load", "a", "b"), claimed("load", "b", "c", lane=1))
        assert found.claim_of(Lane("load", 1), 0) is None
        assert positions(found)["c"] == ("load", False)

    def test_a_claim_of_two_tables_of_one_container_is_void(self):
        tables = [small(name, enters="load", container="shop/all") for name in "ab"]
        found = queue(queue_file(*tables), claimed("load", "a", "b"))
        assert found.claim_of(LOAD, 0) is None
        assert positions(found) == {"a": ("load", False), "b": ("load", False)}

    def test_entries_that_are_added_later_count_as_if_they_had_been_there_from_the_beginning(self):
        entries = claimed("export", "a"), passed("a", "export"), claimed("copy", "a"), ended("a")
        file = queue_file("a", queued("b", size_bytes=TB))
        found = queue(file)
        for number, entry in enumerate(entries, 1):
            found.add([entry])
            whole = queue(file, *entries[:number])
            for lane in (EXPORT, COPY, LOAD):
                assert found.is_busy(lane) == whole.is_busy(lane)
            assert found.why_held("b") == whole.why_held("b")
            assert found.place_in_queue("b") == whole.place_in_queue("b")

    def test_a_lane_whose_claim_was_void_may_take_others_in_the_same_turn(self):
        found = queue(
            queue_file("a", "b"),
            claimed("export", "a"),
            claimed("export", "a", lane=1),
            claimed("export", "b", lane=1),
        )
        assert found.claim_of(Lane("export", 1, LOCATION), 0).tables == ("b",)

    def test_the_same_turn_of_a_lane_always_reads_the_same_claim(self):
        entries = [claimed("export", "a"), claimed("export", "b"), passed("a", "export")]
        found = queue(queue_file("a", "b"), *entries, claimed("export", "a"))
        assert found.claim_of(EXPORT, 0).tables == ("a",)
        assert positions(found) == {"a": ("copy", False), "b": ("export", False)}

    def test_a_line_that_stands_twice_changes_nothing(self):
        entries = [*exported("a"), claimed("load", "a"), ended("a")]
        once, twice = (
            queue(queue_file("a", "b"), *entries),
            queue(queue_file("a", "b"), *[line for line in entries for _ in range(2)]),
        )
        assert (once.positions, once.ends, once.claims) == (twice.positions, twice.ends, twice.claims)

    def test_a_stage_that_a_table_is_not_ready_for_is_not_claimed(self):
        found = queue(queue_file("a"), claimed("load", "a"), claimed("copy", "a"))
        assert (positions(found), found.claims) == ({"a": ("export", False)}, {})

    def test_a_table_that_nobody_knows_is_not_claimed(self):
        found = queue(queue_file("a"), claimed("export", "x"), claimed("export", "a"))
        assert found.claim_of(EXPORT, 0).tables == ("a",)

    def test_a_container_that_is_being_loaded_is_not_claimed_by_who_read_the_log_before(self):
        tables = [queued(name, enters="load", container="shop/all") for name in "ab"]
        found = queue(queue_file(*tables), claimed("load", "b"), claimed("load", "a", lane=1))
        assert positions(found) == {"a": ("load", False), "b": ("load", True)}

    def test_more_tables_than_may_be_under_way_are_not_claimed_by_who_read_the_log_before(self):
        tables = ["a", queued("b", location=OTHER_LOCATION)]
        entries = [claimed("export", "a"), claimed("export", "b", lane=1)]
        assert positions(queue(queue_file(*tables, tables=1), *entries))["b"] == ("export", False)
        assert positions(queue(queue_file(*tables, tables=2), *entries))["b"] == ("export", True)

    def test_what_is_taken_to_be_cancelled_keeps_to_no_limit(self):
        tables = [queued(name, enters="load", container="shop/all") for name in "abc"]
        found = queue(
            queue_file(*tables, tables=1),
            claimed("load", "a"),
            claimed("load", "b", "c", lane=1, cancelled=True),
        )
        assert found.held_by(found.claim_of(Lane("load", 1), 0)) == ["b", "c"]

    def test_a_cancelled_table_that_ends_leaves_its_container_to_the_one_that_loads_it(self):
        tables = [queued(name, enters="load", container="shop/all") for name in "abc"]
        cancelled = [claimed("load", "b", lane=1, cancelled=True), ended("b", "cancelled")]
        found = queue(queue_file(*tables), claimed("load", "a"), *cancelled)
        assert found.why_held("c") == "container"


class TestPassedAndEnded:
    def test_a_table_that_has_passed_is_ready_for_the_next_stage(self):
        found = queue(queue_file("a"), claimed("export", "a"), passed("a", "export", minutes=8, items=7))
        assert (found.positions["a"].stage, found.positions["a"].since) == ("copy", at(8))
        assert (found.items["a"], found.is_busy(EXPORT)) == (7, False)

    def test_a_stage_that_has_passed_twice_has_passed_once(self):
        lines = [passed("a", "export", minutes=8, items=7), passed("a", "export", minutes=9)]
        found = queue(queue_file("a"), claimed("export", "a"), *lines, claimed("copy", "a"), lines[0])
        assert (positions(found), found.items["a"]) == ({"a": ("copy", True)}, 7)

    def test_a_stage_that_no_lane_has_does_not_pass(self):
        assert positions(queue(queue_file("a"), passed("a", "export"))) == {"a": ("export", False)}

    def test_who_has_ended_twice_has_ended_as_at_first(self):
        error = {"title": "t"}
        entries = [claimed("export", "a"), ended("a", "failed", error=error), ended("a")]
        found = queue(queue_file("a"), *entries)
        assert (found.positions, found.ends["a"].state, found.ends["a"].error) == ({}, "failed", error)

    @pytest.mark.parametrize("late", [ended("x"), passed("x", "export")])
    def test_a_word_of_a_table_that_nobody_knows_is_ignored(self, late):
        found = queue(queue_file("a"), late)
        assert (positions(found), found.ends) == ({"a": ("export", False)}, {})

    @pytest.mark.parametrize("late", [passed("a", "export"), claimed("export", "a", lane=1)])
    def test_who_has_ended_neither_passes_nor_is_claimed(self, late):
        found = queue(queue_file("a"), claimed("export", "a"), ended("a"), late)
        assert (found.positions, set(found.ends)) == ({}, {"a"})

    def test_a_table_may_end_before_any_lane_takes_it(self):
        found = queue(queue_file("a", "b", tables=1), ended("a", "cancelled"))
        assert found.next_tables(EXPORT, at()) == ["b"]

    def test_of_a_unit_each_table_ends_for_itself(self):
        tables = [small(name, enters="load") for name in "abc"]
        found = queue(queue_file(*tables), claimed("load", *"abc"), ended("b", "failed"))
        assert found.held_by(found.claim_of(LOAD, 0)) == ["a", "c"]
        assert found.is_busy(LOAD)

    def test_a_lane_is_idle_once_its_last_table_has_ended(self):
        found = queue(queue_file(queued("a", enters="load")), claimed("load", "a"), ended("a"))
        assert not found.is_busy(LOAD)
        assert found.held_by(found.claim_of(LOAD, 0)) == []


class TestOrder:
    def test_the_lowest_position_goes_first(self):
        assert queue(queue_file("c", "a", "b")).next_tables(EXPORT, at()) == ["c"]

    def test_nothing_is_reserved_for_a_table_that_is_not_ready(self):
        entries = [
            claimed("export", "a"),
            claimed("export", "b", lane=1),
            passed("b", "export", minutes=1),
        ]
        assert queue(queue_file("a", "b"), *entries).next_tables(COPY, at(2)) == ["b"]

    def test_a_lower_position_that_is_ready_later_goes_first_all_the_same(self):
        entries = [claimed("export", "a"), claimed("export", "b", lane=1)]
        both = [passed("b", "export", minutes=1), passed("a", "export", minutes=2)]
        assert queue(queue_file("a", "b"), *entries, *both).next_tables(COPY, at(2)) == ["a"]

    def test_an_export_lane_takes_tables_of_its_place_only(self):
        file = queue_file("a", queued("b", location=OTHER_LOCATION))
        assert queue(file).next_tables(Lane("export", 7, OTHER_LOCATION), at()) == ["b"]

    def test_a_copy_lane_takes_tables_of_any_place(self):
        file = queue_file(queued("a", location=OTHER_LOCATION, enters="copy"))
        assert queue(file).next_tables(COPY, at()) == ["a"]

    def test_nothing_is_taken_where_nothing_waits(self):
        found = queue(queue_file("a"), claimed("export", "a"))
        assert [found.next_tables(lane, at()) for lane in (EXPORT, COPY, LOAD)] == [[], [], []]

    def test_a_table_is_told_how_many_go_before_it(self):
        tables = ["a", "b", queued("x", location=OTHER_LOCATION), "c"]
        found = queue(queue_file(*tables), claimed("export", "a"))
        assert [found.place_in_queue(name) for name in ("b", "x", "c")] == [1, 1, 2]

    def test_tables_of_all_places_wait_in_one_line_for_copies_and_loads(self):
        tables = [queued("a", enters="load"), queued("b", enters="load", location=OTHER_LOCATION)]
        assert queue(queue_file(*tables)).place_in_queue("b") == 2


class TestUnits:
    def test_a_large_table_goes_alone(self):
        file = queue_file("a", small("b"), small("c"))
        assert queue(file, *exported("a", "b", "c")).next_tables(LOAD, at()) == ["a"]

    def test_a_table_of_unknown_size_goes_alone(self):
        file = queue_file(queued("a", None), queued("b", None))
        assert queue(file, *exported("a", "b")).next_tables(LOAD, at()) == ["a"]

    def test_a_full_unit_goes_at_once_with_no_more_tables_than_a_run_takes(self):
        names = "abcdef"
        file = queue_file(*(small(name) for name in names), small("coming"))
        assert queue(file, *exported(*names)).next_tables(LOAD, at()) == ["a", "b", "c", "d"]

    def test_a_unit_takes_small_tables_past_large_ones(self):
        file = queue_file(small("a"), "b", small("c"), small("coming"))
        assert queue(file, *exported("a", "b", "c")).next_tables(LOAD, at()) == ["a", "c"]

    def test_half_a_unit_is_worth_a_run(self):
        file = queue_file(*(small(name) for name in "abc"))
        assert queue(file, *exported("a", "b")).next_tables(LOAD, at()) == ["a", "b"]

    def test_less_than_half_a_unit_waits_for_those_on_their_way(self):
        file = queue_file(*(small(name) for name in "abc"))
        assert queue(file, *exported("a")).next_tables(LOAD, at()) == []

    def test_a_large_table_does_not_wait_for_small_ones_before_it(self):
        file = queue_file(small("a"), "b", small("c"))
        assert queue(file, *exported("a", "b")).next_tables(LOAD, at()) == ["b"]

    @pytest.mark.parametrize("size", [500 * MB, None])
    def test_nobody_waits_for_a_large_table_to_come(self, size):
        file = queue_file(small("a"), queued("b", size))
        assert queue(file, *exported("a")).next_tables(LOAD, at()) == ["a"]

    def test_nobody_waits_for_a_small_table_that_is_in_another_run(self):
        file = queue_file(*(small(name) for name in "abc"))
        entries = [*exported("a", "b"), claimed("load", "a", "b"), *exported("c")]
        assert queue(file, *entries).next_tables(LOAD, at()) == ["c"]

    def test_nobody_waits_longer_than_a_cluster_takes_to_start(self):
        file = queue_file(*(small(name) for name in "abc"))
        found = queue(file, *exported("a", minutes=8))
        assert found.next_tables(LOAD, at(8) + timedelta(seconds=299)) == []
        assert found.next_tables(LOAD, at(8) + timedelta(seconds=300)) == ["a"]

    def test_for_a_cluster_that_runs_already_small_tables_wait_a_few_seconds_for_each_other(self):
        file = queue_file(*(small(name) for name in "abc"), cluster_seconds=0)
        found = queue(file, *exported("a", minutes=8))
        assert found.next_tables(LOAD, at(8) + timedelta(seconds=SHORTEST_UNIT_SECONDS - 1)) == []
        assert found.next_tables(LOAD, at(8) + timedelta(seconds=SHORTEST_UNIT_SECONDS)) == ["a"]

    def test_the_one_that_waits_longest_counts(self):
        file = queue_file(*(small(name) for name in "abcd"), tables_per_load_run=20)
        entries = [*exported("b", minutes=1), *exported("a", minutes=5)]
        assert queue(file, *entries).next_tables(LOAD, at(6)) == ["a", "b"]

    def test_tables_that_enter_at_the_load_do_not_wait_for_exports(self):
        file = queue_file(small("a", enters="load"), small("b"))
        assert queue(file).next_tables(LOAD, at()) == ["a"]

    def test_tables_of_two_places_share_no_run(self):
        there = {"location": OTHER_LOCATION, "enters": "load"}
        file = queue_file(small("a", enters="load"), small("b", **there), small("c", enters="load"))
        assert queue(file).next_tables(LOAD, at()) == ["a", "c"]
        assert queue(file, claimed("load", "a", "c")).next_tables(LOAD, at()) == ["b"]

    def test_nobody_waits_for_small_tables_of_another_place(self):
        file = queue_file(small("a"), small("b", location=OTHER_LOCATION))
        assert queue(file, *exported("a")).next_tables(LOAD, at()) == ["a"]

    def test_a_unit_has_one_table_of_each_container(self):
        together = {"container": "shop/all", "enters": "load"}
        file = queue_file(small("a", **together), small("b", **together), small("c", enters="load"))
        assert queue(file).next_tables(LOAD, at()) == ["a", "c"]

    def test_one_table_to_a_run_means_that_none_is_shared(self):
        file = queue_file(*(small(name, enters="load") for name in "ab"), tables_per_load_run=1)
        assert queue(file).next_tables(LOAD, at()) == ["a"]

    def test_a_size_of_zero_means_that_none_is_shared(self):
        tables = [queued(name, 0, enters="load") for name in "ab"]
        assert queue(queue_file(*tables, share_load_run_below_bytes=0)).next_tables(LOAD, at()) == ["a"]


class TestContainers:
    TABLES = (queued("a", container="shop/all"), queued("b", container="shop/all"), queued("c"))

    def test_tables_that_share_one_are_exported_and_copied_side_by_side(self):
        found = queue(queue_file(*self.TABLES), claimed("export", "a"))
        assert found.next_tables(Lane("export", 1, LOCATION), at()) == ["b"]
        found = queue(queue_file(*self.TABLES), *exported("a")[:-1], *exported("b")[:2])
        assert found.next_tables(Lane("copy", 1), at()) == ["b"]

    def test_they_are_loaded_one_after_another(self):
        entries = [*exported("a", "b", "c"), claimed("load", "a")]
        found = queue(queue_file(*self.TABLES), *entries)
        assert (found.why_held("b"), found.next_tables(LOAD, at())) == ("container", ["c"])
        found = queue(queue_file(*self.TABLES), *entries, ended("a", "failed"))
        assert found.next_tables(LOAD, at()) == ["b"]

    def test_of_one_name_in_two_databases_are_two(self):
        file = queue_file(small("a", container="shop/all"), small("b", container="crm/all"))
        assert queue(file, *exported("a", "b")).next_tables(LOAD, at()) == ["a", "b"]

    def test_a_small_table_whose_container_is_being_loaded_joins_no_unit(self):
        names = [small(name, container="shop/all", enters="load") for name in "ab"]
        file = queue_file(*names, small("c", enters="load"))
        assert queue(file, claimed("load", "a")).next_tables(Lane("load", 1), at()) == ["c"]


class TestNotTooFarAhead:
    def test_no_export_begins_while_more_than_twice_what_loads_hold_is_ready(self):
        names = [f"t{number}" for number in range(5)]
        file = queue_file(*names, load=1)
        assert queue(file, *exported("t0", "t1")).next_tables(EXPORT, at()) == ["t2"]
        found = queue(file, *exported("t0", "t1", "t2"))
        assert (found.why_held("t3"), found.next_tables(EXPORT, at())) == ("ahead", [])

    def test_what_is_being_copied_counts(self):
        file = queue_file(*"abcd", load=1)
        copied = [claimed("copy", name, lane=lane) for lane, name in enumerate("abc")]
        entries = [line for name in "abc" for line in exported(name)[:2]]
        assert queue(file, *entries, *copied).why_held("d") == "ahead"

    def test_what_is_being_loaded_does_not_count(self):
        file = queue_file(*"abcd", load=1)
        assert queue(file, *exported(*"abc"), claimed("load", "a")).next_tables(EXPORT, at()) == ["d"]

    def test_small_tables_count_as_the_part_of_a_run_that_they_are(self):
        names = [f"t{number}" for number in range(10)]
        file = queue_file(*(small(name) for name in names), load=1)
        assert queue(file, *exported(*names[:8])).next_tables(EXPORT, at()) == ["t8"]
        assert queue(file, *exported(*names[:9])).why_held("t9") == "ahead"

    def test_copies_and_loads_are_not_held(self):
        file = queue_file(*(queued(name, enters="copy") for name in "abcd"), load=1)
        assert queue(file).next_tables(COPY, at()) == ["a"]


class TestMaxParallelTables:
    def test_as_many_tables_are_between_their_first_stage_and_their_end(self):
        file = queue_file(*"abc", tables=2)
        two = [claimed("export", "a"), passed("a", "export"), claimed("export", "b", turn=1)]
        found = queue(file, *two)
        assert (found.why_held("c"), found.next_tables(EXPORT, at())) == ("tables", [])
        assert queue(file, *two, ended("a", "failed")).next_tables(EXPORT, at()) == ["c"]

    def test_tables_under_way_go_past_those_that_may_not_begin(self):
        file = queue_file(queued("a", enters="copy"), "b", tables=1)
        found = queue(file, claimed("export", "b"), passed("b", "export"))
        assert (found.why_held("a"), found.next_tables(COPY, at())) == ("tables", ["b"])

    def test_a_table_under_way_is_loaded_though_another_of_its_container_may_not_begin(self):
        file = queue_file(
            small("a", enters="load", container="shop/all"), small("b", container="shop/all"), "c", tables=1
        )
        assert queue(file, *exported("b")).next_tables(LOAD, at()) == ["b"]

    def test_a_unit_takes_no_more_tables_than_may_begin(self):
        file = queue_file(*(small(name, enters="load") for name in "abcd"), tables=3)
        assert queue(file).next_tables(LOAD, at()) == ["a", "b", "c"]

    def test_a_unit_has_those_under_way_and_as_many_as_may_begin(self):
        file = queue_file(*(small(name, enters="load") for name in "abc"), small("d"), tables=2)
        assert queue(file, *exported("d")).next_tables(LOAD, at()) == ["a", "d"]

    def test_a_unit_does_not_wait_for_tables_that_may_not_begin(self):
        file = queue_file(*(small(name) for name in "abc"), tables=1)
        assert queue(file, *exported("a")).next_tables(LOAD, at()) == ["a"]


class TestAwsLimit:
    def test_exports_of_a_place_have_no_more_together_than_aws_allows(self):
        file = queue_file(queued("a", 60 * TB), queued("b", 40 * TB), queued("c", 1))
        found = queue(file, claimed("export", "a"))
        assert found.next_tables(EXPORT, at()) == ["b"]
        found = queue(file, claimed("export", "a"), claimed("export", "b", lane=1))
        assert (found.why_held("c"), found.next_tables(EXPORT, at())) == ("aws_limit", [])

    def test_a_table_that_is_larger_than_is_allowed_goes_alone(self):
        file = queue_file(queued("a", 1), queued("b", 101 * TB), queued("c", 1))
        assert queue(file, claimed("export", "a")).next_tables(EXPORT, at()) == []
        entries = [claimed("export", "a"), passed("a", "export")]
        assert queue(file, *entries).next_tables(EXPORT, at()) == ["b"]
        assert queue(file, *entries, claimed("export", "b", turn=1)).next_tables(EXPORT, at()) == []

    def test_nobody_overtakes_the_one_that_is_held(self):
        file = queue_file(queued("a", 60 * TB), queued("b", 50 * TB), queued("c", 1))
        assert queue(file, claimed("export", "a")).next_tables(EXPORT, at()) == []

    def test_another_place_has_a_limit_of_its_own(self):
        file = queue_file(queued("a", 60 * TB), queued("b", 60 * TB, location=OTHER_LOCATION))
        found = queue(file, claimed("export", "a"))
        assert found.next_tables(Lane("export", 1, OTHER_LOCATION), at()) == ["b"]

    def test_a_size_that_is_unknown_counts_as_none(self):
        file = queue_file(queued("a", 100 * TB), queued("b", None))
        assert queue(file, claimed("export", "a")).next_tables(EXPORT, at()) == ["b"]


class TestIsOver:
    def over(self, found):
        return [found.is_over(lane) for lane in (EXPORT, COPY, LOAD)]

    def test_nothing_is_over_while_a_table_waits_for_its_export(self):
        assert self.over(queue(queue_file("a"))) == [False, False, False]

    def test_exports_are_over_once_the_last_one_is_taken(self):
        assert self.over(queue(queue_file("a"), claimed("export", "a"))) == [True, False, False]

    def test_copies_are_over_once_the_last_one_is_taken(self):
        assert self.over(queue(queue_file("a"), *exported("a")[:-1])) == [True, True, False]

    def test_loads_are_over_once_the_last_one_is_taken(self):
        entries = exported("a")
        assert self.over(queue(queue_file("a"), *entries)) == [True, True, False]
        assert self.over(queue(queue_file("a"), *entries, claimed("load", "a"))) == [True, True, True]

    def test_all_are_over_once_the_last_table_has_ended(self):
        assert self.over(queue(queue_file("a"), ended("a", "cancelled"))) == [True, True, True]

    def test_exports_of_a_place_are_over_apart_from_those_of_another(self):
        found = queue(queue_file("a", queued("b", location=OTHER_LOCATION)), claimed("export", "a"))
        assert found.is_over(EXPORT)
        assert not found.is_over(Lane("export", 1, OTHER_LOCATION))

    def test_of_no_tables_all_are_over(self):
        assert self.over(queue(queue_file())) == [True, True, True]

    def test_once_it_is_abandoned_all_are_over(self):
        found = queue(queue_file("a", "b"), claimed("export", "a"), abandoned(), abandoned())
        assert self.over(found) == [True, True, True]
        assert found.held_by(found.claim_of(EXPORT, 0)) == ["a"]


class TestRank:
    LANES = tuple(Lane("export", number, LOCATION) for number in range(4))

    def test_an_idle_lane_is_told_how_many_look_before_it(self):
        found = queue(queue_file("a"))
        assert [found.rank(lane, self.LANES) for lane in self.LANES] == [0, 1, 2, 3]

    def test_busy_lanes_do_not_look(self):
        found = queue(queue_file("a", "b"), claimed("export", "a"), claimed("export", "b", lane=2))
        assert found.rank(self.LANES[3], self.LANES) == 1

    def test_lanes_of_other_stages_and_places_do_not_count(self):
        lanes = [Lane("copy", 0), Lane("export", 0, LOCATION), Lane("export", 1, OTHER_LOCATION)]
        assert queue(queue_file("a")).rank(lanes[2], lanes) == 0


class TestLanesOf:
    def counts(self, *tables, **caps):
        found = {}
        for lane in lanes_of(queue_file(*tables, **caps)):
            found[lane.stage, lane.location] = found.get((lane.stage, lane.location), 0) + 1
        return found

    def test_a_plan_of_one_table_has_one_lane_of_each_stage(self):
        assert self.counts("a") == {("export", LOCATION): 1, ("copy", ""): 1, ("load", ""): 1}

    def test_a_stage_has_no_more_lanes_than_its_cap(self):
        names = [f"t{number}" for number in range(100)]
        assert self.counts(*names) == {("export", LOCATION): 50, ("copy", ""): 20, ("load", ""): 4}

    def test_caps_of_1_are_one_lane_each(self):
        found = self.counts("a", "b", export=1, copy=1, load=1)
        assert found == {("export", LOCATION): 1, ("copy", ""): 1, ("load", ""): 1}

    def test_tables_that_enter_later_have_no_lanes_before(self):
        assert self.counts(queued("a", enters="load")) == {("load", ""): 1}
        assert self.counts(queued("a", enters="copy"), queued("b", enters="load")) == {
            ("copy", ""): 1,
            ("load", ""): 2,
        }

    def test_each_place_has_its_own_export_lanes_and_a_lane_its_own_number(self):
        tables = ["a", "b", queued("c", location=OTHER_LOCATION), queued("d", location=OTHER_LOCATION)]
        lanes = [lane for lane in lanes_of(queue_file(*tables, export=2)) if lane.stage == "export"]
        assert lanes == [
            Lane("export", 0, LOCATION),
            Lane("export", 1, LOCATION),
            Lane("export", 2, OTHER_LOCATION),
            Lane("export", 3, OTHER_LOCATION),
        ]

    def test_no_tables_need_no_lanes(self):
        assert self.counts() == {}


class Pipeline:
    """Lanes that look, take, pass on and end in an order by chance; lines come twice, and logs are read late.

    A user cancels some of the tables at some time.
    """

    def __init__(self, file, chance):
        self.file, self.chance = file, chance
        self.cancelled, self.read_before = set(), {}
        self.log, self.minutes, self.turns = [], 0, {}
        self.lanes = lanes_of(file)
        self.seen = dict.fromkeys(self.lanes, 0)  # the log's length when a lane read it

    def read(self, length=None):
        """Return the queue of the log, or of as much of it as there was before."""
        length = len(self.log) if length is None else length
        if length not in self.read_before:
            self.read_before[length] = Queue(self.file, self.log[:length])
        return self.read_before[length]

    def append(self, line):
        self.log += [line] * self.chance.choice((1, 1, 2))

    def step(self):
        lane = self.chance.choice(self.lanes)
        self.minutes += self.chance.choice((0, 0, 1, 5))
        turn = self.turns.get(lane, 0)
        claim = self.read().claim_of(lane, turn)
        if claim:
            self.work(lane, claim)
            return
        known = self.read(self.seen[lane])
        self.seen[lane] = len(self.log)
        if self.chance.random() < 0.02:
            self.cancelled.add(self.chance.choice([table["table"] for table in self.file["tables"]]))
        cancelled = [name for name in known.waiting(lane) if name in self.cancelled]
        tables = cancelled or known.next_tables(lane, at(self.minutes))
        if tables:
            more = {"lane": lane.number, "turn": turn, "minutes": self.minutes, "cancelled": bool(cancelled)}
            self.append(claimed(lane.stage, *tables, **more))

    def work(self, lane, claim):
        """End or pass on one table of what a lane has; its next turn begins once it has none any more."""
        held = self.read().held_by(claim)
        if not held:
            self.turns[lane] = claim.turn + 1
            return
        name = self.chance.choice(held)
        if claim.cancelled or lane.stage == "load" or self.chance.random() < 0.1:
            self.append(ended(name, self.chance.choice(("succeeded", "failed")), self.minutes))
        else:
            self.append(passed(name, lane.stage, self.minutes))

    def check(self):
        """Check what holds at every moment; what is taken to be cancelled is not run."""
        found = self.read()
        caps = self.file["caps"]
        claims = {position.claim for position in found.positions.values() if position.claim}
        held = [name for claim in claims for name in found.held_by(claim)]
        assert len(held) == len(set(held)), "no lane has what another one has"
        lanes = {(claim.stage, claim.lane) for claim in claims}
        assert len(lanes) == len(claims), "a lane has one claim"
        run = {name: claim.stage for claim in claims if not claim.cancelled for name in found.held_by(claim)}
        loaded = [found.tables[name]["container"] for name, stage in run.items() if stage == "load"]
        assert len(loaded) == len(set(loaded)), "a container is loaded by one table"
        for stage in ("copy", "load"):
            assert sum(lane[0] == stage for lane in lanes) <= caps[stage]
        for location in {table["location"] for table in found.tables.values()}:
            exports = [found.tables[name] for name, stage in run.items() if stage == "export"]
            sizes = [table["size_bytes"] or 0 for table in exports if table["location"] == location]
            assert len(sizes) <= caps["export"]
            assert len(sizes) <= 1 or sum(sizes) <= 100 * TB
        if caps["tables"] is not None:
            ending = {name for claim in claims if claim.cancelled for name in found.held_by(claim)}
            assert len((found.positions.keys() & found.begun.keys()) - ending) <= caps["tables"]
        for claim in found.claims.values():
            if not claim.cancelled:
                assert len(claim.tables) <= caps["tables_per_load_run"]
                assert len(claim.tables) == 1 or all(found.is_small(name) for name in claim.tables)
                assert len({found.tables[name]["location"] for name in claim.tables}) == 1


tables_of_chance = st.lists(
    st.builds(
        queued,
        name=st.integers(0, 999).map("t{}".format),
        size_bytes=st.sampled_from([None, 1, MB, 500 * MB, 60 * TB, 101 * TB]),
        container=st.sampled_from(["shop/one", "shop/two", "shop/three", "shop/four"]),
        location=st.sampled_from([LOCATION, OTHER_LOCATION]),
        enters=st.sampled_from(["export", "export", "copy", "load"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda table: table["table"],
)
caps_of_chance = st.fixed_dictionaries(
    {
        "export": st.integers(1, 3),
        "copy": st.integers(1, 3),
        "load": st.integers(1, 3),
        "tables": st.none() | st.integers(1, 4),
        "tables_per_load_run": st.integers(1, 4),
        "cluster_seconds": st.sampled_from([0, 300]),
    }
)


@given(tables=tables_of_chance, caps=caps_of_chance, seed=st.integers(0, 10**6))
def test_in_any_order_of_events_the_limits_hold_and_every_table_ends(tables, caps, seed):
    pipeline = Pipeline(queue_file(*tables, **caps), random.Random(seed))
    for _ in range(4000):
        if len(pipeline.read().ends) == len(tables):
            break
        before = len(pipeline.log)
        pipeline.step()
        if len(pipeline.log) > before:
            pipeline.check()
    found = pipeline.read()
    assert set(found.ends) == {table["table"] for table in tables}
    assert all(found.is_over(lane) and not found.is_busy(lane) for lane in pipeline.lanes)


@given(tables=tables_of_chance, caps=caps_of_chance, seed=st.integers(0, 10**6), data=st.data())
def test_what_a_turn_has_taken_stays_so_however_the_log_grows(tables, caps, seed, data):
    pipeline = Pipeline(queue_file(*tables, **caps), random.Random(seed))
    for _ in range(100):
        pipeline.step()
    cut = data.draw(st.integers(0, len(pipeline.log)))
    assert pipeline.read(cut).claims.items() <= pipeline.read().claims.items()
