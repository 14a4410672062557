import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from d2c.errors import PermanentError
from tests.contract.polling import wait_until
from tests.localcloud.contract.management.conftest import SUMMARY, Management, copy_parameters
from tests.localcloud.contract.management.holding import holding

ORDER = ["CopyFiles", "IfThisIsTheLastPart", "CopySummary"]
NOW = datetime.now(UTC)


@pytest.mark.parametrize("folder", ["p/whole", "gr\u00fcn \U0001f600/a+b c/[x]{y}*%2F"])
def test_a_copied_export_is_the_source_byte_for_byte_without_the_mark_of_its_start(
    management, around, folder
):
    files = around.put_export(folder)
    run = management.ended(management.start_copy("whole", folder))
    assert (run.status, run.message) == ("Succeeded", "")
    del files["_started"]
    assert around.copied(f"copied/{folder}").keys() == files.keys()
    for path, content in files.items():
        assert around.files.download_blob(f"copied/{folder}/{path}").readall() == content


def peak_memory_bytes(management):
    status = Path(f"/proc/{management.service.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process's peak memory is read in /proc")
def test_a_file_of_many_blocks_arrives_whole_and_never_stands_in_memory(management, around):
    around.put_export("p/warm")
    management.ended(management.start_copy("warm", "p/warm"))
    before = peak_memory_bytes(management)
    content = os.urandom(2**20) * 100
    around.put_export("p/large", **{"data/large.json.gz": content})
    run_id = management.start_copy("large", "p/large")
    assert management.ended(run_id).status == "Succeeded"
    assert peak_memory_bytes(management) - before < len(content) / 3
    copied = around.files.download_blob("copied/p/large/data/large.json.gz").readall()
    assert hashlib.sha256(copied).digest() == hashlib.sha256(content).digest()
    progress = management.factory.get_copy_progress(run_id, since=NOW)
    assert (progress.files, progress.error) == (8, "")
    assert progress.size_bytes > len(content)


def test_bytes_are_counted_while_a_file_is_under_way(tmp_path, around):
    large = "data/0-large.json.gz"
    around.put_export("p/growing", **{large: bytes(2**20) * 16})
    with holding(around.aws.url, large) as (s3_url, go_on):
        management = Management(tmp_path, around, s3_url=s3_url)
        try:
            run_id = management.start_copy("growing", "p/growing")

            def counted():
                progress = management.factory.get_copy_progress(run_id, since=NOW)
                return (progress.files, progress.size_bytes)

            wait_until(lambda: counted()[1] > 0)
            files, size = counted()
            assert files == 0
            assert 0 < size <= 8 * 2**20
            go_on.set()
            assert management.ended(run_id).status == "Succeeded"
            assert counted()[0] == 8
            assert counted()[1] > 16 * 2**20
        finally:
            management.stop()


def test_the_summary_is_copied_after_everything_else(management, around):
    around.put_export("p/order")
    run_id = management.start_copy("order", "p/order")
    assert management.ended(run_id).status == "Succeeded"
    runs = management.activity_runs(run_id)
    assert [run["activityName"] for run in runs] == ORDER
    files, condition, summary = runs
    assert files["activityRunEnd"] <= condition["activityRunStart"] <= summary["activityRunStart"]
    written = around.copied("copied/p/order")
    assert written[SUMMARY] == max(written.values())


def test_an_activity_run_tells_what_it_copied(management, around):
    around.put_export("p/told")
    run_id = management.start_copy("told", "p/told")
    management.ended(run_id)
    first = management.activity_runs(run_id)[0]
    output = first["output"]
    assert (output["filesRead"], output["filesWritten"]) == (6, 6)
    assert output["dataRead"] == output["dataWritten"] == 1000 + 12800 + 3 + 5 + 7
    assert output["usedDataIntegrationUnits"] == 4
    assert output["billingReference"]["activityType"] == "DataMovement"
    assert output["dataConsistencyVerification"]["VerificationResult"] == "Verified"
    assert first["error"] == {
        "errorCode": "",
        "message": "",
        "failureType": "",
        "target": "CopyFiles",
    }
    assert first["userProperties"]["Source"] == "s3://exports/p/told.lists/1.txt"


@pytest.mark.parametrize(
    ("folder", "bucket", "words"),
    [
        ("p/nowhere", "no-such-bucket", "(404) Not Found"),
        ("p/nothing", "exports", "(404) Not Found"),
    ],
)
def test_what_is_not_in_s3_makes_the_run_fail_and_say_so(management, folder, bucket, words):
    run_id = management.start_copy("missing", folder, bucket)
    run = management.ended(run_id)
    assert run.status == "Failed"
    assert run.message.startswith(
        "Operation on target CopyFiles failed: ErrorCode=UserErrorFailedFileOperation"
    )
    assert words in run.message
    assert words in management.factory.get_copy_progress(run_id, since=NOW).error
    tries = management.activity_runs(run_id)
    assert [(each["activityName"], each["retryAttempt"]) for each in tries] == [
        ("CopyFiles", None),
        ("CopyFiles", 1),
        ("CopyFiles", 2),
    ]
    assert tries[0]["error"]["failureType"] == "UserError"


def test_a_part_is_copied_without_the_summary_and_the_last_one_with_it(management, around):
    files = around.put_export("p/parts")
    first = "data/aaa.json.gz"
    around.put_list("p/parts", first)
    parameters = {**copy_parameters("parts 1", "p/parts"), "isLastPart": False}
    run_id = management.factory.start_run("copy_export", parameters)
    assert management.ended(run_id).status == "Succeeded"
    assert [run["activityName"] for run in management.activity_runs(run_id)] == ORDER[:2]
    written = around.copied("copied/p/parts")
    assert written.keys() == {first}
    around.put_list("p/parts", *(path for path in files if path not in ("_started", SUMMARY, first)))
    last = management.factory.start_run("copy_export", copy_parameters("parts 2", "p/parts"))
    assert management.ended(last).status == "Succeeded"
    copied = around.copied("copied/p/parts")
    assert copied.keys() == files.keys() - {"_started"}
    assert copied[first] == written[first], "what is not in the list is not copied"


def test_a_list_that_names_what_is_not_there_fails_the_run(management, around):
    around.put_export("p/gone")
    around.put_list("p/gone", "data/aaa.json.gz", "data/gone.json.gz")
    run_id = management.start_copy("gone", "p/gone")
    assert management.ended(run_id).status == "Failed"
    assert "(404) Not Found" in management.factory.get_copy_progress(run_id, since=NOW).error
    assert around.copied("copied/p/gone").keys() == {"data/aaa.json.gz"}


def test_a_run_takes_the_units_that_it_is_given(management, around):
    around.put_export("p/units")
    given = {"dataIntegrationUnits": 16, "parallelCopies": 4}
    run_id = management.factory.start_run("copy_export", {**copy_parameters("units", "p/units"), **given})
    assert management.ended(run_id).status == "Succeeded"
    files, _, summary = management.activity_runs(run_id)
    assert files["output"]["usedDataIntegrationUnits"] == 16
    assert summary["output"]["usedDataIntegrationUnits"] == 2


def test_a_missing_file_system_is_told_with_its_name(management, around):
    around.put_export("p/no-lake")
    parameters = copy_parameters("no-lake", "p/no-lake") | {"fileSystem": "nowhere"}
    run = management.ended(management.factory.start_run("copy_export", parameters))
    assert run.status == "Failed"
    for words in ("FileSystem: 'nowhere'", "Path: 'copied/p/no-lake'", "'ContainerNotFound'"):
        assert words in run.message


def test_a_copy_that_fails_for_once_is_tried_again_and_counted_once(management, around):
    around.put_export("p/again")
    management.set_faults({"operation": "CopyFile", "message": "the disk is tired", "count": 1})
    run_id = management.start_copy("again", "p/again")
    assert management.ended(run_id).status == "Succeeded"
    tries = [run for run in management.activity_runs(run_id) if run["activityName"] == "CopyFiles"]
    assert [each["status"] for each in tries] == ["Failed", "Succeeded"]
    assert "the disk is tired" in tries[0]["error"]["message"]
    progress = management.factory.get_copy_progress(run_id, since=NOW)
    assert (progress.files, progress.error) == (7, "")


def test_a_run_is_found_by_its_key_though_many_others_came_after_it(management, around):
    around.put_export("p/key")
    since = datetime.now(UTC)
    wanted = management.start_copy("the wanted one", "p/key")
    others = [management.start_copy(f"other {n}", "p/nothing-here") for n in range(205)]
    find = management.factory.find_run
    assert find(["copy_export"], "the wanted one", since=since) == wanted
    assert find(["copy_export"], "other 204", since=since) == others[204]
    assert find(["copy_export"], "nobody's", since=since) is None
    assert find(["copy_export"], "the wanted one", since=since - timedelta(days=9)) == wanted
    assert find(["copy_export"], "the wanted one", since=since + timedelta(days=1)) is None
    for run_id in others:
        management.ended(run_id)


def test_a_run_cancelled_in_the_middle_ends_and_leaves_no_commit_mark(slow, around):
    around.put_export("p/cancelled")
    run_id = slow.start_copy("cancelled", "p/cancelled")
    wait_until(lambda: slow.factory.get_copy_progress(run_id, since=NOW).files >= 1)
    assert slow.factory.get_run(run_id).status == "InProgress"
    slow.factory.cancel_run(run_id)
    assert slow.factory.get_run(run_id).status in ("Canceling", "Cancelled")
    assert slow.ended(run_id).status == "Cancelled"
    assert [run["status"] for run in slow.activity_runs(run_id)] == ["Cancelled"]
    assert "data/aaa.json.gz" in around.copied("copied/p/cancelled")
    assert "data/empty.json.gz" not in around.copied("copied/p/cancelled")
    slow.factory.cancel_run(run_id)
    assert slow.factory.get_run(run_id).status == "Cancelled"


def test_a_run_whose_process_was_killed_in_the_middle_goes_on_at_the_next_start(tmp_path, around):
    files = around.put_export("p/killed")
    dying = Management(tmp_path, around, "--copy-seconds-per-file=0.3")
    try:
        run_id = dying.start_copy("killed", "p/killed")
        wait_until(lambda: dying.activity_runs(run_id)[-1]["activityName"] == "CopySummary")
        before = around.copied("copied/p/killed")
        dying.kill()
        dying.start()
        assert dying.ended(run_id).status == "Succeeded"
        after = around.copied("copied/p/killed")
        assert after.keys() == files.keys() - {"_started"}
        assert after["data/aaa.json.gz"] == before["data/aaa.json.gz"], "what was copied is not copied again"
        assert [run["activityName"] for run in dying.activity_runs(run_id)] == ORDER
        assert dying.factory.find_run(["copy_export"], "killed", since=NOW) == run_id
    finally:
        dying.stop()


def test_more_runs_than_the_factory_takes_at_once_wait_and_can_be_cancelled_while_they_do(tmp_path, around):
    around.put_export("p/many")
    busy = Management(tmp_path, around, "--copy-seconds-per-file=60")
    try:
        runs = [busy.start_copy(f"many {n}", "p/many") for n in range(9)]
        assert busy.factory.get_run(runs[-1]).status == "Queued"
        for run_id in reversed(runs):
            busy.factory.cancel_run(run_id)
            assert busy.ended(run_id).status == "Cancelled"
    finally:
        busy.stop()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bucket": None}, "The value for the parameter 'bucket' is not provided."),
        ({"surplus": "x"}, "The parameter 'surplus' is not declared."),
        ({"bucket": 7}, "The value for the parameter 'bucket' is not of type String."),
    ],
)
def test_parameters_other_than_the_pipelines_are_refused(management, changes, words):
    parameters = {
        name: value for name, value in (copy_parameters("k", "f") | changes).items() if value is not None
    }
    with pytest.raises(PermanentError, match="ErrorCode=InvalidTemplate") as refused:
        management.factory.start_run("copy_export", parameters)
    assert words in refused.value.detail


def test_an_unknown_pipeline_and_an_unknown_run_are_not_found(management):
    with pytest.raises(PermanentError, match="'copy_nothing' was not found"):
        management.factory.start_run("copy_nothing", {})
    with pytest.raises(PermanentError, match="no pipeline run with the id 0000"):
        management.factory.get_run("0000")
    with pytest.raises(PermanentError, match="no pipeline run with the id 0000"):
        management.factory.cancel_run("0000")
