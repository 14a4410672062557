import json
from datetime import UTC, datetime, timedelta

import pytest

from activities import existing_export
from d2c.clients.aws.dynamodb import TableDescription
from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError, SettingsError
from d2c.export_format import manifest
from d2c.export_format.manifest import MANIFEST_FILES, parse_summary
from d2c.state.export_matching import match
from d2c.state.paths import MigrationFiles
from d2c.state.standing_plans import standing_plans
from localcloud.aws.api import export_files as exported
from tests.unit import arrived
from tests.unit.arrived import EXPORT_ID, FOLDER, REGION, export_files, put_export, table_arn
from tests.unit.file_system import SubstituteFileSystem

from .answers import error_of, value_of
from .fakes import World

KEYS = {"hash_key": "pk", "range_key": None, "ttl_attribute": None}
PLAN = {
    "name": "theirs",
    "database": "shop",
    "region": REGION,
    "start": "when_exports_arrive",
    "tables": [{"table": "Music", "container": "music"}],
}


class ArrivedWorld(World):
    """A lake with a standing plan and an export, and a DynamoDB that may be asked about its table."""

    def __init__(self):
        self.files = SubstituteFileSystem()
        super().__init__(Lake(self.files))
        self.dynamodb = self
        self.described = TableDescription(table_arn(), "pk", None, 9, 900, "until")
        self.plan()

    def describe_table(self, name):
        assert name == "Music"
        if isinstance(self.described, Exception):
            raise self.described
        return self.described

    def plan(self, **table):
        tables = [{**PLAN["tables"][0], **table}]
        self.lake.write_json("plans/theirs.json", {**PLAN, "tables": tables})

    def payload(self, minutes=0, **changes):
        """Return what a table's orchestration that began some minutes ago hands to its activities."""
        summary = parse_summary(export_files()["manifest-summary.json"])
        arrival = match(summary, FOLDER, standing_plans(self.lake))
        (table,) = arrival.plan.table_inputs()
        began = datetime.now(UTC) - timedelta(minutes=minutes)
        payload = {
            **table,
            "migration": "theirs-1",
            "operation": 0,
            "arrived": arrival.arrived,
            "started_at": began.isoformat(),
        }
        return json.loads(json.dumps({**payload, **changes}))

    def look(self, minutes=0):
        payload = self.payload(minutes)
        return self.answer(
            existing_export.look_at_existing_export,
            {**payload, "run": {**KEYS, "arn": table_arn()}, "attempt": 1},
        )


@pytest.fixture
def world():
    return ArrivedWorld()


class TestStartArrival:
    def test_dynamodb_tells_the_keys_where_it_can_be_asked(self, world):
        assert value_of(world.answer(existing_export.start_existing_export, world.payload())) == {
            "arn": table_arn(),
            "hash_key": "pk",
            "range_key": None,
            "item_count": 9,
            "size_bytes": 900,
            "ttl_attribute": "until",
            "table_class": "STANDARD",
            "number_keys": [],
            "index_keys": [],
            "export_time": "2026-06-01T12:00:00.000Z",
        }

    def test_the_plans_keys_make_asking_needless(self, world):
        world.described = AssertionError("nobody may be asked")
        world.plan(source={"hash_key": "pk", "ttl_attribute": "until"})
        source = value_of(world.answer(existing_export.start_existing_export, world.payload()))
        assert (source["arn"], source["hash_key"], source["range_key"]) == (table_arn(), "pk", None)
        assert (source["ttl_attribute"], source["item_count"], source["size_bytes"]) == ("until", 7, 700)

    @pytest.mark.parametrize(
        "refused",
        [
            PermanentError("There is no such table.", "Check its name."),
            SettingsError("D2C_AWS_ROLES has no role for 111122223333.", "Set it in the app settings."),
        ],
    )
    def test_keys_that_are_added_to_the_plan_later_count_at_a_retry(self, world, refused):
        world.described = refused
        payload = world.payload()
        error = error_of(world.answer(existing_export.start_existing_export, payload))
        assert refused.detail in error["detail"]
        assert "plans/theirs.json as `source`" in error["next_step"]
        world.plan(source={"hash_key": "pk"})
        assert value_of(world.answer(existing_export.start_existing_export, payload))["hash_key"] == "pk"

    def test_a_table_of_the_same_name_in_another_account_is_not_taken_for_it(self, world):
        world.described = TableDescription(table_arn(account="999999999999"), "other", None, 0, 0, None)
        error = error_of(world.answer(existing_export.start_existing_export, world.payload()))
        assert table_arn() in error["detail"]
        assert "999999999999" in error["detail"]

    def test_rules_that_do_not_fit_the_keys_are_refused_before_anything_is_loaded(self, world):
        world.plan(rules={"drop": ["pk"]})
        assert error_of(world.answer(existing_export.start_existing_export, world.payload()))

    def test_a_cancelled_migration_begins_nothing(self, world):
        world.lake.write_json(MigrationFiles("theirs-1").cancel(0), {"tables": None})
        error_of(world.answer(existing_export.start_existing_export, world.payload()), "cancelled")
        error_of(world.look(), "cancelled")


class TestLookAtArrival:
    def test_a_whole_export_has_what_export_and_copy_would_have_found(self, world):
        put_export(world.lake)
        world.lake.write(f"{FOLDER}/d2c-not-loaded.json", b"{}")
        files = export_files()
        data_bytes = sum(len(content) for name, content in files.items() if name.startswith("data/"))
        assert value_of(world.look()) == {
            "state": "succeeded",
            "result": {
                "source": {**KEYS, "arn": table_arn()},
                "export": {
                    "arn": f"{table_arn()}/export/{EXPORT_ID}",
                    "time": "2026-06-01T12:00:00.000Z",
                    "id": EXPORT_ID,
                    "folder": FOLDER,
                    "items": 7,
                    "billed_bytes": 700,
                    "bytes": data_bytes,
                    "files": 4,
                },
                "copy": {"folder": FOLDER, "files": 8, "bytes": sum(map(len, files.values()))},
            },
        }

    @pytest.mark.parametrize("late", sorted(export_files()))
    @pytest.mark.parametrize("content", [None, b""])
    def test_a_file_that_comes_late_is_waited_for_whichever_it_is(self, world, late, content):
        put_export(world.lake)
        world.files.now = datetime.now(UTC)
        if content is None:
            world.lake.delete(f"{FOLDER}/{late}")
        else:
            world.lake.write(f"{FOLDER}/{late}", content)
        look = value_of(world.look(minutes=59))
        waiting = "waiting for 1 files" if late.startswith("data/") else "waiting for the manifest"
        assert late in look["progress"]["finding"]
        assert (look["state"], look["progress"]["status"]) == ("running", waiting)
        put_export(world.lake)
        assert value_of(world.look())["state"] == "succeeded"

    def test_the_export_of_an_empty_table_may_have_no_data_files(self, world, monkeypatch):
        monkeypatch.setattr(exported, "_parts", lambda lines: iter(()))
        monkeypatch.setattr(arrived, "ITEMS", [])
        put_export(world.lake)
        found = value_of(world.look())["result"]
        assert (found["export"]["items"], found["export"]["files"], found["copy"]["files"]) == (0, 0, 4)

    def test_what_is_waited_for_shows_how_far_the_copy_is(self, world):
        put_export(world.lake)
        data = [name for name in export_files() if name.startswith("data/")]
        for name in data[1:]:
            world.lake.delete(f"{FOLDER}/{name}")
        assert value_of(world.look())["progress"] == {
            "status": "waiting for 3 files",
            "done": 5,
            "total": 8,
            "finding": f"not there: {', '.join(data[1:])}",
        }

    def test_a_data_file_of_no_bytes_is_told_at_once_and_given_up_after_an_hour(self, world):
        put_export(world.lake)
        (empty, *_) = [name for name in export_files() if name.startswith("data/")]
        world.lake.write(f"{FOLDER}/{empty}", b"")
        assert value_of(world.look())["progress"]["finding"] == f"of 0 bytes: {empty}"
        error = error_of(world.look(minutes=61))
        assert f"of 0 bytes: {empty}" in error["detail"]
        assert "not there" not in error["detail"]

    def test_a_manifest_without_its_files_is_given_up_after_an_hour_with_their_names(self, world):
        put_export(world.lake)
        data = [name for name in export_files() if name.startswith("data/")]
        for name in data:
            world.lake.delete(f"{FOLDER}/{name}")
        error = error_of(world.look(minutes=61))
        assert FOLDER in error["detail"]
        assert f"not there: {data[0]}, " in error["detail"]
        assert data[3] not in error["detail"]
        assert "and 1 more" in error["detail"]
        assert "retry" in error["next_step"]

    @pytest.mark.parametrize("name", ["manifest-files.json", "manifest-summary.md5"])
    def test_a_manifest_in_the_midst_of_being_written_is_told_and_waited_for(self, world, name):
        put_export(world.lake)
        world.files.now = datetime.now(UTC)
        world.lake.write(f"{FOLDER}/{name}", b"{")
        progress = value_of(world.look())["progress"]
        assert progress["status"] == "waiting for the manifest"
        assert "has the MD5" in progress["finding"]
        assert "has the MD5" in error_of(world.look(minutes=61))["detail"]

    def test_a_manifest_with_a_wrong_checksum_that_nobody_writes_to_is_refused_at_once(self, world):
        put_export(world.lake)
        world.lake.write(f"{FOLDER}/manifest-summary.md5", b"{")
        error = error_of(world.look())
        assert (error["title"], "manifest-summary.json has the MD5" in error["detail"]) == (
            "The export is damaged",
            True,
        )

    def test_the_files_of_another_export_are_refused_at_once(self, world):
        put_export(world.lake, export_id="01780000009999-a1b2c3d4")
        assert "01780000009999" in error_of(world.look())["detail"]

    @pytest.mark.parametrize("name", MANIFEST_FILES)
    def test_a_manifest_that_is_too_large_is_not_read(self, world, name, monkeypatch):
        put_export(world.lake)
        monkeypatch.setitem(manifest.MOST_BYTES, name, 10)
        assert f"{FOLDER}/{name} has more than 10 bytes" in error_of(world.look())["detail"]
