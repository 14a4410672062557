"""The pipeline on Microsoft's own Durable extension: 200 tables, and whatever may happen on the way.

The orchestrators, and the activities that take, pass on, load and end tables, are the product's; exports, copies and
load runs are times (`benchmarks.virtual_pipeline`).
"""

import json

import pytest

from benchmarks.virtual_pipeline import MIGRATION
from d2c.state import paths
from localcloud.common.checkout import CHECKOUT
from tests.contract.durable.migration import Migration, orchestrators_of_a_migration
from tests.real.extension import PROGRAM, Azurite, ExtensionHost
from tests.real.tools import needs

pytestmark = needs(*PROGRAM)
TABLES = [f"Table{number:03d}" for number in range(200)]
LONGEST_HISTORY = 64 * 1024


@pytest.fixture
def azurite(tmp_path):
    running = Azurite(tmp_path / "azurite")
    yield running
    running.stop()


@pytest.fixture
def migrate(tmp_path, azurite):
    """Return what lets a migration begin on the extension."""
    running = []

    def begin(**changes):
        migration = Migration(TABLES, **changes)
        settings = json.loads((CHECKOUT / "host.json").read_text())
        handles = orchestrators_of_a_migration()
        running.append(ExtensionHost(tmp_path, azurite, settings, handles, migration.activities))
        migration.run_on(running[-1])
        return migration

    yield begin
    for extension in running:
        extension.stop()


def test_two_hundred_tables_go_through_in_short_histories(migrate):
    migration = migrate()
    assert migration.result()["output"]["state"] == "succeeded"
    assert migration.states() == {"succeeded": 200}
    assert migration.exports.most_starts() == migration.copies.most_starts() == 1
    assert migration.databricks.loaded == dict.fromkeys(TABLES, 1)
    assert migration.durable.longest_history < LONGEST_HISTORY
    turns = sum(migration.durable.turns.values()) / len(TABLES)
    print(
        f"{migration.host.elapsed:.1f} s, {turns:.1f} turns a table, "
        f"longest history {migration.durable.longest_history:,} bytes"
    )


def test_a_crash_a_stop_a_cancel_a_pause_and_a_lost_cluster_change_no_outcome(migrate):
    migration = migrate(is_lost_cluster=lambda run: run == 1)
    pause, cancel = paths.MigrationFiles(MIGRATION).pause, paths.MigrationFiles(MIGRATION).cancel(0)
    migration.reach("passed", 20)
    migration.durable.kill()
    migration.durable.start()
    migration.lake.write_json(cancel, {"tables": TABLES[-3:]})
    migration.reach("ended", 30)
    migration.lake.write(pause, b"{}")
    migration.durable.stop()
    migration.durable.start()
    migration.lake.delete(pause)
    assert migration.result()["output"]["state"] == "succeeded"
    assert migration.states() == {"succeeded": 197, "cancelled": 3}
    assert migration.exports.most_starts() == migration.copies.most_starts() == 1
    assert max(migration.databricks.loaded.values()) == 1
    assert migration.durable.longest_history < LONGEST_HISTORY
