import os
from contextlib import contextmanager
from unittest import mock

import pytest

from localcloud.cloud.processes import free_port
from localcloud.cloud.services import running_cloud
from tests.contract.notifications.server import serving
from tests.end_to_end.user import User

WEBHOOK_SECRET = "whsec_" + "bG9jYWwh" * 4


@contextmanager
def user_of_new_cloud(state_folder, **arguments):
    """Run a local cloud of one's own; further arguments by service."""
    arguments = {"aws": ["--export-seconds", "0.3"], **arguments}
    with running_cloud(state_folder, functions_port=free_port(), arguments=arguments) as cloud:
        yield User(cloud)


@pytest.fixture(scope="session")
def webhook():
    """What receives the notifications of the local cloud that most tests share."""
    with serving(200) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def user(tmp_path_factory, webhook):
    """A user of one local cloud that most tests share; each takes names of its own."""
    settings = {"D2C_WEBHOOK_URL": webhook.url, "D2C_WEBHOOK_SECRET": WEBHOOK_SECRET}
    # A host that a test starts again takes its settings from here too.
    with mock.patch.dict(os.environ, settings), user_of_new_cloud(tmp_path_factory.mktemp("cloud")) as user:
        yield user
