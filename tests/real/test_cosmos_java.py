"""Microsoft's Cosmos DB SDK for Java, the engine inside the Spark connector, on the local Cosmos DB."""

import pytest

from localcloud.common.certificates import make_certificates
from tests.localcloud.contract.cosmos_account import KEY, CosmosAccount
from tests.real.java_trials import run_trials, trial_names
from tests.real.tools import needs

pytestmark = [needs("mvn"), needs("javac")]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    account = CosmosAccount(
        tmp_path_factory.mktemp("cosmos"),
        environment=certificates.server_environment(),
        authority=str(certificates.authority),
    )
    try:
        return run_trials(account.url, KEY, certificates.java_options())
    finally:
        account.stop()


@pytest.mark.parametrize("name", trial_names())
def test_the_sdk_gets_what_it_asks_for(outcomes, name):
    assert outcomes[name] == {"name": name, "ok": True, "detail": ""}
