import threading

import pytest

from d2c.load_run.progress import repeated
from tests.contract.polling import HANG_SECONDS


class TestRepeated:
    def test_the_thread_is_there_as_long_as_the_block(self):
        done, threads = threading.Event(), []

        def act():
            threads.append(threading.current_thread())
            done.set()

        with repeated(act, seconds=0.001):
            assert done.wait(HANG_SECONDS)
        assert not any(thread.is_alive() for thread in threads)

    def test_a_block_that_is_over_before_the_first_time_pays_nothing(self):
        calls = []
        with repeated(lambda: calls.append(1), seconds=3600):
            pass
        assert not calls

    def test_a_failure_is_printed_and_the_next_time_comes(self, capsys):
        done, times = threading.Event(), []

        def act():
            times.append(1)
            if len(times) == 1:
                raise OSError("the lake is away")
            done.set()

        with repeated(act, seconds=0.001):
            assert done.wait(HANG_SECONDS)
        assert "Progress cannot be written: OSError: the lake is away" in capsys.readouterr().out

    def test_of_several_failures_of_a_kind_the_first_is_printed(self, capsys):
        done, times = threading.Event(), []

        def act():
            times.append(1)
            if len(times) == 5:
                done.set()
            raise (OSError if len(times) < 4 else ValueError)(f"time {len(times)}")

        with repeated(act, seconds=0.001):
            assert done.wait(HANG_SECONDS)
        printed = capsys.readouterr().out.splitlines()
        assert printed == [
            "Progress cannot be written: OSError: time 1",
            "Progress cannot be written: ValueError: time 4",
        ]

    def test_the_thread_is_one_that_the_caller_makes(self):
        made = []

        def new_thread(**arguments):
            made.append(threading.Thread(**arguments))
            return made[-1]

        with repeated(lambda: None, seconds=3600, new_thread=new_thread):
            pass
        assert len(made) == 1

    def test_an_error_of_the_block_is_raised_and_ends_the_thread(self):
        before = threading.active_count()
        with pytest.raises(ZeroDivisionError), repeated(lambda: None, seconds=3600):
            raise ZeroDivisionError
        assert threading.active_count() == before
