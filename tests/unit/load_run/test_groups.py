import pytest

from d2c.load_run.groups import all_arrived, joined, left, not_joined

TABLES = ["Music", "Orders", "Users"]


def arrives(table):
    return {"table": table, "did": "arrived"}


def joins(table, attempt=1):
    return {"table": table, "did": "joined", "attempt": attempt}


def leaves(table):
    return {"table": table, "did": "left"}


ALL_JOINED = [joins("Users"), joins("Orders"), joins("Music")]


class TestAllArrived:
    @pytest.mark.parametrize("last", [arrives, joins, leaves])
    def test_a_table_that_arrived_joined_or_left_is_no_longer_waited_for(self, last):
        entries = [arrives("Music"), arrives("Orders"), arrives("Music")]
        assert not all_arrived(entries, TABLES)
        assert all_arrived([*entries, last("Users")], TABLES)

    def test_an_empty_log_has_no_one(self):
        assert not all_arrived([], TABLES)


class TestJoined:
    def test_nothing_is_decided_while_a_table_has_only_arrived(self):
        entries = [joins("Music"), arrives("Orders"), joins("Orders"), arrives("Users")]
        assert joined(entries, TABLES, 1) is None
        assert not_joined(entries, TABLES, 1) == ["Users"]

    def test_members_come_in_the_order_of_the_tables_not_of_the_log(self):
        assert joined(ALL_JOINED, TABLES, 1) == TABLES

    def test_who_left_without_joining_is_not_a_member(self):
        assert joined([joins("Music"), leaves("Orders"), joins("Users")], TABLES, 1) == ["Music", "Users"]

    def test_everyone_may_have_left(self):
        assert joined([leaves(table) for table in TABLES], TABLES, 1) == []

    @pytest.mark.parametrize(
        "later",
        [
            [leaves("Music")],
            [joins("Music"), leaves("Music")],
            [joins("Music", 2), leaves("Orders"), joins("Users", 2)],
        ],
    )
    def test_what_is_appended_later_does_not_change_the_members(self, later):
        assert joined([*ALL_JOINED, *later], TABLES, 1) == TABLES

    def test_who_joins_after_having_left_stays_outside(self):
        entries = [leaves("Music"), joins("Orders"), joins("Users"), joins("Music")]
        assert joined(entries, TABLES, 1) == ["Orders", "Users"]

    def test_after_a_lost_run_those_that_are_not_done_meet_again(self):
        entries = [*ALL_JOINED, joins("Users", 2), leaves("Music")]
        assert joined(entries, TABLES, 2) is None
        assert not_joined(entries, TABLES, 2) == ["Orders"]
        assert joined([*entries, joins("Orders", 2)], TABLES, 2) == ["Orders", "Users"]


def test_who_has_left_is_told_once_however_often_it_is_said():
    assert left([*ALL_JOINED, leaves("Users"), leaves("Users"), arrives("Music")]) == {"Users"}
