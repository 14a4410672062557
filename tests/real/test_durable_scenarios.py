"""The scenarios of `tests.contract.durable.scenarios` on Microsoft's own Durable extension."""

import json

import pytest

from localcloud.common.checkout import CHECKOUT
from tests.contract.durable.hub import Activities, Hub, run
from tests.contract.durable.orchestrators import orchestrators
from tests.contract.durable.scenarios import SCENARIOS
from tests.real.extension import PROGRAM, Azurite, ExtensionHost
from tests.real.tools import needs

pytestmark = needs(*PROGRAM)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    azurite, activities = Azurite(folder / "azurite"), Activities()
    settings = json.loads((CHECKOUT / "host.json").read_text())
    extension = ExtensionHost(folder, azurite, settings, orchestrators(), activities.named())
    yield Hub(json.dumps(extension.binding), activities)
    extension.stop()
    azurite.stop()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_extension_does_as_the_scenario_says(hub, scenario):
    run(scenario, hub)
