import asyncio

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

from localcloud.functions_host.app import AppError
from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.triggers.timer import TimerTrigger
from tests.contract.polling import HANG_SECONDS
from tests.localcloud.unit.functions_host.hands import Hands

HOUR = 3600.0
# 2027-01-15T08:00:00Z
MORNING = 1_800_000_000.0


class OneTimer:
    """An app with one timer function, and a host whose clock the test moves."""

    def __init__(self, folder, schedule="0 0 * * * *", **options):
        self.hands = Hands(MORNING + 600)
        self.folder = folder
        self.requests = []
        self.error = None
        self.functions = self._functions(schedule, options)
        self.start()

    def _functions(self, schedule, options):
        app = func.FunctionApp()

        @app.timer_trigger(arg_name="timer", schedule=schedule, **options)
        def on_time(timer: func.TimerRequest) -> None:
            pass

        return {"on_time": app.get_functions()[0]}

    def of_type(self, trigger_type):
        assert trigger_type == "timerTrigger"
        return self.functions

    async def invoke(self, function, request):
        assert function is self.functions["on_time"]
        self.requests.append(
            TimerRequestConverter.decode(Datum(type="json", value=request), trigger_metadata=None)
        )
        if self.error:
            raise self.error

    def start(self):
        """Start the host anew, with what it had stored."""
        self.store = Store(self.folder / "functions.sqlite", self.hands.clock())
        self.trigger = TimerTrigger(self, self.store, "on_time")

    def begin(self):
        asyncio.run(self.trigger.begin())

    def look(self):
        asyncio.run(self.trigger.fire_if_due())

    @property
    def past_due(self):
        return [request.past_due for request in self.requests]


@pytest.fixture
def timer(tmp_path):
    return OneTimer(tmp_path)


def test_a_timer_fires_at_its_time_and_once(timer):
    timer.begin()
    timer.look()
    assert timer.past_due == []
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.look()
    assert timer.past_due == [False]


def test_the_function_gets_what_the_worker_makes_of_the_extensions_request(timer):
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.hands.pass_by(HOUR)
    timer.look()
    first, second = timer.requests
    assert first.schedule_status["Last"] == "0001-01-01T00:00:00+00:00"
    assert second.schedule_status == {
        "Last": "2027-01-15T09:10:00+00:00",
        "Next": "2027-01-15T10:00:00+00:00",
        "LastUpdated": "2027-01-15T09:10:00+00:00",
    }
    assert second.schedule == {"AdjustForDST": True}


def test_what_was_missed_while_the_host_was_down_is_made_up_for_once(timer):
    timer.hands.pass_by(5 * HOUR)
    timer.start()
    timer.begin()
    timer.look()
    assert timer.past_due == [True]
    timer.hands.pass_by(HOUR)
    timer.look()
    assert timer.past_due == [True, False]


def test_what_a_crash_interrupts_is_past_due_at_the_next_start(timer):
    timer.error = KeyboardInterrupt()
    timer.hands.pass_by(HOUR)
    with pytest.raises(KeyboardInterrupt):
        timer.look()
    timer.error = None
    timer.start()
    timer.begin()
    assert timer.past_due == [False, True]


def test_a_restart_at_once_fires_nothing_again(timer):
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.start()
    timer.begin()
    timer.look()
    assert timer.past_due == [False]


def test_a_function_that_fails_is_called_again_at_its_next_time_only(timer):
    timer.error = ValueError("as always")
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.look()
    timer.hands.pass_by(HOUR)
    timer.look()
    assert timer.past_due == [False, False]


def test_many_occurrences_that_passed_during_a_call_become_one(timer):
    timer.hands.pass_by(7 * HOUR)
    timer.look()
    timer.look()
    assert timer.past_due == [False]


@pytest.mark.parametrize(
    ("schedule", "options"), [("*/5 * * * * *", {}), ("0 0 * * * *", {"use_monitor": False})]
)
def test_a_schedule_that_is_not_remembered_makes_up_for_nothing(tmp_path, schedule, options):
    timer = OneTimer(tmp_path, schedule, **options)
    timer.hands.pass_by(5 * HOUR)
    timer.start()
    timer.begin()
    assert timer.past_due == []
    timer.hands.pass_by(HOUR)
    timer.look()
    assert timer.requests[0].schedule_status == {}


def test_a_changed_schedule_is_not_past_due(timer):
    timer.functions = timer._functions("0 30 * * * *", {})
    timer.hands.pass_by(5 * HOUR)
    timer.start()
    timer.begin()
    assert timer.past_due == []


def test_a_timer_can_fire_at_the_hosts_start(tmp_path):
    timer = OneTimer(tmp_path, run_on_startup=True)
    timer.begin()
    timer.start()
    timer.begin()
    assert timer.past_due == [False, False]


def test_a_clock_that_is_set_forward_by_hours_fires_a_timer_once(timer):
    timer.hands.set_clock(9 * HOUR)
    timer.look()
    timer.look()
    assert timer.past_due == [False]


def test_a_clock_that_is_set_back_by_hours_neither_stops_a_timer_nor_fires_it_twice(timer):
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.hands.set_clock(-5 * HOUR)
    timer.look()
    timer.hands.pass_by(HOUR - 1200)
    timer.look()
    assert timer.past_due == [False]
    timer.hands.pass_by(1200)
    timer.look()
    assert timer.past_due == [False, False]


def test_a_clock_that_is_set_back_while_the_host_is_down_fires_nothing_twice(timer):
    timer.hands.pass_by(HOUR)
    timer.look()
    timer.hands.set_clock(-5 * HOUR)
    timer.start()
    timer.begin()
    timer.look()
    assert timer.past_due == [False]
    timer.hands.pass_by(HOUR)
    timer.look()
    assert timer.past_due == [False, False]


def test_a_time_zone_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBSITE_TIME_ZONE", "Europe/Berlin")
    with pytest.raises(AppError, match="UTC"):
        OneTimer(tmp_path)


def test_one_timer_never_runs_twice_at_a_time(timer):
    async def run():
        running = most = 0
        called = asyncio.Event()

        async def invoke(_function, _request):
            nonlocal running, most
            running += 1
            most = max(most, running)
            timer.hands.pass_by(HOUR)
            await asyncio.sleep(0)
            running -= 1
            timer.requests.append(_request)
            if len(timer.requests) == 5:
                called.set()

        timer.invoke = invoke
        timer.hands.pass_by(HOUR)
        task = asyncio.create_task(timer.trigger.run())
        await asyncio.wait_for(called.wait(), HANG_SECONDS)
        task.cancel()
        return most

    assert asyncio.run(run()) == 1
