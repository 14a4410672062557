import json
from datetime import UTC, datetime, timedelta

import pytest

from activities.export import describe_source, look_at_export, start_export
from d2c.clients.aws.dynamodb import ExportState
from d2c.errors import PermanentError
from d2c.export_format.manifest import md5_base64
from d2c.state.ids import run_key
from tests.builders import EXPORT_ID, TABLE_ARN, a_source, a_table, an_operation

from .answers import error_of, value_of

ID = EXPORT_ID
ARN = f"{TABLE_ARN}/export/{ID}"
FOLDER = f"d2c/m/Music/AWSDynamoDB/{ID}"
SOURCE = a_source()
PAYLOAD = a_table(attempt=1, source=SOURCE)
LOOK = {**PAYLOAD, "run": ARN}


class TestDescribeSource:
    def test_it_fixes_keys_sizes_and_the_export_time_as_plain_values(self, world):
        source = value_of(world.answer(describe_source, PAYLOAD))
        assert source["export_time"] == "2026-06-01T12:00:00+00:00"
        assert (source["arn"], source["hash_key"], source["range_key"]) == (TABLE_ARN, "Artist", "Song")
        assert json.loads(json.dumps(source)) == source

    @pytest.mark.parametrize("what", ["table", "latest"])
    def test_a_table_that_is_missing_or_has_no_recovery_fails_the_stage(self, world, what):
        setattr(world.dynamodb, what, PermanentError("DynamoDB table Music is not so.", "Mend it."))
        assert "Music is not so" in error_of(world.answer(describe_source, PAYLOAD))["detail"]

    def test_rules_that_are_impossible_for_the_keys_are_refused_with_every_fault_before_anything_starts(
        self, world
    ):
        rules = {"drop": ["Artist"], "document_id": ["Year"]}
        error = error_of(world.answer(describe_source, {**PAYLOAD, "rules": rules}))
        assert "drop: `Artist`" in error["detail"]
        assert "document_id: `Year`" in error["detail"]
        assert world.dynamodb.started == []


class TestStartExport:
    def test_it_exports_as_of_the_fixed_time_below_a_prefix_of_the_migrations_and_the_tables(self, world):
        arn = value_of(world.answer(start_export, PAYLOAD))
        assert world.dynamodb.started == [
            {
                "bucket": "exports",
                "bucket_owner": "",
                "kms_key": "",
                "prefix": "d2c/m/Music",
                "time": datetime(2026, 6, 1, 12, tzinfo=UTC),
                "client_token": run_key(an_operation(), "Music", "export", 1),
            }
        ]
        assert arn in world.dynamodb.exports

    def test_a_second_try_finds_what_the_first_one_started(self, world):
        assert value_of(world.answer(start_export, PAYLOAD)) == value_of(world.answer(start_export, PAYLOAD))
        assert len(world.dynamodb.started) == 1

    def test_another_attempt_is_another_export_as_of_the_same_time(self, world):
        assert value_of(world.answer(start_export, PAYLOAD)) != value_of(
            world.answer(start_export, {**PAYLOAD, "attempt": 2})
        )
        first, second = world.dynamodb.started
        assert first["time"] == second["time"]
        assert first["client_token"] != second["client_token"]

    def test_a_retry_is_another_export(self, world):
        first = value_of(world.answer(start_export, PAYLOAD))
        assert value_of(world.answer(start_export, {**PAYLOAD, "operation": 1})) != first


def complete(world, *, item_counts=(2, 0), manifest_key=f"{FOLDER}/manifest-summary.json", ended_at=None):
    """Put a complete export into the world, as DynamoDB leaves it."""
    ended_at = ended_at or datetime.now(UTC)
    world.dynamodb.exports[ARN] = ExportState(ARN, "COMPLETED", "", "k", manifest_key, ended_at)
    keys = [f"{FOLDER}/data/file{number}.json.gz" for number, _ in enumerate(item_counts)]
    lines = [
        json.dumps({"itemCount": count, "md5Checksum": "m", "etag": "e-1", "dataFileS3Key": key})
        for key, count in zip(keys, item_counts, strict=True)
    ]
    summary = {
        "version": "2020-06-30",
        "exportArn": ARN,
        "tableArn": TABLE_ARN,
        "itemCount": sum(item_counts),
        "billedSizeBytes": 0,
        "outputFormat": "DYNAMODB_JSON",
    }
    for name, text in {
        "manifest-summary": json.dumps(summary),
        "manifest-files": "".join(f"{line}\n" for line in lines),
    }.items():
        world.bucket.objects[f"{FOLDER}/{name}.json"] = text.encode()
        world.bucket.objects[f"{FOLDER}/{name}.md5"] = md5_base64(text.encode()).encode()
    world.bucket.objects |= dict.fromkeys(keys, b"x" * 20)
    world.bucket.objects[f"{FOLDER}/_started"] = b""


class TestLookAtExport:
    def test_an_export_goes_on_while_dynamodb_says_so(self, world):
        world.dynamodb.exports[ARN] = ExportState(ARN, "IN_PROGRESS", "", "k", "", None)
        assert value_of(world.answer(look_at_export, LOOK)) == {
            "state": "running",
            "progress": {"status": "IN_PROGRESS"},
        }

    @pytest.mark.parametrize("manifest_key", [f"{FOLDER}/manifest-summary.json", ""])
    def test_it_is_complete_once_its_manifest_holds_whether_or_not_its_key_is_told(self, world, manifest_key):
        complete(world, manifest_key=manifest_key)
        look = value_of(world.answer(look_at_export, LOOK))
        assert look == {
            "state": "succeeded",
            "result": {
                "arn": ARN,
                "time": SOURCE["export_time"],
                "id": ID,
                "folder": FOLDER,
                "items": 2,
                "billed_bytes": 0,
                "bytes": 40,
                "files": 2,
            },
        }

    @pytest.mark.parametrize(
        "name", ["manifest-summary.json", "manifest-summary.md5", "manifest-files.json", "manifest-files.md5"]
    )
    def test_it_waits_for_every_file_of_the_manifest(self, world, name):
        complete(world)
        del world.bucket.objects[f"{FOLDER}/{name}"]
        look = value_of(world.answer(look_at_export, LOOK))
        assert look == {"state": "running", "progress": {"status": "waiting for the manifest"}}

    def test_it_does_not_wait_for_ever_for_a_manifest_that_somebody_took_away(self, world):
        complete(world, ended_at=datetime.now(UTC) - timedelta(hours=2))
        del world.bucket.objects[f"{FOLDER}/manifest-files.json"]
        error = error_of(world.answer(look_at_export, LOOK))
        assert f"s3://exports/{FOLDER}" in error["detail"]

    @pytest.mark.parametrize("name", ["manifest-summary.json", "manifest-files.json"])
    def test_a_manifest_without_its_md5_fails_the_stage(self, world, name):
        complete(world)
        world.bucket.objects[f"{FOLDER}/{name}"] += b" "
        assert f"{name} has the MD5" in error_of(world.answer(look_at_export, LOOK))["detail"]

    def test_a_manifest_of_another_export_fails_the_stage(self, world):
        complete(world)
        payload = {**LOOK, "source": {**SOURCE, "arn": f"{TABLE_ARN}Two"}}
        assert "instead of" in error_of(world.answer(look_at_export, payload))["detail"]

    @pytest.mark.parametrize(
        ("failure", "marks", "words"),
        [
            ("S3NoSuchBucket: The bucket does not exist", (), "D2C_EXPORT_BUCKET"),
            ("S3AccessDenied: no PutObject", (), "docs/install/permissions.md"),
            ("UNKNOWN: an internal error", ("another_run",), "Another export"),
            ("", ("another_run",), "Another export"),
        ],
    )
    def test_a_failed_export_is_started_again_unless_somebody_has_to_mend_something(
        self, world, failure, marks, words
    ):
        world.dynamodb.exports[ARN] = ExportState(ARN, "FAILED", failure, "k", "", None)
        error = error_of(world.answer(look_at_export, LOOK), *marks)
        assert ARN in error["detail"]
        assert (failure or "it gave no reason") in error["detail"]
        assert words in error["next_step"]
