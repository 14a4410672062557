import re

import pytest
from azure.storage.blob import BlobServiceClient

from localcloud.processes import ServiceFailedError, start_service, stop_service
from tests.contract.localcloud_functions_host.conftest import Host
from tests.contract.polling import wait_until


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
    assert "custom status" in host.ended("talk-1")["output"]


def test_an_unknown_orchestrator_is_refused_by_name(host):
    answer = host.http.post("/runtime/webhooks/durabletask/orchestrators/nobody", json=1)
    assert answer.status_code == 400
    assert "nobody" in answer.json()["ExceptionMessage"]


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


@pytest.mark.parametrize("kill_after", [1, 20])
def test_a_killed_host_goes_on_where_it_was(tmp_path, storage, kill_after):
    first = Host(tmp_path, storage)
    first.start("fan", "fan-1", 60)
    wait_until(lambda: len(first.noted()) >= kill_after, interval_seconds=0.001)
    first.service.process.kill()
    first.service.process.wait()
    second = Host(tmp_path, storage, port=int(re.sub(r".*:", "", first.service.url)))
    try:
        assert second.ended("fan-1")["output"] == 60 * 59
        assert {f"double {n}" for n in range(60)} <= set(second.noted())
    finally:
        stop_service(second.service)


def test_a_host_that_was_asked_to_dies_once_after_an_activity_and_runs_it_again(tmp_path, storage):
    def doubled(host):
        return [line for line in host.noted() if line.startswith("double")]

    first = Host(tmp_path, storage, arguments=["--crash-after", "double"])
    first.start("fan", "fan-1", 1)
    assert first.service.process.wait(30) == 137
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
