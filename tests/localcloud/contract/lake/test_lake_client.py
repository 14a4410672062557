import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError
from d2c.state.container_lock import take_container
from localcloud.cloud.processes import stop_service

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
        lake.append("ordered.jsonl", {"number": number})
    assert [entry["number"] for entry in lake.read_log("ordered.jsonl")] == [0, 1, 2]


def test_a_log_that_is_not_there_has_no_entries(lake):
    assert lake.read_log("none.jsonl") == []


def test_a_log_that_was_created_empty_is_appended_to_and_creating_it_again_does_no_harm(lake):
    for number in range(2):
        lake.create_log("created.jsonl")
        assert len(lake.read_log("created.jsonl")) == number
        lake.append("created.jsonl", {"number": number})
    assert lake.read_log("created.jsonl") == [{"number": 0}, {"number": 1}]


def test_a_file_that_was_written_whole_is_no_log(lake):
    lake.create("whole.jsonl", b"")
    with pytest.raises(PermanentError):
        lake.append("whole.jsonl", {})


def test_a_file_is_deleted_once_and_deleting_it_again_does_no_harm(lake):
    lake.write("mark.json", b"{}")
    lake.delete("mark.json")
    lake.delete("mark.json")
    assert lake.read("mark.json") is None


def test_of_many_who_replace_a_version_one_does_and_a_deletion_of_another_version_does_nothing(lake):
    assert lake.create("versioned.json", b'{"by": null}')
    value, version = lake.read_version("versioned.json")
    assert value == {"by": None}

    def replace(number):
        return lake.replace("versioned.json", json.dumps({"by": number}).encode(), version)

    with ThreadPoolExecutor(8) as threads:
        written = [new for new in threads.map(replace, range(8)) if new]
    lake.delete("versioned.json", version)
    assert [lake.read_version("versioned.json")[1]] == written
    lake.delete("versioned.json", written[0])
    assert lake.read_version("versioned.json") is None
    assert lake.replace("versioned.json", b"{}", written[0]) is None


def test_of_many_migrations_that_take_a_container_at_once_one_gets_it(lake):
    tables = [
        {"migration": f"m-{number}", "table": "T", "operation": 0, "database": "d", "container": "c"}
        for number in range(8)
    ]

    def take(table):
        try:
            return take_container(lake, "containers/a/d/c.json", table)[0]["migration"]
        except PermanentError:
            return None

    with ThreadPoolExecutor(8) as threads:
        (winner,) = filter(None, threads.map(take, tables))
    assert lake.read_json("containers/a/d/c.json")["migration"] == winner
