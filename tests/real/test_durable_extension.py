"""The pipeline on Microsoft's own Durable extension: 200 tables, and whatever may happen on the way.

The orchestrators, and the activities that take, pass on, load and end tables, are the product's; exports, copies and
load runs are times (`benchmarks.virtual_pipeline`).
"""

import json
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest

from benchmarks.virtual_pipeline import CAPS, MIGRATION, Case, Simulation
from benchmarks.virtual_services import Times, VirtualDatabricks
from d2c.state import paths
from localcloud.common.checkout import CHECKOUT
from orchestrators import lane, run_operation, run_to_its_end
from tests.builders import the_waits
from tests.contract.polling import wait_until
from tests.real.extension import Azurite, ExtensionHost, program

pytestmark = pytest.mark.skipif(
    program() is None,
    reason="extension-host is not here: set D2C_EXTENSION_HOST to it, or put its folder on the PATH",
)
TABLES = [f"Table{number:03d}" for number in range(200)]
TIMES = Times(lambda table: 1.0, lambda table: 0.5, lambda table: 0.02, lambda run: 1.0)
QUICK = {**the_waits(), "first_seconds": 0.5, "factor": 1.5, "longest_seconds": 4}
LONGEST_HISTORY = 64 * 1024
ENDED = ("Completed", "Failed", "Terminated")


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
    """A migration whose host is the extension."""

    def __init__(self, case, folder, azurite):
        super().__init__(case)
        activities = self.host._activities
        self.host = RealTime()
        self.databricks = VirtualDatabricks(self.lake, case.times, self.host.after, case.is_lost_cluster)
        self.clients.databricks = self.databricks
        self._write_queue()
        settings = json.loads((CHECKOUT / "host.json").read_text())
        handles = orchestrator_handles(run_operation, lane, run_to_its_end)
        self.extension = ExtensionHost(folder, azurite, settings, handles, activities)

    def start(self):
        value = {"migration": MIGRATION, "operation": 0, "kind": "start", "waits": QUICK}
        self.extension.begin("run_operation", MIGRATION, value)

    def result(self):
        def look():
            status = self.extension.status(MIGRATION)
            return status if status["runtimeStatus"] in ENDED else None

        return wait_until(look, 1)

    def reach(self, did, count):
        """Wait until so many lines of a kind are in the queue's log."""
        wait_until(lambda: sum(entry["did"] == did for entry in self.log) >= count, 0.1)


def orchestrator_handles(*modules):
    """Return what the SDK's decorators made of the orchestrators, by name: text in, text out."""
    functions = [builder._function for module in modules for builder in module.blueprint._function_builders]
    return {
        function.get_trigger().orchestration: function.get_user_function()
        for function in functions
        if function.get_trigger().type == "orchestrationTrigger"
    }


@pytest.fixture
def azurite(tmp_path):
    running = Azurite(tmp_path / "azurite")
    yield running
    running.stop()


@pytest.fixture
def migrate(tmp_path, azurite):
    """Return what lets a case begin on the extension."""
    running = []

    def begin(**changes):
        caps = {**CAPS, "cluster_seconds": 1}
        migration = Migration(Case(TABLES, TIMES, caps=caps, **changes), tmp_path, azurite)
        running.append(migration)
        migration.start()
        return migration

    yield begin
    for migration in running:
        migration.extension.stop()


def states(migration):
    ends = [entry for entry in migration.log if entry["did"] == "ended"]
    assert Counter(entry["table"] for entry in ends) == dict.fromkeys(TABLES, 1)
    return Counter(entry["state"] for entry in ends)


def test_two_hundred_tables_go_through_in_short_histories(migrate):
    migration = migrate()
    assert migration.result()["output"]["state"] == "succeeded"
    assert states(migration) == {"succeeded": 200}
    assert migration.exports.most_starts() == migration.copies.most_starts() == 1
    assert migration.databricks.loaded == dict.fromkeys(TABLES, 1)
    assert migration.extension.longest_history < LONGEST_HISTORY
    turns = sum(migration.extension.turns.values()) / len(TABLES)
    print(
        f"{migration.host.elapsed:.1f} s, {turns:.1f} turns a table, "
        f"longest history {migration.extension.longest_history:,} bytes"
    )


def test_a_crash_a_stop_a_cancel_a_pause_and_a_lost_cluster_change_no_outcome(migrate):
    migration = migrate(is_lost_cluster=lambda run: run == 1)
    pause, cancel = paths.pause_path(MIGRATION), paths.cancel_path(MIGRATION, 0)
    migration.reach("passed", 20)
    migration.extension.kill()
    migration.extension.start()
    migration.lake.write_json(cancel, {"tables": TABLES[-3:]})
    migration.reach("ended", 30)
    migration.lake.write(pause, b"{}")
    migration.extension.stop()
    migration.extension.start()
    migration.lake.delete(pause)
    assert migration.result()["output"]["state"] == "succeeded"
    assert states(migration) == {"succeeded": 197, "cancelled": 3}
    assert migration.exports.most_starts() == migration.copies.most_starts() == 1
    assert max(migration.databricks.loaded.values()) == 1
    assert migration.extension.longest_history < LONGEST_HISTORY
