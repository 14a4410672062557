"""Durable timers while the machine's clock is set forward and back."""

from datetime import timedelta
from threading import Thread

import azure.durable_functions as df
import pytest

from localcloud.functions_host.durable.engine import Engine
from localcloud.functions_host.durable.store import Store
from tests.contract.polling import wait_until
from tests.localcloud.unit.functions_host.hands import Hands

HOUR = 3600.0
app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def naps(context: df.DurableOrchestrationContext):
    for seconds in context.get_input()["naps"]:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    return (yield context.call_activity("wake_up", 1))


(NAPS,) = app.get_functions()


class OneOrchestrator:
    """What the engine needs of an app."""

    def __init__(self):
        self.called = 0

    def orchestrator(self, name):
        assert name == "naps"
        return NAPS.get_user_function()

    def run_activity(self, name, text):
        assert (name, text) == ("wake_up", "1")
        self.called += 1
        return '"awake"'

    def submit(self, call, *arguments):
        Thread(target=call, args=arguments).start()


class Machine:
    """An engine on a machine whose clock the test moves."""

    def __init__(self, folder):
        self.hands = Hands()
        self.folder = folder
        self.app = OneOrchestrator()
        self.start()

    def start(self):
        self.store = Store(self.folder / "functions.sqlite", self.hands.clock())
        self.engine = Engine(self.app, self.store)
        self.engine.start()

    def look(self):
        """Have the engine look at its clock at once."""
        self.engine.deliver("nobody", 15, Name="nothing", Input="null")

    def timers(self, instance):
        kinds = [event["EventType"] for event in self.store.history(instance)]
        return {"created": kinds.count(10), "fired": kinds.count(11)}

    def waits(self, instance, fired):
        wait_until(
            lambda: self.timers(instance) == {"created": fired + 1, "fired": fired}, interval_seconds=0.005
        )

    def ended(self, instance, timers):
        wait_until(lambda: self.store.status(instance)["output"] == "awake", interval_seconds=0.005)
        assert self.timers(instance) == {"created": timers, "fired": timers}
        assert self.app.called == 1


@pytest.fixture
def machine(tmp_path):
    running = Machine(tmp_path)
    yield running
    running.engine.stop()


def test_a_clock_set_forward_by_hours_fires_each_timer_once(machine):
    machine.engine.start_new("naps", "a", '{"naps": [60, 60]}')
    machine.waits("a", fired=0)
    machine.hands.set_clock(5 * HOUR)
    machine.look()
    machine.waits("a", fired=1)
    machine.hands.pass_by(60)
    machine.look()
    machine.ended("a", timers=2)


def test_a_clock_set_back_by_hours_neither_stops_a_timer_nor_fires_it_again(machine):
    machine.engine.start_new("naps", "a", '{"naps": [60, 60]}')
    machine.waits("a", fired=0)
    machine.hands.pass_by(61)
    machine.look()
    machine.waits("a", fired=1)
    machine.hands.set_clock(-5 * HOUR)
    machine.hands.pass_by(30)
    machine.look()
    machine.waits("a", fired=1)
    machine.hands.pass_by(30)
    machine.look()
    machine.ended("a", timers=2)


def test_a_clock_set_back_while_the_host_is_down_stops_no_timer(machine):
    machine.engine.start_new("naps", "a", '{"naps": [60]}')
    machine.waits("a", fired=0)
    machine.engine.stop()
    machine.hands.set_clock(-5 * HOUR)
    machine.start()
    machine.hands.pass_by(61)
    machine.look()
    machine.ended("a", timers=1)
