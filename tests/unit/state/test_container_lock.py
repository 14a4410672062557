import json

import pytest

from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError, TransientError
from d2c.state.container_lock import keep_record, parse_lock, release_container, take_container
from tests.unit.file_system import SubstituteFileSystem

PATH = "containers/account/shop/music.json"
PAYLOAD = {"migration": "m", "table": "Music", "operation": 0, "database": "shop", "container": "music"}


@pytest.fixture
def lake():
    return Lake(SubstituteFileSystem())


def test_a_lock_that_is_deleted_right_after_it_was_found_is_asked_for_again(lake):
    lake.create_version = lambda path, content: None
    with pytest.raises(TransientError, match="is being released"):
        take_container(lake, PATH, PAYLOAD)


def test_a_lock_whose_throughput_is_being_put_back_is_asked_for_again(lake):
    lake.write_json(PATH, {**PAYLOAD, "table": "Orders", "being_put_back": True})
    with pytest.raises(TransientError, match="is being released"):
        take_container(lake, PATH, PAYLOAD)


def test_of_two_that_change_a_lock_at_once_one_is_told_to_come_again(lake):
    record, version = take_container(lake, PATH, PAYLOAD)
    lake.replace = lambda path, content, version: None
    with pytest.raises(TransientError, match="is being released"):
        keep_record(lake, PATH, record, version)


@pytest.mark.parametrize("content", [{}, [], None, {**PAYLOAD, "operation": "0"}, {**PAYLOAD, "table": None}])
def test_what_is_no_lock_is_refused_with_its_path_and_stays(lake, content):
    lake.write(PATH, json.dumps(content).encode())
    for act in (take_container, release_container):
        with pytest.raises(PermanentError, match=PATH):
            act(lake, PATH, PAYLOAD)
    assert lake.exists(PATH)
    with pytest.raises(PermanentError, match=PATH):
        parse_lock(content, PATH)
