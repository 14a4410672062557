from datetime import UTC, datetime, timedelta

import pytest
from azure.mgmt.datafactory import DataFactoryManagementClient

from d2c.clients.azure.data_factory import DataFactory, PipelineRun
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.management import management_client, refusal
from tests.unit.clients.outside import SIGNATURE

FACTORY = "/subscriptions/x/resourceGroups/group/providers/Microsoft.DataFactory/factories/factory"
SINCE = datetime(2026, 6, 1, 12, tzinfo=UTC)


def data_factory(*answers):
    service = StubService(*answers)
    return DataFactory(management_client(DataFactoryManagementClient, service), "group", "factory"), service


def runs(*entries, following=None):
    value = [{"runId": run_id, "parameters": parameters} for run_id, parameters in entries]
    return Answer(200, {"value": value, **({"continuationToken": following} if following else {})})


PIPELINES = ["copy_export", "copy_export_session"]


class TestFindRun:
    def test_a_run_is_found_by_its_run_key_on_a_later_page(self):
        here, service = data_factory(
            runs(("r1", {"runKey": "other"}), ("r2", None), ("r3", {"bucket": "mine"}), following="more"),
            runs(("r4", {"runKey": "mine"})),
        )
        assert here.find_run(PIPELINES, "mine", since=SINCE) == "r4"
        first, second = (call.json for call in service.calls)
        assert first["filters"] == [{"operand": "PipelineName", "operator": "In", "values": PIPELINES}]
        assert "continuationToken" not in first
        assert second == {**first, "continuationToken": "more"}

    def test_no_run_is_found_once_every_page_was_seen(self):
        here, service = data_factory(runs(("r1", {"runKey": "other"}), following="more"), runs())
        assert here.find_run(PIPELINES, "mine", since=SINCE) is None
        assert len(service.calls) == 2

    def test_the_window_allows_for_clocks_that_differ_and_runs_that_take_days(self):
        here, service = data_factory(runs())
        here.find_run(PIPELINES, "mine", since=SINCE)
        asked = service.calls[0].json
        assert datetime.fromisoformat(asked["lastUpdatedAfter"]) < SINCE - timedelta(minutes=5)
        assert datetime.fromisoformat(asked["lastUpdatedBefore"]) > SINCE + timedelta(days=7)


def test_runs_that_have_not_ended_are_asked_for_on_all_pages_and_told_with_their_run_keys():
    here, service = data_factory(
        runs(("r1", {"runKey": "mine"}), ("r2", None), following="more"), runs(("r3", {"runKey": "other"}))
    )
    assert here.active_runs(PIPELINES, since=SINCE) == {"r1": "mine", "r2": "", "r3": "other"}
    asked = service.calls[0].json
    assert asked["filters"][1:] == [
        {"operand": "Status", "operator": "In", "values": ["Queued", "InProgress", "Canceling"]}
    ]
    assert datetime.fromisoformat(asked["lastUpdatedBefore"]) > datetime.now(UTC)
    assert len(service.calls) == 2


def test_a_run_is_started_with_the_bare_parameters():
    here, service = data_factory(Answer(200, {"runId": "r1"}))
    assert here.start_run("copy_export", {"runKey": "k", "bucket": "b"}) == "r1"
    (call,) = service.calls
    assert (call.method, call.path) == ("POST", f"{FACTORY}/pipelines/copy_export/createRun")
    assert call.json == {"runKey": "k", "bucket": "b"}


@pytest.mark.parametrize("message", ["it broke", None])
def test_a_run_has_a_status_and_perhaps_a_message(message):
    here, service = data_factory(Answer(200, {"runId": "r1", "status": "Failed", "message": message}))
    assert here.get_run("r1") == PipelineRun("Failed", message or "")
    assert service.calls[0].path == f"{FACTORY}/pipelineruns/r1"


def activity(name, output=None, error=None):
    return {"activityName": name, "activityType": "Copy", "status": "x", "output": output, "error": error}


def test_progress_is_the_sum_of_the_copies_whose_fields_may_be_missing():
    no_error = {"errorCode": "", "message": "", "failureType": "", "target": "copy_data"}
    here, service = data_factory(
        Answer(
            200,
            {
                "value": [
                    activity("copy_data", {"filesWritten": 3, "dataWritten": 300}, no_error),
                    activity("copy_manifests", {"dataRead": 5}),
                    activity("copy_summary"),
                ]
            },
        )
    )
    progress = here.get_copy_progress("r1", since=SINCE)
    assert (progress.files, progress.size_bytes, progress.error) == (3, 300, "")
    assert service.calls[0].path.lower() == f"{FACTORY}/pipelineruns/r1/queryactivityruns".lower()


def test_the_first_error_is_told_with_its_activity():
    error = {"errorCode": "2200", "message": "S3 said no", "failureType": "UserError"}
    runs_of_activities = {"value": [activity("copy_data", {}, error), activity("copy_summary", None, error)]}
    here, _ = data_factory(Answer(200, runs_of_activities))
    assert here.get_copy_progress("r1", since=SINCE).error == "copy_data: S3 said no"


def test_a_try_that_failed_counts_no_more_once_another_followed():
    error = {"errorCode": "2200", "message": "S3 said no", "failureType": "UserError"}
    first = activity("copy_data", {"filesWritten": 2, "dataWritten": 200}, error)
    second = activity("copy_data", {"filesWritten": 3, "dataWritten": 300})
    first["activityRunStart"], second["activityRunStart"] = "2026-06-01T12:00:00Z", "2026-06-01T12:01:00Z"
    here, _ = data_factory(Answer(200, {"value": [second, first]}))
    progress = here.get_copy_progress("r1", since=SINCE)
    assert (progress.files, progress.size_bytes, progress.error) == (3, 300, "")


def test_a_condition_around_a_copy_is_none():
    error = {"errorCode": "ActionFailed", "message": "an inner activity failed", "failureType": "UserError"}
    around = {**activity("if", {}, error), "activityType": "IfCondition"}
    inner = activity("copy_data", {}, {**error, "message": "S3 said no"})
    here, _ = data_factory(Answer(200, {"value": [around, inner]}))
    assert here.get_copy_progress("r1", since=SINCE).error == "copy_data: S3 said no"


@pytest.mark.parametrize("answer", [Answer(200, {"value": []}), Answer(404, refusal("PipelineRunNotFound"))])
def test_the_progress_of_a_run_that_does_not_exist_shows_that_it_may_be_read(answer):
    here, service = data_factory(answer)
    here.check_progress_access()
    assert "/pipelineruns/00000000-" in service.calls[0].path


def test_the_progress_that_may_not_be_read_is_told():
    here, _ = data_factory(Answer(403, refusal("AuthorizationFailed")))
    with pytest.raises(PermanentError, match="Activity runs in data factory"):
        here.check_progress_access()


def test_cancelling_asks_for_the_run_to_stop():
    here, service = data_factory(Answer(200))
    here.cancel_run("r1")
    (call,) = service.calls
    assert (call.method, call.path) == ("POST", f"{FACTORY}/pipelineruns/r1/cancel")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(403, refusal("AuthorizationFailed")), PermanentError, "docs/install/permissions.md"),
        (Answer(404, refusal("ResourceNotFound")), PermanentError, "Check the name"),
        (Answer(429, refusal("TooManyRequests")), TransientError, "Retrying"),
        (Answer(500, refusal("InternalError")), TransientError, "Retrying"),
    ],
)
@pytest.mark.parametrize(
    ("call", "thing"),
    [
        (lambda here: here.find_run(PIPELINES, "k", since=SINCE), "pipeline copy_export"),
        (lambda here: here.start_run("copy_export", {}), "Pipeline copy_export"),
        (lambda here: here.get_run("r1"), "Copy run r1"),
        (lambda here: here.get_copy_progress("r1", since=SINCE), "Copy run r1"),
        (lambda here: here.cancel_run("r1"), "Copy run r1"),
    ],
)
def test_what_data_factory_refuses_is_told_with_the_thing_and_what_to_do(answer, kind, words, call, thing):
    here, _ = data_factory(answer)
    error = error_of(lambda: call(here))
    assert type(error) is kind
    assert thing in error.detail
    assert "data factory factory" in error.detail
    assert words in error.next_step
    assert SIGNATURE not in str(error)
