"""Copy runs whose credentials come with them."""

from datetime import UTC, datetime

import httpx
import pytest

from localcloud.data_factory.runs.store import MASK
from tests.contract.polling import wait_until
from tests.localcloud.contract.management.conftest import factory_path, session_parameters

EXPIRED = {
    "operation": "GetObject",
    "status": 400,
    "code": "ExpiredToken",
    "message": "The provided token has expired.",
    "count": 100,
}
NOW = datetime.now(UTC)
PIPELINE = "copy_export_session"
SECRETS = ("awsSecretAccessKey", "awsSessionToken")


def everything_shown(management, run_id):
    """Return all that the API tells of a run, as text."""
    one = management.http.get(f"{factory_path()}/pipelineruns/{run_id}?api-version=2018-06-01")
    window = {"lastUpdatedAfter": "2020-01-01T00:00:00Z", "lastUpdatedBefore": "2100-01-01T00:00:00Z"}
    all_runs = management.http.post(f"{factory_path()}/queryPipelineRuns?api-version=2018-06-01", json=window)
    return one.text + all_runs.text + str(management.activity_runs(run_id))


def test_an_export_is_copied_with_the_runs_own_credentials_and_nobody_is_shown_them(management, around):
    files = around.put_export("p/session")
    parameters = session_parameters("with a session", "p/session")
    run_id = management.factory.start_run(PIPELINE, parameters)
    assert management.ended(run_id).status == "Succeeded"
    assert around.copied("copied/p/session").keys() == files.keys() - {"_started"}
    shown = everything_shown(management, run_id)
    assert MASK in shown
    kept = [path.read_bytes() for path in management._folder.rglob("*") if path.suffix == ".log"]
    for name in SECRETS:
        assert parameters[name] not in shown
        assert not [content for content in kept if parameters[name].encode() in content]


def test_a_run_with_hidden_parameters_is_found_by_its_key(management, around):
    around.put_export("p/hidden")
    run_id = management.factory.start_run(PIPELINE, session_parameters("hidden one", "p/hidden"))
    pipelines = ["copy_export", PIPELINE]
    assert management.factory.find_run(pipelines, "hidden one", since=NOW) == run_id
    management.ended(run_id)


@pytest.mark.parametrize(
    ("folder", "seconds", "words"),
    [
        ("p/ended", -1, "Message=The provided token has expired."),
        ("p/ended", -1, "(400) Bad Request"),
        ("p/other", 900, "no session policy allows the s3:GetObject action"),
        ("p/other", 900, "(403) Forbidden"),
    ],
)
def test_a_run_whose_session_has_ended_or_is_for_another_export_fails_and_says_so(
    management, around, folder, seconds, words
):
    around.put_export(folder)
    parameters = session_parameters(f"fails in {folder}", "p/ended", seconds)
    run_id = management.factory.start_run(
        PIPELINE, {**parameters, "exportFolder": folder, "lakeFolder": f"copied/{folder}"}
    )
    assert management.ended(run_id).status == "Failed"
    assert words in management.factory.get_copy_progress(run_id, since=NOW).error
    assert not around.copied(f"copied/{folder}")


def test_a_run_that_outlives_its_session_fails_keeps_what_it_copied_and_another_one_copies_the_rest(
    slow, around
):
    files = around.put_export("p/outlived")
    run_id = slow.factory.start_run(PIPELINE, session_parameters("outlived", "p/outlived"))
    wait_until(lambda: slow.factory.get_copy_progress(run_id, since=NOW).files >= 1)
    faults = f"{around.aws.url}/_localcloud/faults"
    httpx.post(faults, json=[EXPIRED])
    try:
        assert slow.ended(run_id).status == "Failed"
    finally:
        httpx.delete(faults)
    assert "The provided token has expired." in slow.factory.get_copy_progress(run_id, since=NOW).error
    left = around.copied("copied/p/outlived")
    assert "data/aaa.json.gz" in left
    assert "data/empty.json.gz" not in left
    another = slow.factory.start_run(PIPELINE, session_parameters("outlived again", "p/outlived"))
    assert slow.ended(another).status == "Succeeded"
    assert around.copied("copied/p/outlived").keys() == files.keys() - {"_started"}
