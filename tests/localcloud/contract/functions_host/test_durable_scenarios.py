"""The scenarios of `tests.contract.durable` on the local host's engine and Durable API."""

import pytest

from tests.contract.durable.hub import Activities, Hub, run
from tests.contract.durable.migration import Migration, orchestrators_of_a_migration
from tests.contract.durable.orchestrators import orchestrators
from tests.contract.durable.scenarios import SCENARIOS
from tests.localcloud.contract.functions_host.local_durable import LocalDurable


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    activities = Activities()
    durable = LocalDurable(tmp_path_factory.mktemp("hub"), orchestrators(), activities.named())
    yield Hub(durable.binding, activities)
    durable.stop()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_local_host_does_as_the_extension(hub, scenario):
    run(scenario, hub)


def test_a_migration_that_is_started_again_while_it_runs_does_everything_once(tmp_path):
    # Durable accepts starts at the same moment, and the one that comes last replaces what runs.
    migration = Migration([f"Table{number:02d}" for number in range(12)])
    durable = LocalDurable(tmp_path, orchestrators_of_a_migration(), migration.activities)
    migration.run_on(durable)
    migration.reach("passed", 6)
    migration.start()
    assert migration.result()["output"]["state"] == "succeeded"
    durable.stop()
    assert migration.states() == {"succeeded": 12}
    assert migration.exports.most_starts() == migration.copies.most_starts() == 1
    assert max(migration.databricks.loaded.values()) == 1
