import os
from unittest import mock

import pytest

from localcloud.cloud.services import running_cloud
from localcloud.common.ports import free_port
from tests.contract.notifications.server import serving
from tests.end_to_end.user import User

WEBHOOK_SECRET = "whsec_" + "bG9jYWwh" * 4


@pytest.fixture(scope="session")
def webhook():
    """What receives the notifications of the local cloud."""
    with serving(200) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def user(tmp_path_factory, webhook):
    """A user of the one local cloud of all tests; each takes names of its own."""
    settings = {"D2C_WEBHOOK_URL": webhook.url, "D2C_WEBHOOK_SECRET": WEBHOOK_SECRET}
    folder = tmp_path_factory.mktemp("cloud")
    # All tests together update throughput more often than an account allows.
    arguments = {"aws": ["--export-seconds", "0.3"], "management": ["--throughput-updates", "10000"]}
    # A host that a test starts again takes its settings from here too.
    with (
        mock.patch.dict(os.environ, settings),
        running_cloud(folder, functions_port=free_port(), arguments=arguments) as cloud,
    ):
        yield User(cloud)
