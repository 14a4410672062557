import threading
from types import SimpleNamespace

import pytest

from d2c.load_run.progress import repeated, task_counts
from tests.contract.polling import HANG_SECONDS


class Tracker:
    """Spark's status tracker: jobs and their stages, and of each stage its tasks in all, at work, done and failed."""

    def __init__(self, jobs, stages):
        self.jobs = jobs
        self.stages = stages

    def getJobInfo(self, job):
        return self.jobs[job] and SimpleNamespace(stageIds=self.jobs[job])

    def getStageInfo(self, stage):
        if stage not in self.stages:
            return None
        tasks, active, done, failed = self.stages[stage]
        return SimpleNamespace(
            numTasks=tasks, numActiveTasks=active, numCompletedTasks=done, numFailedTasks=failed
        )


class TestTaskCounts:
    def test_tasks_of_all_jobs_count_a_shared_stage_once(self):
        tracker = Tracker({1: [10], 2: [10, 11]}, {10: (8, 0, 8, 0), 11: (4, 2, 1, 0)})
        assert task_counts(tracker, [1, 2]) == (9, 12)

    def test_jobs_of_other_tables_do_not_count(self):
        tracker = Tracker({1: [10], 2: [11]}, {10: (8, 0, 8, 0), 11: (4, 1, 3, 0)})
        assert task_counts(tracker, [2]) == (3, 4)

    def test_stages_with_failed_tasks_count_but_not_skipped_or_pending_ones(self):
        tracker = Tracker({1: [10, 11, 12]}, {10: (200, 0, 0, 0), 11: (4, 0, 0, 1), 12: (5, 1, 0, 0)})
        assert task_counts(tracker, [1]) == (0, 9)

    def test_stages_that_spark_has_forgotten_do_not_count(self):
        tracker = Tracker({1: None, 2: [10, 11]}, {11: (4, 0, 4, 0)})
        assert task_counts(tracker, [1, 2]) == (4, 4)


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
