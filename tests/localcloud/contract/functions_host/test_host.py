import base64
import contextlib
import json
import os
import re
import sqlite3

import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from localcloud.cloud.processes import ServiceFailedError, start_service, stop_service
from localcloud.functions_host import BLOBS_WRITTEN
from localcloud.functions_host.durable.binding import HOOK
from localcloud.functions_host.triggers.poison import QUEUE
from tests.contract.polling import HANG_SECONDS, wait_until
from tests.localcloud.contract.functions_host.conftest import Host


def test_activities_fan_out_and_their_results_come_back(host):
    links = host.start("fan", "fan-1", 10)
    assert links["id"] == "fan-1"
    assert host.ended("fan-1")["output"] == 90


def test_children_end_before_their_parent_and_the_status_shows(host):
    host.start("parent", "parent-1", 0)
    status = host.ended("parent-1")
    assert (status["output"], status["customStatus"]) == ([2, 6], {"children": 2})


def test_the_sdks_retries_wait_and_call_again(host):
    host.start("retries", "retries-1", 0)
    assert host.ended("retries-1")["output"] == "at last"
    assert host.noted().count("flaky retries-1") == 3


def test_an_activity_gets_the_durable_client_that_it_asks_for(host):
    host.start("asks", "asks-1", 0)
    assert host.ended("asks-1")["output"] == "Running"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("page", "page itself"),
        ("page/", "page "),
        ("page/app/main.js", "page app/main.js"),
        ("page/openapi.json", "{}"),
        ("page/two%0Alines", "page two\nlines"),
    ],
)
def test_a_catch_all_takes_what_no_function_of_an_earlier_name_does(host, path, text):
    assert host.http.get(f"/api/{path}").text == text


def test_a_failure_is_told_with_its_reason(host):
    host.start("fails", "fails-1", 0)
    status = host.ended("fails-1")
    assert status["runtimeStatus"] == "Failed"
    assert "as always" in status["output"]


def test_a_timer_fires_and_an_event_comes_before_it(host):
    host.start("race", "race-timer", 100)
    assert host.ended("race-timer")["output"] == "timer"
    host.start("race", "race-event", 60_000)
    assert host.http.post("/api/raise/race-event/go", json={"x": 1}).status_code == 202
    assert host.ended("race-event")["output"] == "event"


def test_continuing_as_new_keeps_the_history_small(host):
    host.start("counts_down", "down-1", 30)
    assert host.ended("down-1")["output"] == "done"
    history = host.http.get("/runtime/webhooks/durabletask/instances/down-1", params={"showHistory": "true"})
    assert len(history.json()["historyEvents"]) < 12


def test_what_is_suspended_waits_until_it_is_resumed(host):
    links = host.start("race", "pause-1", 60_000)
    host.http.post(links["suspendPostUri"])
    wait_until(lambda: host.status("pause-1")["runtimeStatus"] == "Suspended")
    host.http.post(links["sendEventPostUri"].replace("{eventName}", "go"), json=1)
    assert host.status("pause-1")["runtimeStatus"] == "Suspended"
    host.http.post(links["resumePostUri"])
    assert host.ended("pause-1")["output"] == "event"


def test_what_is_terminated_ends_with_the_reason_and_can_be_purged(host):
    links = host.start("race", "stop-1", 60_000)
    host.http.post(links["terminatePostUri"].replace("{text}", "enough"))
    status = host.ended("stop-1")
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "enough")
    assert host.http.post(links["terminatePostUri"]).status_code == 410
    assert host.http.delete(links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}
    assert host.http.get(links["statusQueryGetUri"]).status_code == 404


def test_a_second_start_under_the_id_of_a_running_instance_is_refused(host):
    host.start("race", "twice-1", 60_000)
    assert host.http.post("/api/start/race/twice-1", json=1).status_code == 500
    again = host.http.post("/runtime/webhooks/durabletask/orchestrators/race/twice-1", json=1)
    assert again.status_code == 409


def test_a_custom_status_over_the_limit_fails_as_on_azure(host):
    host.start("talks_too_much", "talk-1", 0)
    assert "must not exceed 16 KB" in host.ended("talk-1")["output"]


def test_the_status_of_nothing_is_nothing(host):
    assert host.http.get("/api/status/nothing").json() is None


def test_each_version_of_a_matching_blob_fires_once(host, storage):
    container = BlobServiceClient.from_connection_string(storage).get_container_client("box")
    container.upload_blob("in/a.txt", b"one", overwrite=True)
    container.upload_blob("in/a.json", b"other", overwrite=True)
    wait_until(lambda: "blob box/in/a.txt one" in host.noted())
    container.upload_blob("in/a.txt", b"two", overwrite=True)
    wait_until(lambda: "blob box/in/a.txt two" in host.noted())
    assert [line for line in host.noted() if "a.json" in line] == []


def test_a_name_in_a_blob_path_stands_for_slashes_too(host, storage):
    container = BlobServiceClient.from_connection_string(storage).get_container_client("box")
    container.upload_blob("a/b/c/summary.json", b"{}", overwrite=True)
    container.upload_blob("a/b/c/summary.json.md5", b"{}", overwrite=True)
    wait_until(lambda: "summary box/a/b/c/summary.json" in host.noted())
    assert [line for line in host.noted() if "md5" in line] == []


def test_an_event_whose_function_fails_five_times_lies_in_the_poison_queue(host, storage):
    container = BlobServiceClient.from_connection_string(storage).get_container_client("box")
    container.upload_blob("stubborn/mule", b"", overwrite=True)
    queue = QueueClient.from_connection_string(storage, QUEUE)
    (message,) = wait_until(lambda: messages_of(queue))
    event = json.loads(base64.b64decode(message.content))
    assert (event["FunctionId"], event["BlobName"]) == ("Host.Functions.on_stubborn", "stubborn/mule")
    assert host.noted().count("stubborn box/stubborn/mule") == 5


def messages_of(queue):
    try:
        return queue.peek_messages()
    except ResourceNotFoundError:
        return []


def test_what_is_kept_of_blobs_grows_with_them_and_not_with_looking(host, storage):
    def kept():
        connection = sqlite3.connect(host.state_folder / "functions.sqlite")
        return [blob for (blob,) in connection.execute("select blob from receipts where trigger='on_blob'")]

    container = BlobServiceClient.from_connection_string(storage).get_container_client("box")
    container.upload_blob("in/short.txt", b"one", overwrite=True)
    container.upload_blob("in/long.txt", b"two", overwrite=True)
    wait_until(lambda: {"in/short.txt", "in/long.txt"} <= set(kept()))
    container.delete_blob("in/short.txt")
    wait_until(lambda: "in/short.txt" not in kept())
    assert kept().count("in/long.txt") == 1
    container.upload_blob("in/short.txt", b"one", overwrite=True)
    wait_until(lambda: host.noted().count("blob box/in/short.txt one") == 2)
    assert host.noted().count("blob box/in/long.txt two") == 1


def test_an_event_that_comes_again_fires_again_and_one_of_a_blob_that_is_gone_does_not(host, storage):
    container = BlobServiceClient.from_connection_string(storage).get_container_client("box")
    etag = container.upload_blob("in/often.txt", b"one", overwrite=True).get_blob_properties().etag
    event = {"container": "box", "blob": "in/often.txt", "etag": etag}
    gone = {"container": "box", "blob": "in/gone.txt", "etag": etag}
    other = {"container": "elsewhere", "blob": "in/often.txt", "etag": etag}
    wait_until(lambda: "blob box/in/often.txt one" in host.noted())
    assert host.http.post(BLOBS_WRITTEN, json=[gone, other, *[event] * 3]).status_code == 204
    wait_until(lambda: host.noted().count("blob box/in/often.txt one") == 4)
    assert [line for line in host.noted() if "gone" in line] == []


def test_a_timer_fires_each_second_with_the_client_and_keys_guard_only_what_is_not_anonymous(
    tmp_path, storage
):
    host = Host(tmp_path, storage, schedule="* * * * * *", key="hush")
    try:
        wait_until(lambda: host.noted().count("timer False nothing") >= 2)
        assert host.http.get("/api/page/x").text == "page x"
        assert host.http.get("/api/page/secret").status_code == 401
        assert host.http.get("/api/page/secret", params={"code": "hush"}).text == "secret"
    finally:
        stop_service(host.service)


def test_a_schedule_that_is_none_is_refused_in_words(tmp_path, storage):
    with pytest.raises(ServiceFailedError, match="six fields"):
        Host(tmp_path, storage, schedule="*/5 * * * *")


def doubled(host):
    """Return what the activities noted, without what the functions for blobs did."""
    return [line for line in host.noted() if line.startswith("double")]


def started_again(host):
    """Kill a host whose activities have a limit once it is reached, and return the one that goes on without a limit."""
    limit = host.state_folder / "limit"
    wait_until(lambda: len(doubled(host)) == int(limit.read_text()))
    host.service.process.kill()
    host.service.process.wait()
    limit.unlink()
    return Host(host.state_folder, host.storage, port=int(re.sub(r".*:", "", host.service.url)))


@pytest.mark.parametrize("limit", [1, 20])
def test_a_killed_host_goes_on_where_it_was(tmp_path, storage, limit):
    (tmp_path / "limit").write_text(str(limit))
    first = Host(tmp_path, storage)
    first.start("fan", "fan-1", 60)
    second = started_again(first)
    try:
        assert second.ended("fan-1")["output"] == 60 * 59
        assert {f"double {n}" for n in range(60)} <= set(second.noted())
    finally:
        stop_service(second.service)


def test_a_host_killed_while_two_hundred_run_loses_and_doubles_nothing(tmp_path, storage):
    (tmp_path / "limit").write_text("300")
    first = Host(tmp_path, storage)
    for number in range(200):
        first.start("fan_later", f"fan-{number}", 3)
    second = started_again(first)
    try:
        for number in range(200):
            assert second.ended(f"fan-{number}")["output"] == 6
        started = second.http.get(f"{HOOK}/instances?top=1000").json()
        assert len(started) == 400
        for child in [status["instanceId"] for status in started if status["name"] == "fan"][::20]:
            assert tasks_that_ended(second, child) == [0, 1, 2]
        # What was under way when it died runs again, and nothing else.
        assert 601 <= len(doubled(second)) <= 600 + 10 * (os.cpu_count() or 1)
    finally:
        stop_service(second.service)


def tasks_that_ended(host, instance):
    status = host.http.get(f"{HOOK}/instances/{instance}", params={"showHistory": "true"}).json()
    return sorted(event["TaskScheduledId"] for event in status["historyEvents"] if event["EventType"] == 5)


def test_a_host_that_was_asked_to_dies_once_after_an_activity_and_runs_it_again(tmp_path, storage):
    first = Host(tmp_path, storage, arguments=["--crash-after", "double"])
    # It may die before it has answered.
    with contextlib.suppress(httpx.RemoteProtocolError):
        first.start("fan", "fan-1", 1)
    assert first.service.process.wait(HANG_SECONDS) == 137
    assert doubled(first) == ["double 0"]
    second = Host(tmp_path, storage, arguments=["--crash-after", "double"])
    try:
        assert second.ended("fan-1")["output"] == 0
        assert doubled(second) == ["double 0", "double 0"]
    finally:
        stop_service(second.service)


def test_an_app_that_cannot_run_is_refused_in_words(tmp_path):
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "function_app.py").write_text("apps = 0\n")
    with pytest.raises(ServiceFailedError, match="holds 0 function apps"):
        start_service("functions_host", tmp_path / "state", arguments=["--app", str(tmp_path)])
