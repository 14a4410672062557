"""A migration in real time, by the product's orchestrators and its activities of the pipeline, on any Durable.

Exports, copies and load runs are times (`benchmarks.virtual_pipeline`).
"""

import threading
from collections import Counter
from datetime import UTC, datetime

from benchmarks.virtual_pipeline import CAPS, MIGRATION, Case, Simulation
from benchmarks.virtual_services import Times, VirtualDatabricks
from orchestrators import lane, run_operation, run_to_its_end
from tests.builders import the_waits
from tests.contract.durable.hub import ENDED
from tests.contract.polling import wait_until

TIMES = Times(lambda table: 1.0, lambda table: 0.5, lambda table: 0.02, lambda run: 1.0)
QUICK = {**the_waits(), "first_seconds": 0.5, "factor": 1.5, "longest_seconds": 4}


class RealTime:
    """The clock that a simulation asks, and what it lets happen later."""

    def __init__(self):
        self._began = datetime.now(UTC)

    @property
    def now(self):
        return datetime.now(UTC)

    @property
    def elapsed(self):
        return (self.now - self._began).total_seconds()

    def after(self, seconds, act):
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()


class Migration(Simulation):
    """A migration on a Durable.

    Args:
        tables: their names.
        changes: of the simulation's `Case`.
    """

    def __init__(self, tables, **changes):
        case = Case(tables, TIMES, caps={**CAPS, "cluster_seconds": 1}, **changes)
        super().__init__(case)
        self.activities = self.host._activities
        self.host = RealTime()
        self.databricks = VirtualDatabricks(self.lake, case.times, self.host.after, case.is_lost_cluster)
        self.clients.databricks = self.databricks
        self._write_queue()

    def run_on(self, durable):
        """Start it where ``begin`` starts an orchestration and ``status`` returns the status of one."""
        self.durable = durable
        self.start()

    def start(self):
        value = {"migration": MIGRATION, "operation": 0, "kind": "start", "waits": QUICK}
        self.durable.begin("run_operation", MIGRATION, value)

    def result(self):
        def look():
            status = self.durable.status(MIGRATION)
            return status if status["runtimeStatus"] in ENDED else None

        return wait_until(look, 1)

    def reach(self, did, count):
        """Wait until so many lines of a kind are in the queue's log."""
        wait_until(lambda: sum(entry["did"] == did for entry in self.log) >= count, 0.1)

    def states(self):
        """Return how many tables ended in each state; each has ended once."""
        ends = [entry for entry in self.log if entry["did"] == "ended"]
        assert len(ends) == len({entry["table"] for entry in ends})
        return Counter(entry["state"] for entry in ends)


def orchestrators_of_a_migration():
    """Return what the SDK's decorators made of the orchestrators, by name: text in, text out."""
    modules = (run_operation, lane, run_to_its_end)
    functions = [builder._function for module in modules for builder in module.blueprint._function_builders]
    return {function.get_trigger().orchestration: function.get_user_function() for function in functions}
