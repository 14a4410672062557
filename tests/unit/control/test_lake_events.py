import asyncio
import logging

import pytest

from d2c.state.ids import stage_instance_id
from d2c.state.paths import MigrationFiles, export_folder
from tests.unit.arrived import EXPORT_ID, FOLDER, export_files, put_export, table_arn
from tests.unit.clients.settings import local_settings
from tests.unit.control.lake_world import LakeWorld, standing
from tests.unit.control.table_files import list_tables, write_operation

OWN_FOLDER = f"exports/music-2026/Music/{EXPORT_ID}"
COPY = stage_instance_id("music-2026", 0, "Music", "copy")
MESSAGE = f"{FOLDER}/d2c-not-loaded.json"
PLAN = "plans/theirs.json"


@pytest.fixture
def world():
    return LakeWorld()


def waiting(world):
    return [path for path in world.paths() if path.startswith("exports-waiting/")]


class TestAnExportOfOurs:
    @pytest.fixture(autouse=True)
    def migration(self, world):
        world.lake.write_json("migrations/music-2026/plan.json", {"plan": {}})
        put_export(world.lake, OWN_FOLDER, bucket="own-bucket", prefix="d2c/music-2026/Music")
        world.put_plan(PLAN, standing())
        for stage in ("copy", "export", "load"):
            world.client.set(stage_instance_id("music-2026", 0, "Music", stage), "Running")

    async def test_it_wakes_the_copy_of_its_table_and_nothing_else(self, world, caplog):
        with caplog.at_level(logging.INFO):
            await world.export_event(OWN_FOLDER)
        assert world.client.events == [(COPY, "wake")]
        assert "The export of Music for migration music-2026 has arrived" in caplog.text

    async def test_it_needs_no_list_of_all_tables(self, world):
        list_tables(world, ["Music"])
        world.lake.write_json(MigrationFiles("music-2026").work(0).table("Music"), {})
        world.lake.write(MigrationFiles("music-2026").tables, b"not read")
        await world.export_event(OWN_FOLDER)
        assert world.client.events == [(COPY, "wake")]

    async def test_the_folder_of_a_table_whose_name_ends_in_a_dot_is_its_own(self, world):
        list_tables(world, ["Music", "Music."])
        folder = export_folder("music-2026", "Music.", EXPORT_ID)
        put_export(world.lake, folder, bucket="own-bucket", prefix="d2c/music-2026/Music.")
        copy = stage_instance_id("music-2026", 0, "Music.", "copy")
        world.client.set(copy, "Running")
        await world.export_event(folder)
        assert (folder, world.client.events) == (f"exports/music-2026/Music.~/{EXPORT_ID}", [(copy, "wake")])

    async def test_it_wakes_the_copy_of_the_last_retry(self, world):
        for number in (1, 2):
            write_operation(world, number)
        write_operation(world, 3, kind="verify")
        copy = stage_instance_id("music-2026", 2, "Music", "copy")
        world.client.set(copy, "Running")
        await world.export_event(OWN_FOLDER)
        assert world.client.events == [(copy, "wake")]

    async def test_an_event_that_comes_late_wakes_and_starts_nothing(self, world):
        world.client.set(COPY, "Completed", {"value": 1})
        paths = world.paths()
        await world.export_event(OWN_FOLDER)
        assert (world.client.events, world.started, world.paths()) == ([], [], paths)

    async def test_one_of_a_migration_that_nobody_knows_any_more_starts_nothing(self, world):
        world.lake.delete("migrations/music-2026/plan.json")
        await world.export_event(OWN_FOLDER)
        assert (world.client.events, world.started) == ([], [])
        assert "made by the migration music-2026" in world.read(f"{OWN_FOLDER}/d2c-not-loaded.json")["detail"]
        assert waiting(world) == []


class TestAFolderNamedLikeAMigration:
    """Whoever copies an export below ``exports/`` may name the folder as they like, and nothing is ignored."""

    @pytest.fixture(autouse=True)
    def migration(self, world):
        world.lake.write_json("migrations/e2e3/plan.json", {"plan": {}})
        list_tables(world, ["Music"], migration="e2e3")

    async def test_an_export_in_it_that_is_no_table_of_the_migration_is_loaded(self, world):
        folder = f"exports/e2e3/AWSDynamoDB/{EXPORT_ID}"
        world.put_plan(PLAN, standing())
        put_export(world.lake, folder)
        await world.export_event(folder)
        assert len(world.started) == 1

    async def test_one_that_no_plan_has_is_refused_beside_it(self, world):
        folder = f"exports/e2e3/AWSDynamoDB/{EXPORT_ID}"
        put_export(world.lake, folder)
        await world.export_event(folder)
        assert "No plan has the table" in world.read(f"{folder}/d2c-not-loaded.json")["detail"]

    async def test_one_of_others_in_the_folder_of_a_table_is_refused_beside_it(self, world):
        folder = f"exports/e2e3/Music/{EXPORT_ID}"
        world.put_plan(PLAN, standing())
        put_export(world.lake, folder)
        await world.export_event(folder)
        assert "another folder below exports/" in world.read(f"{folder}/d2c-not-loaded.json")["next_step"]
        assert world.started == []


class TestPlansThatCannotBeRead:
    """One bad plan does not stop the arrivals of the others."""

    async def arrive_beside(self, world, name):
        """Have an export arrive for a sound plan, beside an archived one."""
        world.put_plan(PLAN, standing())
        world.put_plan(f"plans/{name}", standing("b"))
        world.archive(f"plans/{name}")
        put_export(world.lake)
        await world.export_event(FOLDER)
        assert len(world.started) == 1

    @pytest.mark.parametrize("name", ["b.json", "a/b.json"])
    async def test_an_archived_one_is_refused_beside_it_and_the_others_load(self, world, name):
        await self.arrive_beside(world, name)
        assert "archive tier" in world.read(f"plans/{name}.refused")["detail"]

    @pytest.mark.parametrize("name", ["q\\..\\b.json", "../b.json", "a//b.json", "./b.json"])
    async def test_one_whose_name_leads_elsewhere_is_not_read(self, world, name):
        await self.arrive_beside(world, name)
        assert f"plans/{name}.refused" not in world.paths()


class TestAnExportOfOthers:
    async def test_the_one_plan_that_has_its_table_loads_it_in_a_migration_of_its_own(self, world):
        world.put_plan(PLAN, standing(verify="counts"))
        world.put_plan("plans/other.json", standing("other", {"table": "Orders"}))
        put_export(world.lake)
        await world.export_event(FOLDER)
        (migration,) = world.started
        assert migration.startswith("theirs-")
        accepted = world.read(f"migrations/{migration}/plan.json")
        assert accepted["plan"]["tables"][0]["table"] == "Music"
        assert (accepted["plan"]["tables"][0]["verify"], accepted["plan"]["name"]) == ("counts", migration)
        assert accepted["arrived"] == {
            "folder": FOLDER,
            "plan": PLAN,
            "bytes": 700,
            "export": {
                "arn": f"{table_arn()}/export/{EXPORT_ID}",
                "table_arn": table_arn(),
                "time": "2026-06-01T12:00:00.000Z",
                "id": EXPORT_ID,
                "items": 7,
            },
        }
        assert world.read(MESSAGE) is None
        assert waiting(world) == []

    @pytest.mark.parametrize(
        "folder",
        [
            "exports",
            f"exports/{EXPORT_ID}",
            f"exports/theirs/AWSDynamoDB/{EXPORT_ID}",
            f"exports/a b/ä/{'deep/' * 20}AWSDynamoDB/{EXPORT_ID}",
        ],
    )
    async def test_it_may_lie_in_any_folder(self, world, folder):
        world.put_plan(PLAN, standing())
        put_export(world.lake, folder)
        await world.export_event(folder)
        (migration,) = world.started
        assert world.read(f"migrations/{migration}/plan.json")["arrived"]["folder"] == folder

    async def test_the_same_event_a_hundred_times_starts_one_migration(self, world):
        world.put_plan(PLAN, standing())
        put_export(world.lake)
        await world.export_event(FOLDER)
        files = dict(world.file_system.files)
        await asyncio.gather(*(world.export_event(FOLDER) for _ in range(50)))
        world.client.set(world.started[0], "Completed", {"state": "failed"})
        for _ in range(49):
            await world.export_event(FOLDER)
        assert (len(world.started), world.file_system.files) == (1, files)

    async def test_the_same_export_in_another_folder_is_not_loaded_again(self, world):
        world.put_plan(PLAN, standing())
        for folder in (FOLDER, f"exports/again/{EXPORT_ID}"):
            put_export(world.lake, folder)
            await world.export_event(folder)
        assert len(world.started) == 1

    async def test_another_export_of_the_table_is_another_migration(self, world):
        world.put_plan(PLAN, standing("a" * 48))
        for export_id in (EXPORT_ID, "01780000009999-a1b2c3d4"):
            folder = f"exports/theirs/AWSDynamoDB/{export_id}"
            put_export(world.lake, folder, export_id=export_id)
            await world.export_event(folder)
        assert len(set(world.started)) == 2
        assert {len(name) for name in world.started} == {48}

    async def test_a_manifest_alone_starts_the_migration_which_waits_for_the_rest(self, world):
        world.put_plan(PLAN, standing())
        world.lake.write(f"{FOLDER}/manifest-summary.json", export_files()["manifest-summary.json"])
        await world.export_event(FOLDER)
        assert len(world.started) == 1

    async def test_a_start_that_broke_off_is_made_good_by_the_event_that_is_repeated_though_the_plan_has_changed(
        self, world
    ):
        world.put_plan(PLAN, standing())
        put_export(world.lake)
        await world.export_event(FOLDER)
        world.client.statuses.clear()
        world.put_plan(PLAN, standing(verify="counts"))
        await world.export_event(FOLDER)
        first, second = world.started
        assert first == second
        assert world.read(f"migrations/{first}/plan.json")["plan"]["tables"][0]["verify"] == "full"

    async def test_a_migration_of_something_else_that_has_the_name_is_told_and_left_alone(self, world):
        world.put_plan(PLAN, standing())
        put_export(world.lake)
        await world.export_event(FOLDER)
        path = f"migrations/{world.started[0]}/plan.json"
        world.lake.write_json(path, {"plan": {}, "digest": "other"})
        await world.export_event(FOLDER)
        assert "another one has it already" in world.read(MESSAGE)["detail"]
        assert len(world.started) == 1


class TestAnExportThatTheSettingsForbid:
    @pytest.mark.parametrize(
        "limit", [{"TABLES": "Orders"}, {"DATABASES": "crm"}, {"ACCOUNTS": "999999999999"}]
    )
    async def test_it_is_refused_beside_it(self, world, limit):
        world.put_plan(PLAN, standing("theirs", {"table": "*"}))
        world.settings = local_settings(**{f"D2C_ALLOWED_{name}": text for name, text in limit.items()})
        put_export(world.lake)
        await world.export_event(FOLDER)
        assert world.started == []
        assert "D2C_ALLOWED_" in world.read(f"{FOLDER}/d2c-not-loaded.json")["detail"]

    async def test_its_account_is_that_of_its_table(self, world):
        world.put_plan(PLAN, standing("theirs", {"table": "*"}))
        world.settings = local_settings(D2C_ALLOWED_ACCOUNTS=table_arn().split(":")[4])
        put_export(world.lake)
        await world.export_event(FOLDER)
        assert len(world.started) == 1


class TestAnExportThatIsNotLoaded:
    async def test_without_a_plan_a_file_beside_it_says_so_and_what_to_do(self, world, caplog):
        put_export(world.lake)
        await world.export_event(FOLDER)
        message = world.read(MESSAGE)
        assert set(message) == {"title", "detail", "next_step", "at"}
        assert "No plan has the table Music in eu-west-1" in message["detail"]
        assert '"start": "when_exports_arrive"' in message["next_step"]
        assert world.started == []
        assert f"The export in {FOLDER!r} is not loaded" in caplog.text

    async def test_with_two_plans_for_its_table_both_are_named_and_none_starts(self, world):
        world.put_plan(PLAN, standing())
        world.put_plan("plans/b.json", standing("b", {"table": "Mu*"}))
        put_export(world.lake)
        await world.export_event(FOLDER)
        assert "2 plans" in world.read(MESSAGE)["detail"]
        assert "plans/b.json, plans/theirs.json" in world.read(MESSAGE)["detail"]
        assert world.started == []

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "not JSON"),
            (b"{}", "not of a full export"),
            (b'{"version": "2023-08-01", "exportType": "INCREMENTAL_EXPORT"}', "an incremental export"),
            (b'{"version": "2020-06-30", "outputFormat": "ION"}', "Amazon Ion"),
            (export_files()["manifest-summary.json"].replace(b"exportTime", b"exporttime"), "no exportTime"),
            (b" " * (2**20 + 1), "more than 1,048,576 bytes"),
            (
                export_files()["manifest-summary.json"].replace(b"arn:aws:dynamodb", b"arn:aws:s3"),
                "no ARNs of an export",
            ),
        ],
    )
    async def test_a_manifest_that_is_none_of_a_full_export_is_told(self, world, content, words):
        world.put_plan(PLAN, standing())
        world.lake.write(f"{FOLDER}/manifest-summary.json", content)
        await world.export_event(FOLDER)
        assert words in world.read(MESSAGE)["detail"]
        assert (world.started, waiting(world)) == ([], [])

    async def test_a_manifest_that_cannot_be_read_is_told(self, world):
        world.put_plan(PLAN, standing())
        put_export(world.lake)
        world.archive(f"{FOLDER}/manifest-summary.json")
        await world.export_event(FOLDER)
        assert "archive tier" in world.read(MESSAGE)["detail"]

    @pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'"text"'])
    async def test_whatever_is_in_the_place_of_the_message_the_message_is_written(self, world, content):
        put_export(world.lake)
        world.lake.write(MESSAGE, content)
        await world.export_event(FOLDER)
        assert "No plan has the table" in world.read(MESSAGE)["detail"]

    @pytest.mark.parametrize("content", [b"{", b"[1]", b"7", b'{"folder": 7}', b'{"folder": "exports/../x"}'])
    async def test_one_odd_file_of_a_waiting_export_does_not_stop_the_others(self, world, content):
        put_export(world.lake)
        await world.export_event(FOLDER)
        world.lake.write("exports-waiting/0.json", content)
        await world.drop(PLAN, standing())
        assert len(world.started) == 1

    async def test_the_same_event_a_hundred_times_leaves_the_first_message(self, world):
        put_export(world.lake)
        await world.export_event(FOLDER)
        files = dict(world.file_system.files)
        for _ in range(99):
            await world.export_event(FOLDER)
        assert world.file_system.files == files

    async def test_a_manifest_that_is_gone_leaves_nothing(self, world):
        await world.export_event(FOLDER)
        assert world.paths() == set()

    async def test_one_whose_folder_leads_elsewhere_is_left_alone(self, world, caplog):
        folder = f"exports/../plans/{EXPORT_ID}"
        put_export(world.lake, folder)
        paths = world.paths()
        await world.export_event(folder)
        assert world.paths() == paths
        assert "its name leads elsewhere" in caplog.text

    async def test_a_plan_that_arrives_later_loads_what_waited_and_takes_the_message_back(self, world):
        put_export(world.lake)
        put_export(world.lake, "exports/other/orders", table="Orders")
        for folder in (FOLDER, "exports/other/orders"):
            await world.export_event(folder)
        await world.drop(PLAN, standing())
        assert len(world.started) == 1
        assert world.read(MESSAGE) is None
        assert world.read("exports/other/orders/d2c-not-loaded.json")
        assert len(waiting(world)) == 1

    async def test_a_plan_of_two_that_gives_the_table_up_lets_the_other_load_it(self, world):
        world.put_plan(PLAN, standing())
        world.put_plan("plans/b.json", standing("b"))
        put_export(world.lake)
        await world.export_event(FOLDER)
        await world.drop("plans/b.json", standing("b", {"table": "Orders"}))
        assert [name.rpartition("-")[0] for name in world.started] == ["theirs"]

    async def test_a_plan_that_arrives_while_the_export_is_put_aside_is_not_missed(self, world):
        put_export(world.lake)
        real = world.lake.write_json

        def write_json(path, value):
            if path.startswith("exports-waiting/"):
                world.put_plan(PLAN, standing())
            real(path, value)

        world.lake.write_json = write_json
        await world.export_event(FOLDER)
        assert len(world.started) == 1
        assert (world.read(MESSAGE), waiting(world)) == (None, [])
