from concurrent.futures import ThreadPoolExecutor

import pytest

from d2c.clients.lake import Lake
from localcloud.processes import stop_service

from .test_lake import container, start


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    service = start(tmp_path_factory.mktemp("lake"))
    client = container(service)
    client.create_container()
    yield Lake(client)
    stop_service(service)


def test_a_log_that_many_append_to_at_once_keeps_every_entry_whole(lake):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: lake.append("log.jsonl", {"number": number}), range(40)))
    assert sorted(entry["number"] for entry in lake.read_log("log.jsonl")) == list(range(40))


def test_entries_stay_in_the_order_in_which_they_came(lake):
    for number in range(3):
        lake.append("ordered.jsonl", number)
    assert lake.read_log("ordered.jsonl") == [0, 1, 2]


def test_a_log_that_is_not_there_has_no_entries(lake):
    assert lake.read_log("none.jsonl") == []


def test_a_file_is_deleted_once_and_deleting_it_again_does_no_harm(lake):
    lake.write("mark.json", b"{}")
    lake.delete("mark.json")
    lake.delete("mark.json")
    assert lake.read("mark.json") is None
