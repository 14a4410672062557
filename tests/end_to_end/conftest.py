from contextlib import contextmanager

import pytest

from localcloud.cloud import running_cloud
from localcloud.processes import free_port
from tests.end_to_end.user import User


@contextmanager
def user_of_new_cloud(state_folder, **arguments):
    """Run a local cloud of one's own; further arguments by service."""
    arguments = {"aws": ["--export-seconds", "0.3"], **arguments}
    with running_cloud(state_folder, functions_port=free_port(), arguments=arguments) as cloud:
        yield User(cloud)


@pytest.fixture(scope="session")
def user(tmp_path_factory):
    """A user of one local cloud that most tests share; each takes names of its own."""
    with user_of_new_cloud(tmp_path_factory.mktemp("cloud")) as user:
        yield user
