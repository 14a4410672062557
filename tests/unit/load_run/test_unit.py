import threading

import pytest

from d2c.errors import PermanentError
from d2c.load_run.unit.log import SHARED_SECONDS, SharedLog, ended_tables, tables_let_go
from d2c.load_run.unit.turns import Turns, each_side_by_side, tables_at_once
from tests.contract.polling import HANG_SECONDS


def test_an_empty_log_names_no_table():
    assert ended_tables("") == set()


def test_who_has_ended_is_told_once_however_often_it_is_said():
    log = '{"table": "Users"}\n{"table": "Music", "more": 1}\n{"table": "Users"}\n'
    assert ended_tables(log) == {"Users", "Music"}


def test_who_is_let_go_has_not_ended_unless_that_is_said_too():
    log = '{"table": "Users", "let_go": true}\n{"table": "Music", "let_go": true}\n{"table": "Users"}\n'
    assert (tables_let_go(log), ended_tables(log)) == ({"Users", "Music"}, {"Users"})


@pytest.mark.parametrize(
    "log",
    [
        *("{", "[]", "5", "null", "{}", '{"table": 5}', '{"table": []}', "[" * 100_000),
        '{"table": "a", "let_go": 1}',
        '{"table": "a", "let_go": []}',
    ],
)
def test_a_log_that_the_app_did_not_write_is_refused(log):
    with pytest.raises(PermanentError, match="log of the load run's unit"):
        ended_tables('{"table": "Users"}\n' + log)


def test_what_a_table_has_just_read_of_the_log_another_one_takes():
    now, texts = [0.0], iter(["first", "second"])
    log = SharedLog(lambda: next(texts), clock=lambda: now[0])
    assert [log.text(), log.text()] == ["first", "first"]
    now[0] = SHARED_SECONDS
    assert log.text() == "second"


@pytest.mark.parametrize(
    ("tables", "cores", "at_once"), [(1, 32, 1), (20, 4, 4), (3, 4, 3), (20, 64, 16), (5, 0, 1)]
)
def test_as_many_tables_go_at_once_as_the_cores_feed(tables, cores, at_once):
    assert tables_at_once(tables, cores) == at_once


class TestEachSideBySide:
    def test_as_many_are_at_work_as_are_allowed_and_each_is_done_once(self):
        meeting, done = threading.Barrier(3, timeout=HANG_SECONDS), []

        def do(thing):
            meeting.wait()
            done.append(thing)

        each_side_by_side(range(6), do, Turns(3))
        assert sorted(done) == list(range(6))

    def test_they_begin_in_their_order(self):
        begun = []
        each_side_by_side(range(5), begun.append, Turns(1))
        assert begun == [0, 1, 2, 3, 4]

    def test_an_error_ends_the_rest_and_is_raised_after_what_had_begun(self):
        failed, done = threading.Event(), []

        class Platform(Exception):
            pass

        def do(thing):
            if thing == 0:
                failed.set()
                raise Platform
            assert failed.wait(HANG_SECONDS)
            done.append(thing)

        with pytest.raises(Platform):
            each_side_by_side(range(50), do, Turns(2))
        assert len(done) < 49

    def test_the_threads_are_those_that_the_caller_makes(self):
        made = []

        def new_thread(**arguments):
            made.append(threading.Thread(**arguments))
            return made[-1]

        each_side_by_side([1], lambda thing: None, Turns(1), thread=new_thread)
        assert len(made) == 1

    def test_those_that_wait_leave_their_turns_to_others_and_take_one_again(self):
        turns, waiting, done = Turns(1), threading.Barrier(5, timeout=HANG_SECONDS), []

        def do(thing):
            with turns.left():
                # Only once all five have begun does any of them go on.
                waiting.wait()
            done.append(thing)

        each_side_by_side(range(5), do, turns)
        assert sorted(done) == list(range(5))

    def test_one_that_waits_goes_on_although_another_has_failed(self):
        turns, begun, done = Turns(1), threading.Event(), []

        def do(thing):
            if thing == 1:
                begun.set()
                raise ValueError("lost")
            with turns.left():
                assert begun.wait(HANG_SECONDS)
            done.append(thing)

        with pytest.raises(ValueError, match="lost"):
            each_side_by_side(range(9), do, turns)
        assert done == [0]
