import json

import pytest

from activities.load import look_at_load, start_load, stop_load
from d2c.clients.databricks.jobs import NotebookRun
from d2c.deploy.wheel import wheel_path
from d2c.load_run.groups import left
from d2c.load_run.request import parse_request
from d2c.state.ids import run_key
from d2c.state.paths import cancel_path
from tests.builders import a_copy, a_load, a_source, a_table, an_export
from tests.unit.clients.settings import SECRETS

from .answers import error_of, value_of

FOLDER = "migrations/m/tables/Music/load-1"
PAYLOAD = a_table(
    rules={"numbers": "string"},
    limits={"max_rejected_items": 5, "max_logical_partition_bytes": 7_000},
    attempt=1,
    source=a_source(),
    export=an_export(),
    copy=a_copy(folder="exports/m/Music/1"),
)
LOOK = {**PAYLOAD, "run": 0}
RESULT = {
    **{name: value for name, value in a_load().items() if name != "result_path"},
    "mismatches": [{"kind": "missing", "document": "d"}] * 100,
    "census": {"attributes": [{"name": "pk", "types": {"S": 1}, "inexact_numbers": 0}] * 1_000},
}


class TestStartLoad:
    def test_the_notebook_gets_the_path_of_a_request_that_holds_no_secret(self, world):
        value_of(world.answer(start_load, PAYLOAD))
        (run,) = world.databricks.submitted.values()
        assert run["parameters"] == {
            "request": f"abfss://lake@lakeaccount.dfs.core.windows.net/{FOLDER}/request.json"
        }
        text = world.lake.files[f"{FOLDER}/request.json"].decode()
        assert not [secret for secret in SECRETS.values() if secret in text + str(run)]
        request = parse_request(text)
        assert request.export_folder == "abfss://lake@lakeaccount.dfs.core.windows.net/exports/m/Music/1"
        assert request.result_folder == f"abfss://lake@lakeaccount.dfs.core.windows.net/{FOLDER}"
        assert request.rules_history == ({"numbers": "string"},)
        assert (request.max_rejected_items, request.max_logical_partition_bytes) == (5, 7_000)

    def test_the_cluster_gets_the_connector_and_the_apps_own_wheel(self, world):
        value_of(world.answer(start_load, PAYLOAD))
        (run,) = world.databricks.submitted.values()
        connector, wheel = run["libraries"]
        assert connector["maven"]["coordinates"].startswith(
            "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:"
        )
        assert wheel == {"whl": wheel_path(world.settings.wheel_path)}
        assert (run["notebook_path"], run["cluster"]) == ("/Shared/load", {"existing_cluster_id": "0601-1"})

    def test_a_second_try_gives_the_same_run_and_another_attempt_another(self, world):
        first = value_of(world.answer(start_load, PAYLOAD))
        assert value_of(world.answer(start_load, PAYLOAD)) == first
        assert value_of(world.answer(start_load, {**PAYLOAD, "attempt": 2})) != first
        assert list(world.databricks.submitted) == [
            run_key("m", "Music", "load", number) for number in (1, 2)
        ]

    def test_another_attempt_leaves_the_first_ones_results_alone(self, world):
        value_of(world.answer(start_load, PAYLOAD))
        value_of(world.answer(start_load, {**PAYLOAD, "attempt": 2}))
        assert {
            "migrations/m/tables/Music/load-1/request.json",
            "migrations/m/tables/Music/load-2/request.json",
        } == set(world.lake.files)


def run(*, ended=True, succeeded=False, cancelled=False, healable=False, message=""):
    return NotebookRun(ended, succeeded, cancelled, healable, message)


class TestLookAtLoad:
    def test_a_run_goes_on_and_shows_what_the_notebook_says(self, world):
        world.databricks.runs[0] = run(ended=False)
        assert value_of(world.answer(look_at_load, LOOK)) == {"state": "running", "progress": {}}
        world.lake.write_json(f"{FOLDER}/progress.json", {"stages": []})
        assert value_of(world.answer(look_at_load, LOOK))["progress"] == {"stages": []}

    @pytest.mark.parametrize("content", [b"", b'{"stages": ['])
    def test_progress_that_is_being_written_is_no_fault(self, world, content):
        world.databricks.runs[0] = run(ended=False)
        world.lake.files[f"{FOLDER}/progress.json"] = content
        assert value_of(world.answer(look_at_load, LOOK)) == {"state": "running", "progress": {}}

    def test_a_run_that_somebody_cancelled_is_not_started_again(self, world):
        world.databricks.runs[0] = run(cancelled=True)
        assert "was cancelled in Databricks" in error_of(world.answer(look_at_load, LOOK))["detail"]

    @pytest.mark.parametrize(("healable", "marks"), [(True, ("another_run",)), (False, ())])
    def test_only_a_failure_of_the_platform_is_followed_by_another_run(self, world, healable, marks):
        world.databricks.runs[0] = run(healable=healable, message="it broke")
        error = error_of(world.answer(look_at_load, LOOK), *marks)
        assert "Load run 0 failed: it broke" in error["detail"]

    def test_what_of_a_result_could_grow_stays_in_the_lake(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        world.lake.write_json(f"{FOLDER}/result.json", RESULT)
        look = value_of(world.answer(look_at_load, LOOK))
        kept = {name: RESULT[name] for name in RESULT.keys() - {"mismatches", "census"}}
        assert look == {"state": "succeeded", "result": {**kept, "result_path": f"{FOLDER}/result.json"}}

    @pytest.mark.parametrize("ending", [run(ended=False), run(cancelled=True), run(healable=True)])
    def test_a_table_whose_result_is_there_is_done_whatever_becomes_of_the_run(self, world, ending):
        world.databricks.runs[0] = ending
        world.lake.write_json(f"{FOLDER}/result.json", RESULT)
        assert value_of(world.answer(look_at_load, LOOK))["state"] == "succeeded"

    def test_a_result_may_lack_the_stages_that_did_not_come(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        failed = {"state": "failed", "error": {"detail": "d"}, "stages": []}
        world.lake.files[f"{FOLDER}/result.json"] = json.dumps(failed).encode()
        result = value_of(world.answer(look_at_load, LOOK))["result"]
        assert (result["error"], result["loaded"], result["verification"]) == ({"detail": "d"}, None, None)

    def test_a_run_that_left_no_result_is_no_success(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        assert FOLDER in error_of(world.answer(look_at_load, LOOK))["detail"]


def test_stopping_asks_the_run_to_stop_even_though_the_migration_is_cancelled(world):
    world.cancel("m")
    value_of(world.answer(stop_load, LOOK))
    assert world.databricks.cancelled == [0]


class Group:
    """Three small tables that share a load run."""

    TABLES = ("Music", "Orders", "Users")
    FOLDER = "migrations/m/groups/0-3-{attempt}"

    def __init__(self, world):
        self.world = world
        self.runs = {}

    def payload(self, table, attempt=1):
        group = {"id": "0-3", "tables": list(self.TABLES)}
        payload = {**PAYLOAD, "table": table, "attempt": attempt, "load_group": group}
        return {**payload, "run": self.runs[table]} if table in self.runs else payload

    def start(self, *tables, attempt=1):
        for table in tables:
            self.runs[table] = value_of(self.world.answer(start_load, self.payload(table, attempt)))

    def look(self, table, attempt=1):
        return self.world.answer(look_at_load, self.payload(table, attempt))

    def stop(self, table):
        # As the orchestration does it: with no attempt.
        payload = self.payload(table)
        del payload["attempt"]
        value_of(self.world.answer(stop_load, payload))

    def finish(self, table, attempt=1):
        self.world.lake.write_json(f"migrations/m/tables/{table}/load-{attempt}/result.json", RESULT)

    def requests(self, attempt=1):
        folder = self.FOLDER.format(attempt=attempt)
        asked = json.loads(self.world.lake.files[f"{folder}/requests.json"])
        return [path.split("/tables/")[1] for path in asked["requests"]]


@pytest.fixture
def group(world):
    world.databricks.runs[0] = run(ended=False)
    return Group(world)


class TestASharedRun:
    def test_a_table_waits_for_those_that_have_neither_joined_nor_left(self, world, group):
        group.start("Users")
        look = value_of(group.look("Users"))
        assert look == {"state": "running", "progress": {"waits_for": ["Music", "Orders"]}}
        group.start("Music")
        assert value_of(group.look("Users"))["progress"] == {"waits_for": ["Orders"]}
        assert not world.databricks.submitted

    def test_only_a_few_of_many_are_named(self, world, group):
        group.TABLES = [f"T{number:03}" for number in range(100)]
        group.start("T007")
        names = value_of(group.look("T007"))["progress"]["waits_for"]
        assert names == ["T000", "T001", "T002", "T003", "T004"]

    def test_whoever_looks_submits_the_one_run_and_it_lists_all_requests_in_their_order(self, world, group):
        group.start("Users", "Music", "Orders")
        for table in ("Orders", "Users", "Music"):
            assert value_of(group.look(table)) == {"state": "running", "progress": {}}
        assert list(world.databricks.submitted) == [run_key("m", "group:0-3", "load", 1)]
        (submitted,) = world.databricks.submitted.values()
        lake = "abfss://lake@lakeaccount.dfs.core.windows.net"
        assert submitted["name"] == "d2c m 0-3"
        assert submitted["parameters"] == {"request": f"{lake}/migrations/m/groups/0-3-1/requests.json"}
        assert group.requests() == [f"{table}/load-1/request.json" for table in group.TABLES]
        asked = json.loads(world.lake.files["migrations/m/groups/0-3-1/requests.json"])
        assert asked["log"] == f"{lake}/migrations/m/groups/0-3.jsonl"

    def test_each_table_has_its_own_request_progress_and_result(self, world, group):
        group.start(*group.TABLES)
        request = parse_request(world.lake.files["migrations/m/tables/Users/load-1/request.json"].decode())
        assert request.table == "Users"
        world.lake.write_json("migrations/m/tables/Users/load-1/progress.json", {"stages": [], "done": 1})
        assert value_of(group.look("Users"))["progress"] == {"stages": [], "done": 1}
        assert value_of(group.look("Music"))["progress"] == {}

    def test_a_table_is_done_with_its_result_though_the_run_goes_on_for_others(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        group.finish("Music")
        look = value_of(group.look("Music"))
        assert look["state"] == "succeeded"
        assert look["result"]["result_path"] == "migrations/m/tables/Music/load-1/result.json"
        assert value_of(group.look("Users"))["state"] == "running"

    def test_a_table_that_left_before_is_not_loaded(self, world, group):
        world.lake.append("migrations/m/groups/0-3.jsonl", {"table": "Orders", "did": "left"})
        group.start("Music", "Users")
        value_of(group.look("Users"))
        assert group.requests() == ["Music/load-1/request.json", "Users/load-1/request.json"]

    @pytest.mark.parametrize("crash", ["requests.json", "run.json"])
    def test_a_crash_while_submitting_starts_nothing_twice(self, world, group, monkeypatch, crash):
        group.start(*group.TABLES)
        write = world.lake.write

        def write_until_crash(path, content):
            if path.endswith(crash):
                monkeypatch.setattr(world.lake, "write", write)
                raise OSError("the worker dies here")
            write(path, content)

        monkeypatch.setattr(world.lake, "write", write_until_crash)
        error_of(group.look("Music"), "transient")
        assert value_of(group.look("Users"))["state"] == "running"
        assert len(world.databricks.submitted) == 1

    def test_a_start_that_is_repeated_joins_once(self, world, group):
        group.start("Music", "Music", "Orders", "Users")
        value_of(group.look("Music"))
        assert group.requests() == [f"{table}/load-1/request.json" for table in group.TABLES]

    def test_after_a_lost_cluster_those_that_are_not_done_meet_again(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        group.finish("Orders")
        world.databricks.runs = {0: run(healable=True, message="lost"), 1: run(ended=False)}
        error_of(group.look("Music"), "another_run")
        group.start("Music", attempt=2)
        assert value_of(group.look("Music", 2))["progress"] == {"waits_for": ["Orders", "Users"]}
        assert value_of(group.look("Orders"))["state"] == "succeeded"
        error_of(group.look("Users"), "another_run")
        group.start("Users", attempt=2)
        assert value_of(group.look("Users", 2))["state"] == "running"
        assert group.requests(2) == ["Music/load-2/request.json", "Users/load-2/request.json"]
        assert list(world.databricks.submitted) == [
            run_key("m", "group:0-3", "load", number) for number in (1, 2)
        ]

    def test_no_table_that_is_loaded_alone_has_the_groups_run_key(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        alone = value_of(world.answer(start_load, {**PAYLOAD, "table": "0-3"}))
        assert alone == 1

    def test_a_revisit_of_a_table_has_a_run_for_itself(self, world, group):
        revisit = {
            "name": "verify-1",
            "stages": ["verify"],
            "rules_history": [{}],
            "load_started_at": 1_780_000_000,
            "documents_written": 7,
            "rejected_folder": None,
            "items_rejected": 0,
        }
        assert value_of(world.answer(start_load, {**group.payload("Music"), "revisit": revisit})) == 0

    def test_a_table_without_a_group_is_loaded_alone(self, world):
        assert value_of(world.answer(start_load, {**PAYLOAD, "load_group": None})) == 0


class TestStoppingASharedRun:
    def test_one_table_leaves_and_the_run_goes_on_for_the_others(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        world.lake.write_json(cancel_path("m"), {"tables": ["Users"]})
        error_of(group.look("Users"), "cancelled")
        group.stop("Users")
        assert world.databricks.cancelled == []
        assert left(world.lake.read_log("migrations/m/groups/0-3.jsonl")) == {"Users"}
        assert value_of(group.look("Music"))["state"] == "running"

    def test_a_table_that_is_cancelled_while_others_are_awaited_is_not_waited_for(self, world, group):
        group.start("Music", "Users")
        group.stop("Users")
        group.start("Orders")
        assert value_of(group.look("Orders"))["state"] == "running"

    def test_a_cancelled_migration_stops_the_run(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        world.lake.write_json(cancel_path("m"), {"tables": None})
        group.stop("Users")
        assert world.databricks.cancelled == [0]

    def test_a_run_that_was_submitted_by_who_then_crashed_is_stopped_too(self, world, group):
        group.start(*group.TABLES)
        value_of(group.look("Music"))
        del world.lake.files["migrations/m/groups/0-3-1/run.json"]
        world.lake.write_json(cancel_path("m"), {"tables": None})
        group.stop("Music")
        assert world.databricks.cancelled == [0]
        assert len(world.databricks.submitted) == 1

    def test_a_run_that_nobody_submitted_is_not_submitted_to_be_stopped(self, world, group):
        group.start(*group.TABLES)
        world.lake.write_json(cancel_path("m"), {"tables": None})
        for table in group.TABLES:
            group.stop(table)
        assert (world.databricks.submitted, world.databricks.cancelled) == ({}, [])
