import os

import pytest

from localcloud.databricks.connector.pace import Pace, ru_per_task


class Time:
    now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_a_task_gets_so_many_ru_a_second_and_overdraws_them_once():
    time = Time()
    pace = Pace(100, time.clock, time.sleep)
    for _ in range(10):
        pace.wait()
        pace.spend(250)
    assert time.now == pytest.approx((9 * 250 - 100) / 100)


def test_without_control_nothing_waits():
    time = Time()
    pace = Pace(None, time.clock, time.sleep)
    pace.wait()
    pace.spend(10**9)
    pace.wait()
    assert time.now == 0


def test_tasks_that_run_at_once_share_them():
    cores = os.cpu_count() or 1
    assert ru_per_task(None, 3) is None
    assert ru_per_task(600, 1) == 600
    assert ru_per_task(600, 1000) == 600 / cores
