import json
import logging
from datetime import UTC, datetime

import pytest

from activities.copy import look_at_copy, start_copy, stop_copy
from activities.copy_lane.runs import stop_copies_of
from d2c.clients.aws.copy_session import copy_session_policy
from d2c.clients.azure.data_factory import CopyProgress, PipelineRun
from d2c.errors import TransientError
from d2c.state.ids import run_key
from tests.builders import EXPORT_ID, EXPORT_TIME, REGION, a_table, an_export, an_operation
from tests.unit.app.test_aws_settings import ONE, ROLE, ROLE_OF_TWO, TWO, WITH_ROLES
from tests.unit.clients.settings import local_settings

from .answers import error_of, value_of
from .fakes import SubstituteClients

ID = EXPORT_ID
S3_FOLDER = f"d2c/m/Music/AWSDynamoDB/{ID}"
LAKE_FOLDER = f"exports/m/Music/{ID}"
PAYLOAD = a_table(attempt=1, started_at=EXPORT_TIME, export=an_export(folder=S3_FOLDER, id=ID, bytes=1_000))
LOOK = {**PAYLOAD, "run": "run-0"}
LISTS = f"{S3_FOLDER}.lists"
MANIFESTS = ("manifest-files.json", "manifest-files.md5", "manifest-summary.json", "manifest-summary.md5")
LISTED_MANIFESTS = ["manifest-files.json", "manifest-files.md5", "manifest-summary.md5"]


def put_export(world, **sizes):
    """Put an export into S3 with data files a, b, ... of these sizes."""
    files = {f"data/{name}.json.gz": b"x" * size for name, size in sizes.items()}
    files |= dict.fromkeys(MANIFESTS, b"{}")
    world.bucket.objects |= {f"{S3_FOLDER}/{name}": content for name, content in files.items()}
    world.bucket.objects[f"{S3_FOLDER}/_started"] = b""
    return files


def put_in_lake(world, *names):
    """Put files of the export into the lake, as a copy run does."""
    for name in names:
        world.lake.files[f"{LAKE_FOLDER}/{name}"] = world.bucket.objects[f"{S3_FOLDER}/{name}"]


def listed(world, run="0-1-1"):
    return world.bucket.objects[f"{LISTS}/{run}.txt"].decode().splitlines()


def dies(*_):
    raise TransientError("no answer", "It is tried again.")


class TestStartCopy:
    def test_the_pipeline_gets_where_from_where_to_and_the_run_key(self, world):
        assert value_of(world.answer(start_copy, PAYLOAD)) == "run-0"
        assert world.factory.started == [
            {
                "runKey": run_key(an_operation(), "Music", "copy", 1),
                "bucket": "exports",
                "exportFolder": S3_FOLDER,
                "fileList": f"{LISTS}/0-1-1.txt",
                "isLastPart": True,
                "fileSystem": "lake",
                "lakeFolder": LAKE_FOLDER,
                "dataIntegrationUnits": 0,
                "parallelCopies": 0,
            }
        ]

    def test_the_list_has_all_files_but_the_summary_and_stands_beside_the_export(self, world):
        put_export(world, a=20, b=0)
        world.answer(start_copy, PAYLOAD)
        assert listed(world) == ["data/a.json.gz", "data/b.json.gz", *LISTED_MANIFESTS]

    def test_units_and_parallel_copies_are_those_of_the_settings(self, world):
        world.settings = local_settings(D2C_COPY_INTEGRATION_UNITS="32", D2C_COPY_PARALLEL_COPIES="8")
        world.answer(start_copy, PAYLOAD)
        (given,) = world.factory.started
        assert (given["dataIntegrationUnits"], given["parallelCopies"]) == (32, 8)

    def test_a_second_try_finds_what_the_first_one_started(self, world):
        assert value_of(world.answer(start_copy, PAYLOAD)) == value_of(world.answer(start_copy, PAYLOAD))
        assert len(world.factory.started) == 1

    def test_all_runs_are_looked_through_only_by_a_try_after_another(self, world):
        world.answer(start_copy, PAYLOAD)
        assert world.factory.looked_through == 0
        world.answer(start_copy, PAYLOAD)
        assert world.factory.looked_through == 1

    def test_a_try_that_died_before_its_run_was_started_is_followed_by_one_that_starts_it(
        self, world, monkeypatch
    ):
        with monkeypatch.context() as broken:
            broken.setattr(world.factory, "start_run", dies)
            error_of(world.answer(start_copy, PAYLOAD), "transient")
        assert value_of(world.answer(start_copy, PAYLOAD)) == "run-0"

    def test_another_attempt_is_another_run(self, world):
        assert value_of(world.answer(start_copy, PAYLOAD)) != value_of(
            world.answer(start_copy, {**PAYLOAD, "attempt": 2})
        )

    def test_a_retry_is_another_run_too(self, world):
        assert value_of(world.answer(start_copy, PAYLOAD)) != value_of(
            world.answer(start_copy, {**PAYLOAD, "operation": 1})
        )


def in_parts(world, **changes):
    """Have runs of 2,000 bytes at most: half of the two hours left of a session, at a byte in 1.35 seconds."""
    settings = {**WITH_ROLES, "D2C_EXPORT_BUCKET_OWNER": "", "D2C_COPY_BYTES_PER_SECOND": "1"}
    world.settings = local_settings(**{**settings, "D2C_AWS_SESSION_SECONDS": "4900", **changes})


class TestStartCopyOfALongOne:
    def test_a_run_takes_as_many_files_as_fit_well_into_a_session_and_leaves_the_manifests_to_the_last(
        self, world
    ):
        in_parts(world)
        put_export(world, a=900, b=900, c=900, d=100)
        assert value_of(world.answer(start_copy, PAYLOAD)) == "run-0"
        assert listed(world) == ["data/a.json.gz", "data/b.json.gz"]
        assert world.factory.started[0]["isLastPart"] is False
        ((_, asked),) = world.identity.assumed
        assert asked["seconds"] == 2 * 1800 + 900

    def test_the_next_part_takes_what_has_not_arrived_in_its_size(self, world):
        in_parts(world)
        put_export(world, a=900, b=900, c=900, d=100)
        put_in_lake(world, "data/a.json.gz")
        world.lake.files[f"{LAKE_FOLDER}/data/b.json.gz"] = b"torn"
        assert value_of(world.answer(start_copy, {**PAYLOAD, "part": 2})) == "run-0"
        (given,) = world.factory.started
        assert given["runKey"] == f"{run_key(an_operation(), 'Music', 'copy', 1)}.2"
        assert given["fileList"] == f"{LISTS}/0-2-1.txt"
        assert listed(world, "0-2-1") == [f"data/{name}.json.gz" for name in "bcd"] + LISTED_MANIFESTS
        assert given["isLastPart"] is True

    def test_a_file_that_is_larger_than_a_run_takes_is_a_part_by_itself(self, world):
        in_parts(world)
        put_export(world, a=10_000, b=1)
        world.answer(start_copy, PAYLOAD)
        assert listed(world) == ["data/a.json.gz"]
        ((_, asked),) = world.identity.assumed
        assert asked["seconds"] == 4900

    def test_a_second_try_at_a_part_finds_what_the_first_one_started(self, world):
        in_parts(world)
        put_export(world, a=900)
        again = {**PAYLOAD, "part": 2}
        assert value_of(world.answer(start_copy, again)) == value_of(world.answer(start_copy, again))
        assert len(world.factory.started) == 1

    def test_a_retry_goes_on_from_what_is_there(self, world):
        put_export(world, a=20, b=30)
        put_in_lake(world, "data/a.json.gz")
        world.answer(start_copy, {**PAYLOAD, "operation": 1})
        assert listed(world, "1-1-1") == ["data/b.json.gz", *LISTED_MANIFESTS]


class TestStartCopyWithASession:
    @pytest.fixture(autouse=True)
    def identity(self, world):
        self.settings(world)
        return world.identity

    def settings(self, world, **changes):
        world.settings = local_settings(**{**WITH_ROLES, "D2C_EXPORT_BUCKET_OWNER": "", **changes})

    def start(self, world, size=1_000_000, **changes):
        world.bucket.objects[f"{S3_FOLDER}/data/a.json.gz"] = b"x" * size
        return world.answer(start_copy, {**PAYLOAD, **changes})

    def test_the_pipeline_gets_credentials_that_read_this_export_and_last_as_long_as_its_copy(
        self, world, identity
    ):
        assert value_of(self.start(world)) == "run-0"
        ((role, asked),) = identity.assumed
        assert (role, asked["session_name"], asked["seconds"]) == (ROLE, "d2c-copy-m-Music", 2900)
        assert asked["policy"] == copy_session_policy(ROLE, world.settings.export_bucket, S3_FOLDER)
        assert world.factory.pipelines == ["copy_export_session"]
        given = world.factory.started[0]
        names = ("awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken")
        assert [given[name] for name in names] == ["ASIA1", "secret 1", "token 1"]

    def test_what_the_activity_tells_durable_is_the_runs_id_and_no_credential(self, world):
        assert set(self.start(world)) == {"value"}
        assert value_of(self.start(world)) == "run-0"

    def test_a_second_try_that_finds_the_run_makes_no_credentials(self, world, identity):
        self.start(world)
        self.start(world)
        assert len(identity.assumed) == 1

    def test_another_attempt_has_new_credentials_of_the_longest_life(self, world, identity):
        self.start(world)
        assert value_of(self.start(world, attempt=2)) == "run-1"
        assert [asked["seconds"] for _, asked in identity.assumed] == [2900, 7200]
        assert world.factory.started[1]["awsSessionToken"] == "token 2"

    def test_so_has_a_retry(self, world, identity):
        self.start(world)
        assert value_of(self.start(world, operation=1)) == "run-1"
        assert [asked["seconds"] for _, asked in identity.assumed] == [2900, 7200]

    def test_the_role_is_that_of_the_buckets_owner(self, world, identity):
        roles = {ONE: ROLE, TWO: ROLE_OF_TWO}
        self.settings(world, D2C_AWS_ROLES=json.dumps(roles), D2C_EXPORT_BUCKET_OWNER=TWO)
        self.start(world, account=ONE)
        ((role, _),) = identity.assumed
        assert role == ROLE_OF_TWO
        assert world.identity_regions == [REGION]

    def test_without_a_role_for_the_account_nothing_is_started(self, world):
        assert "D2C_AWS_ROLES" in error_of(self.start(world, account=TWO))["detail"]
        assert world.factory.started == []


def copied(world):
    """Put an export into S3, and the same files without the sign of its start into the lake."""
    world.factory.runs["run-0"] = PipelineRun("Succeeded", "")
    put_in_lake(world, *put_export(world, a=20))


class TestLookAtCopy:
    @pytest.mark.parametrize("status", ["Queued", "InProgress", "Canceling"])
    def test_a_run_goes_on_and_shows_how_much_of_the_export_it_has_copied(self, world, status):
        world.factory.runs["run-0"] = PipelineRun(status, "")
        world.factory.progress = CopyProgress(3, 300, "")
        assert value_of(world.answer(look_at_copy, LOOK)) == {
            "state": "running",
            "progress": {"files": 3, "done": 300, "total": 1000},
        }

    def test_what_was_there_before_counts_as_copied(self, world):
        files = put_export(world, a=20, b=30)
        put_in_lake(world, "data/a.json.gz")
        world.answer(start_copy, {**PAYLOAD, "attempt": 2})
        world.factory.runs["run-0"] = PipelineRun("InProgress", "")
        world.factory.progress = CopyProgress(1, 30, "")
        progress = value_of(world.answer(look_at_copy, {**LOOK, "attempt": 2}))["progress"]
        assert (progress["files"], progress["done"]) == (2, 50)
        assert len(files) == 6

    def test_a_run_that_somebody_cancelled_is_not_started_again(self, world):
        world.factory.runs["run-0"] = PipelineRun("Cancelled", "")
        assert "was cancelled in Data Factory" in error_of(world.answer(look_at_copy, LOOK))["detail"]

    @pytest.mark.parametrize(
        ("activity_error", "cause"), [("copy_data: S3 said no", "copy_data: S3 said no"), ("", "of the run")]
    )
    @pytest.mark.parametrize("status", ["Failed", "TimedOut"])
    def test_a_failed_run_is_followed_by_another_and_told_with_its_cause(
        self, world, status, activity_error, cause
    ):
        world.factory.runs["run-0"] = PipelineRun(status, "of the run")
        world.factory.progress = CopyProgress(0, 0, activity_error)
        error = error_of(world.answer(look_at_copy, LOOK), "another_run")
        assert f"Copy run run-0 ended as {status}: {cause}" in error["detail"]

    @pytest.mark.parametrize(
        ("credentials", "words"),
        [("session", "D2C_COPY_INTEGRATION_UNITS"), ("key_vault", "Data Factory's monitor")],
    )
    @pytest.mark.parametrize(
        "told",
        [
            "''Type=Amazon.S3.AmazonS3Exception,Message=The provided token has expired.,Source=AWSSDK.Core",
            "Message=The remote server returned an error: (403) Forbidden.",
        ],
    )
    def test_a_run_whose_session_ended_is_followed_by_one_with_another_and_told_what_to_set(
        self, world, told, credentials, words
    ):
        world.settings = local_settings(**{**WITH_ROLES, "D2C_COPY_CREDENTIALS": credentials})
        world.factory.runs["run-0"] = PipelineRun("Failed", "of the run")
        world.factory.progress = CopyProgress(0, 0, f"CopyFiles: {told}")
        assert words in error_of(world.answer(look_at_copy, LOOK), "another_run")["next_step"]

    def test_a_run_that_the_lake_refused_is_not_followed_by_another_and_told_which_identity_lacks_what(
        self, world
    ):
        world.factory.runs["run-0"] = PipelineRun("Failed", "of the run")
        told = "ErrorCode=AdlsGen2OperationFailed,Message=… ErrorCode: 'AuthorizationPermissionMismatch'."
        world.factory.progress = CopyProgress(0, 0, told)
        error = error_of(world.answer(look_at_copy, LOOK))
        assert told in error["detail"]
        assert "the data factory's managed identity its role in the lake" in error["next_step"]

    def test_a_failed_run_is_told_with_what_it_had_copied(self, world):
        copied(world)
        world.factory.runs["run-0"] = PipelineRun("Failed", "of the run")
        detail = error_of(world.answer(look_at_copy, LOOK), "another_run")["detail"]
        assert f"The lake's {LAKE_FOLDER} has 5 files with 28 bytes" in detail

    def test_a_run_is_done_once_names_and_sizes_are_those_in_s3(self, world):
        copied(world)
        result = {"folder": LAKE_FOLDER, "files": 5, "bytes": 28}
        assert value_of(world.answer(look_at_copy, LOOK)) == {"state": "succeeded", "result": result}

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("data/a.json.gz", b"x", "data/a.json.gz (20 and 1 bytes)"),
            ("data/a.json.gz", None, "data/a.json.gz (20 and None bytes)"),
            ("data/other.json.gz", b"x", "data/other.json.gz (None and 1 bytes)"),
        ],
    )
    def test_a_copy_that_differs_is_made_again_and_told_with_the_file_and_both_sizes(
        self, world, name, content, words
    ):
        copied(world)
        if content is None:
            del world.lake.files[f"{LAKE_FOLDER}/{name}"]
        else:
            world.lake.files[f"{LAKE_FOLDER}/{name}"] = content
        assert words in error_of(world.answer(look_at_copy, LOOK), "another_run")["detail"]

    def test_of_many_files_that_differ_a_few_are_named(self, world):
        copied(world)
        world.lake.files |= {f"{LAKE_FOLDER}/data/{number:04d}.json.gz": b"x" for number in range(1000)}
        detail = error_of(world.answer(look_at_copy, LOOK), "another_run")["detail"]
        assert detail.startswith("1000 files")
        assert len(detail) < 500

    @pytest.mark.parametrize("status", ["Succeeded", "Failed"])
    def test_a_run_of_which_a_data_file_has_arrived_has_done_a_part(self, world, status, caplog):
        put_export(world, a=20, b=30)
        world.answer(start_copy, PAYLOAD)
        put_in_lake(world, "data/a.json.gz", *LISTED_MANIFESTS)
        world.factory.runs["run-0"] = PipelineRun(status, "the token has expired")
        world.factory.progress = CopyProgress(1, 20, "")
        with caplog.at_level(logging.WARNING, "activities.copy"):
            look = value_of(world.answer(look_at_copy, LOOK))
        progress = {"files": 4, "done": 26, "total": 1000}
        assert look == {"state": "part_done", "progress": progress}
        assert ("the token has expired" in caplog.text) is (status == "Failed")

    def test_a_run_of_which_manifests_alone_have_arrived_has_failed(self, world):
        files = put_export(world, a=20)
        put_in_lake(world, "data/a.json.gz")
        world.answer(start_copy, PAYLOAD)
        put_in_lake(world, *files)
        del world.lake.files[f"{LAKE_FOLDER}/manifest-summary.json"]
        world.factory.runs["run-0"] = PipelineRun("Failed", "no summary")
        assert "no summary" in error_of(world.answer(look_at_copy, LOOK), "another_run")["detail"]

    def test_what_a_run_wrote_that_is_not_what_it_read_is_copied_again_though_its_size_is_right(self, world):
        put_export(world, a=20, b=30)
        put_in_lake(world, "data/a.json.gz")
        world.answer(start_copy, PAYLOAD)
        put_in_lake(world, "data/b.json.gz")
        world.factory.runs["run-0"] = PipelineRun("Failed", "ErrorCode=DataConsistencyVerificationFailed")
        error_of(world.answer(look_at_copy, LOOK), "another_run")
        assert [*world.lake.sizes(LAKE_FOLDER)] == ["data/a.json.gz"]


def test_stopping_asks_the_run_to_stop_even_though_the_migration_is_cancelled(world):
    world.cancel()
    value_of(world.answer(stop_copy, LOOK))
    assert world.factory.cancelled == ["run-0"]


def test_the_runs_of_all_parts_and_attempts_of_an_operations_tables_are_stopped(world):
    for key in ("1-1", "1-3", "7-2"):
        part, attempt = map(int, key.split("-"))
        world.answer(start_copy, {**PAYLOAD, "part": part, "attempt": attempt})
    world.answer(start_copy, {**PAYLOAD, "operation": 1})
    stopped = stop_copies_of(SubstituteClients(world), an_operation(), ["Music"], datetime.now(UTC))
    assert (stopped, world.factory.cancelled) == (3, ["run-0", "run-1", "run-2"])
