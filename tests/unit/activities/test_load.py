import json

import pytest

from activities.load import look_at_load, start_load, stop_load
from d2c.clients.azure.cosmos.management import Throughput
from d2c.clients.databricks.jobs import NotebookRun
from d2c.deploy import kernel_wheel
from d2c.deploy.kernel_wheel import KernelWheel, kernel_path
from d2c.deploy.wheel import wheel_path
from d2c.load_run.request import parse_request
from d2c.load_run.unit.log import ended_tables
from d2c.state import paths
from d2c.state.ids import run_key
from d2c.state.operations import retried_input
from d2c.state.table_record import compared_input
from tests.builders import (
    REGION,
    a_census,
    a_claim,
    a_copy,
    a_described,
    a_lane,
    a_load_run_result,
    a_record,
    a_source,
    a_stage,
    a_table,
    a_verification,
    an_end,
    an_error,
    an_export,
    an_operation,
)
from tests.unit.clients.settings import SECRETS, local_settings
from tests.unit.records import FOLDER, record

from .answers import error_of, value_of
from .queues import ends_of, file_of, log_of, put_queue, record_of, tell

LAKE = "abfss://lake@lakeaccount.dfs.core.windows.net"
UNIT = "migrations/m/work/000000/units/0-0"
DONE = "migrations/m/tables/Music/start-0-done/groups"
PREPARED = a_table(
    rules={"numbers": "string"},
    limits={"max_rejected_items": 5, "max_logical_partition_bytes": 7_000},
    source=a_source(),
    export=an_export(),
    copy=a_copy(folder="exports/m/Music/1"),
    described=a_described(),
    prepare_began="2026-06-01T12:10:00.000+00:00",
    is_prepared=True,
    may_be_scaled=True,
    is_let_go=True,
    stages=[a_stage("prepare", started_at="2026-06-01T12:10:00.000+00:00", seconds=30)],
)
RESULT = a_load_run_result(
    replayed=None,
    mismatches=[{"kind": "missing", "document": "d", "properties": []}] * 100,
    census=a_census(attributes=[{"name": "pk", "types": {"S": 1}, "inexact_numbers": 0}] * 1_000),
)


def folder(table="Music", run="start-0", attempt=1):
    return f"migrations/m/tables/{table}/{run}-{attempt}"


def put_unit(world, *names, operation=0, table=PREPARED):
    """Let the first load lane have these tables, each of them prepared."""
    tables = [{**table, "table": name, "container": name.lower()} for name in names or ("Music",)]
    put_queue(world, *tables, enters="load", operation=operation)
    tell(world, a_claim("load", *(one["table"] for one in tables)), operation=operation)


def start(world, attempt=1, **more):
    return value_of(world.answer(start_load, a_lane("load", attempt=attempt, **more)))


def look_of(world, run=0, attempt=1, **more):
    return world.answer(look_at_load, a_lane("load", attempt=attempt, run=run, **more))


def look(world, **more):
    return value_of(look_of(world, **more))


def requests(world, attempt=1):
    """Return the tables that a run was asked to load."""
    asked = json.loads(world.lake.files[f"{UNIT}-{attempt}.json"])
    return [path.removeprefix(f"{LAKE}/migrations/m/tables/").split("/")[0] for path in asked["requests"]]


def left(world):
    return ended_tables(world.lake.files.get(f"{UNIT}.jsonl", b"").decode())


def finish(world, table="Music", attempt=1, result=RESULT):
    world.lake.write_json(f"{folder(table, attempt=attempt)}/result.json", result)


def failed_in(stage, **changes):
    """Return the result of a load run that failed in its first stage."""
    return {
        "state": "failed",
        "error": an_error(stage=stage, **changes),
        "stages": [a_stage(stage, state="failed")],
    }


def run(*, ended=True, succeeded=False, cancelled=False, healable=False, message=""):
    return NotebookRun(ended, succeeded, cancelled, healable, message)


@pytest.fixture
def unit(world):
    """Return three small tables whose load run goes on."""
    put_unit(world, "Music", "Orders", "Users")
    world.databricks.runs[0] = run(ended=False)
    return world


class TestStartLoad:
    def test_the_notebook_gets_the_path_of_a_list_of_requests_that_hold_no_secret(self, world):
        put_unit(world)
        start(world)
        (submitted,) = world.databricks.submitted.values()
        assert submitted["parameters"] == {"request": f"{LAKE}/{UNIT}-1.json"}
        listed = world.lake.files[f"{UNIT}-1.json"].decode()
        assert json.loads(listed) == {
            "requests": [f"{LAKE}/{folder()}/request.json"],
            "log": f"{LAKE}/{UNIT}.jsonl",
        }
        text = world.lake.files[f"{folder()}/request.json"].decode()
        assert not [secret for secret in SECRETS.values() if secret in text + listed + str(submitted)]

    def test_a_request_has_what_the_load_of_a_table_needs(self, world):
        put_unit(world)
        start(world)
        request = parse_request(world.lake.files[f"{folder()}/request.json"].decode())
        assert request.export_folder == f"{LAKE}/exports/m/Music/1"
        assert request.result_folder == f"{LAKE}/{folder()}"
        assert f"{request.done_folder}/groups" == f"{LAKE}/{DONE}"
        assert request.stages == ("assess", "load", "verify")
        assert request.rules_history == ({"numbers": "string"},)
        assert (request.max_rejected_items, request.max_logical_partition_bytes) == (5, 7_000)

    def test_each_table_of_a_unit_has_its_own_request_and_one_run_lists_them_in_their_order(self, unit):
        start(unit)
        assert requests(unit) == ["Music", "Orders", "Users"]
        request = parse_request(unit.lake.files[f"{folder('Users')}/request.json"].decode())
        assert (request.table, request.container) == ("Users", "users")
        assert len(unit.databricks.submitted) == 1

    @pytest.mark.parametrize(
        ("names", "name"), [(["Music"], "d2c m Music"), (["Music", "a", "b"], "d2c m Music and 2 more")]
    )
    def test_people_find_the_run_by_its_tables(self, world, names, name):
        put_unit(world, *names)
        start(world)
        (submitted,) = world.databricks.submitted.values()
        assert submitted["name"] == name

    def test_the_cluster_gets_the_native_kernel_that_fits_it(self, unit, monkeypatch):
        kernel = KernelWheel("d2c_kernel-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl", b"")
        monkeypatch.setattr(kernel_wheel, "own_kernel", lambda: kernel)
        monkeypatch.setattr(kernel_wheel, "misfit", lambda *things: None)
        start(unit)
        (submitted,) = unit.databricks.submitted.values()
        assert submitted["libraries"][2:] == [{"whl": kernel_path(kernel, unit.settings.wheel_path)}]

    def test_the_cluster_gets_the_connector_and_the_apps_own_wheel(self, unit, monkeypatch):
        monkeypatch.setattr(kernel_wheel, "own_kernel", lambda: None)
        start(unit)
        (submitted,) = unit.databricks.submitted.values()
        connector, wheel = submitted["libraries"]
        assert connector["maven"]["coordinates"].startswith(
            "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:"
        )
        assert wheel == {"whl": wheel_path(unit.settings.wheel_path)}
        load_runs = unit.settings.load_runs
        assert connector == {"maven": {"coordinates": load_runs.connector}}
        assert (submitted["timeout_seconds"], submitted["viewers"]) == (604_800, load_runs.viewers)
        assert (submitted["notebook_path"], submitted["cluster"]) == (
            "/Shared/load",
            {"existing_cluster_id": "0601-1"},
        )

    @pytest.mark.parametrize(
        ("peaks", "kind", "workers"),
        [
            ((4_000, 400), "start", 1),
            ((20_000, 20_000), "start", 3),
            ((20_000, None), "start", 8),
            ((4_000, 400), "verify", 8),
        ],
    )
    def test_the_cluster_has_the_workers_that_the_loads_of_its_tables_need(self, unit, peaks, kind, workers):
        unit.settings = local_settings(D2C_CLUSTER='{"node_type_id": "Standard_D4ds_v5"}')
        put_unit(unit, "Music", "Orders")
        for name, peak in zip(("Music", "Orders"), peaks, strict=True):
            table = {**PREPARED, "table": name, "described": a_described(peak_ru_per_second=peak)}
            unit.lake.write_json(paths.MigrationFiles("m").work(0).table(name), table)
        start(unit, kind=kind)
        (submitted,) = unit.databricks.submitted.values()
        assert submitted["cluster"]["autoscale"]["max_workers"] == workers

    def test_what_tables_of_a_database_share_counts_once(self, unit):
        unit.settings = local_settings(D2C_CLUSTER='{"node_type_id": "Standard_D4ds_v5"}')
        put_unit(unit, "Music", "Orders")
        shared = {"ru_per_second": 20_000, "autoscale": True}
        for name in ("Music", "Orders"):
            described = a_described(peak_ru_per_second=None, shared=shared)
            table = {**PREPARED, "table": name, "described": described}
            unit.lake.write_json(paths.MigrationFiles("m").work(0).table(name), table)
        start(unit)
        (submitted,) = unit.databricks.submitted.values()
        assert submitted["cluster"]["autoscale"]["max_workers"] == 2

    @pytest.mark.parametrize(
        ("percent", "described", "paced"),
        [
            ("50", a_described(created=False, peak_ru_per_second=4_000), 2_000),
            ("100", a_described(created=False, peak_ru_per_second=4_000), None),
            ("50", a_described(created=False, peak_ru_per_second=None), None),
            ("50", a_described(peak_ru_per_second=4_000), None),
        ],
    )
    def test_verify_leaves_ru_of_a_container_that_was_there_before_to_others(
        self, unit, percent, described, paced
    ):
        unit.settings = local_settings(D2C_VERIFY_RU_PERCENT=percent, D2C_NOTEBOOK_PATH="/Shared/load")
        put_unit(unit, "Music")
        path = paths.MigrationFiles("m").work(0).table("Music")
        unit.lake.write_json(path, {**PREPARED, "described": described})
        start(unit)
        assert file_of(unit).get("verify_ru_per_second") == paced
        text = unit.lake.files[f"{folder()}/request.json"].decode()
        assert parse_request(text).verify_ru_per_second == paced

    def test_a_second_try_gives_the_same_run_and_another_attempt_another(self, unit):
        first = start(unit)
        assert start(unit) == first
        assert start(unit, attempt=2) != first
        assert list(unit.databricks.submitted) == [
            run_key(an_operation(), "unit 0-0", "load", number) for number in (1, 2)
        ]

    def test_all_attempts_have_what_is_done_in_one_folder_and_each_table_its_own(self, unit):
        for attempt in (1, 2):
            start(unit, attempt=attempt)
        texts = (
            unit.lake.files[f"{folder(name, attempt=attempt)}/request.json"].decode()
            for name in ("Music", "Users")
            for attempt in (1, 2)
        )
        folders = [parse_request(text).done_folder for text in texts]
        assert folders[0] == folders[1] != folders[2] == folders[3]

    def test_a_second_try_submits_the_list_that_the_first_one_wrote(self, unit):
        start(unit)
        tell(unit, an_end("Orders"))
        start(unit)
        assert requests(unit) == ["Music", "Orders", "Users"]

    def test_another_attempt_leaves_the_first_ones_requests_alone(self, unit):
        start(unit)
        before = unit.lake.files[f"{UNIT}-1.json"]
        start(unit, attempt=2)
        assert unit.lake.files[f"{UNIT}-1.json"] == before
        assert f"{folder('Users', attempt=2)}/request.json" in unit.lake.files

    def test_a_try_that_broke_off_while_it_submitted_is_followed_by_one_that_submits_once(self, unit):
        submit, unit.databricks.start_run = unit.databricks.start_run, None
        error_of(unit.answer(start_load, a_lane("load", attempt=1)), "transient")
        unit.databricks.start_run = submit
        assert start(unit) == start(unit) == 0

    def test_another_lane_and_another_turn_are_other_runs(self, unit):
        start(unit)
        tell(unit, an_end("Music"), an_end("Orders"), an_end("Users"))
        put_queue(unit, *({**PREPARED, "table": name, "container": name} for name in "abc"), enters="load")
        tell(unit, a_claim("load", "a", turn=1), a_claim("load", "b", lane=1))
        assert [start(unit, turn=1), start(unit, lane=1)] == [1, 2]

    def test_a_table_that_was_cancelled_before_is_not_loaded_and_the_others_are(self, unit):
        unit.cancel("Orders")
        start(unit)
        assert requests(unit) == ["Music", "Users"]
        assert ends_of(unit) == {"Orders": "cancelled"}

    def test_a_table_that_is_cancelled_between_two_tries_is_taken_from_the_run(self, unit):
        start(unit)
        unit.cancel("Orders")
        start(unit)
        assert requests(unit) == ["Music", "Orders", "Users"]
        assert left(unit) == {"Orders"}

    def test_a_cancelled_unit_submits_nothing(self, unit):
        unit.cancel()
        error_of(unit.answer(start_load, a_lane("load", attempt=1)), "cancelled")
        assert unit.databricks.submitted == {}

    def test_a_unit_whose_tables_ended_meanwhile_submits_nothing(self, unit):
        tell(unit, *(an_end(name) for name in ("Music", "Orders", "Users")))
        assert "have ended" in error_of(unit.answer(start_load, a_lane("load", attempt=1)))["detail"]
        assert unit.databricks.submitted == {}


class TestLookAtLoad:
    def test_a_run_goes_on_while_a_table_has_no_result(self, unit):
        progress = {"attempt": 1, "tables": 3}
        assert look(unit) == {"state": "running", "progress": progress}
        assert ends_of(unit) == {}

    def test_what_is_shown_does_not_grow_with_the_unit(self, world):
        put_unit(world, *(f"t{number}" for number in range(100)))
        world.databricks.runs[0] = run(ended=False)
        assert len(json.dumps(look(world))) < 100

    def test_each_table_ends_as_soon_as_its_result_is_there(self, unit):
        finish(unit, "Orders")
        assert look(unit)["progress"]["tables"] == 2
        assert ends_of(unit) == {"Orders": "succeeded"}
        finish(unit, "Music")
        assert look(unit)["progress"]["tables"] == 1
        finish(unit, "Users", result={**RESULT, "state": "failed", "error": an_error(stage="assess")})
        assert look(unit) == {"state": "succeeded", "result": 0}
        assert ends_of(unit) == {"Orders": "succeeded", "Music": "succeeded", "Users": "failed"}

    def test_its_record_has_the_stages_of_the_run_behind_those_of_the_app(self, unit):
        finish(unit, "Orders")
        look(unit)
        stages = [stage["stage"] for stage in record_of(unit, "Orders")["stages"]]
        assert stages == ["prepare", "assess", "load", "verify", "report"]

    def test_a_look_that_is_repeated_ends_nothing_twice(self, unit):
        finish(unit, "Orders")
        look(unit)
        before = dict(unit.lake.files)
        look(unit)
        assert unit.lake.files == before

    def test_a_look_that_broke_off_while_a_table_ended_is_made_good(self, unit):
        finish(unit, "Orders")
        append, unit.lake.append = unit.lake.append, None
        error_of(look_of(unit), "transient")
        unit.lake.append = append
        look(unit)
        stages = [stage["stage"] for stage in record_of(unit, "Orders")["stages"]]
        assert stages == ["prepare", "assess", "load", "verify", "report"]
        assert ends_of(unit) == {"Orders": "succeeded"}

    def test_a_result_in_the_midst_of_being_written_is_waited_for_and_the_others_end(self, unit):
        unit.lake.files[f"{folder('Music')}/result.json"] = b'{"state": '
        finish(unit, "Users")
        error_of(look_of(unit), "transient")
        assert ends_of(unit) == {"Users": "succeeded"}

    def test_a_run_that_somebody_cancelled_is_not_started_again(self, unit):
        unit.databricks.runs[0] = run(cancelled=True)
        assert "was cancelled in Databricks" in error_of(look_of(unit))["detail"]

    @pytest.mark.parametrize("healable", [True, False])
    def test_a_run_that_the_lake_refused_is_not_followed_by_another(self, unit, healable):
        told = "Operation failed: This request is not authorized, 403, AuthorizationPermissionMismatch"
        unit.databricks.runs[0] = run(healable=healable, message=told)
        error = error_of(look_of(unit))
        assert told in error["detail"]
        assert "with which Spark reaches the lake" in error["next_step"]

    @pytest.mark.parametrize(("healable", "marks"), [(True, ("another_run",)), (False, ())])
    def test_only_a_failure_of_the_platform_is_followed_by_another_run(self, unit, healable, marks):
        unit.databricks.runs[0] = run(healable=healable, message="it broke")
        assert "Load run 0 failed: it broke" in error_of(look_of(unit), *marks)["detail"]

    def test_a_lost_run_that_has_done_nothing_has_not_progressed(self, unit):
        start(unit)
        unit.lake.write(f"{DONE}/start-0-2.assess.0.json", b"of another attempt")
        unit.databricks.runs[0] = run(healable=True)
        assert "progressed" not in error_of(look_of(unit), "another_run")

    def test_a_lost_run_that_has_done_some_files_has_progressed(self, unit):
        start(unit)
        unit.lake.write(f"{DONE}/start-0-1.assess.0.json", b"{}")
        unit.databricks.runs[0] = run(healable=True)
        assert error_of(look_of(unit), "another_run")["progressed"]

    @pytest.mark.parametrize("just_now", [True, False])
    def test_a_lost_run_that_has_brought_a_table_to_its_end_has_progressed(self, unit, just_now):
        start(unit)
        finish(unit, "Music")
        if not just_now:
            look(unit)
        unit.databricks.runs[0] = run(healable=True)
        assert error_of(look_of(unit), "another_run")["progressed"]

    def test_what_of_a_result_could_grow_stays_in_the_lake(self, unit):
        finish(unit, "Users")
        look(unit)
        kept = {name: RESULT[name] for name in RESULT.keys() - {"mismatches", "census"}}
        assert record_of(unit, "Users")["load"] == {**kept, "result_path": f"{folder('Users')}/result.json"}

    @pytest.mark.parametrize(
        "ending", [run(ended=False), run(cancelled=True), run(healable=True), run(succeeded=True)]
    )
    def test_tables_whose_results_are_there_are_done_whatever_becomes_of_the_run(self, world, ending):
        put_unit(world)
        world.databricks.runs[0] = ending
        finish(world)
        assert look(world) == {"state": "succeeded", "result": 0}
        assert ends_of(world) == {"Music": "succeeded"}

    def test_a_unit_that_has_ended_needs_no_look_at_its_run(self, world):
        put_unit(world)
        tell(world, an_end("Music"))
        assert look(world) == {"state": "succeeded", "result": 0}

    def test_a_result_may_lack_the_stages_that_did_not_come(self, unit):
        finish(unit, "Users", result=failed_in("assess"))
        look(unit)
        record = record_of(unit, "Users")
        assert record["error"]["stage"] == "assess"
        assert (record["load"]["loaded"], record["load"]["verification"]) == (None, None)

    def test_a_result_that_is_none_ends_its_table_alone(self, unit):
        finish(unit, "Users", result={"state": "succeeded", "error": None, "stages": []})
        assert look(unit)["progress"]["tables"] == 2
        error = record_of(unit, "Users")["error"]
        assert f"{folder('Users')}/result.json is not the result of a load run" in error["detail"]
        assert ends_of(unit) == {"Users": "failed"}

    def test_a_notebook_can_call_no_failure_a_cancellation(self, unit):
        finish(unit, "Users", result=failed_in("assess", cancelled=True, another_run=True))
        look(unit)
        assert ends_of(unit) == {"Users": "failed"}

    def test_a_run_that_left_no_result_is_no_success(self, unit):
        unit.databricks.runs[0] = run(succeeded=True)
        finish(unit, "Music")
        detail = error_of(look_of(unit))["detail"]
        assert "without a result for 2 of its tables, Orders among them" in detail
        assert ends_of(unit) == {"Music": "succeeded"}

    def test_what_a_run_wrote_by_its_end_is_read(self, unit):
        def ended(run_id):
            for name in ("Music", "Orders", "Users"):
                finish(unit, name)
            return run(succeeded=True)

        unit.databricks.get_run = ended
        assert look(unit)["state"] == "succeeded"

    def test_after_a_lost_cluster_only_those_without_a_result_are_loaded_again(self, unit):
        start(unit)
        finish(unit, "Orders")
        unit.databricks.runs = {0: run(healable=True, message="lost"), 1: run(ended=False)}
        error_of(look_of(unit), "another_run")
        assert start(unit, attempt=2) == 1
        assert requests(unit, attempt=2) == ["Music", "Users"]
        finish(unit, "Users", attempt=2)
        assert look(unit, run=1, attempt=2) == {"state": "running", "progress": {"attempt": 2, "tables": 1}}
        assert record_of(unit, "Users")["load"]["result_path"] == f"{folder('Users', attempt=2)}/result.json"

    def test_throughput_that_cannot_be_put_back_now_is_tried_again_and_the_others_end(self, unit):
        for name in ("Music", "Users"):
            finish(unit, name)
        find, failures = unit.cosmos.find_container, ["music"]

        def find_container(database, container):
            if container in failures:
                raise KeyError("no answer")
            return find(database, container)

        unit.cosmos.find_container = find_container
        error_of(look_of(unit), "transient")
        assert ends_of(unit) == {"Users": "succeeded"}
        failures.clear()
        look(unit)
        assert ends_of(unit) == {"Users": "succeeded", "Music": "succeeded"}


class TestCancellingInAUnit:
    def test_one_table_ends_and_the_run_goes_on_for_the_others(self, unit):
        start(unit)
        unit.cancel("Users")
        assert look(unit)["progress"]["tables"] == 2
        assert left(unit) == {"Users"}
        assert ends_of(unit) == {"Users": "cancelled"}
        assert unit.databricks.cancelled == []

    def test_it_is_told_that_it_alone_was_cancelled_and_in_which_stage(self, unit):
        start(unit)
        unit.cancel("Users")
        look(unit)
        record = record_of(unit, "Users")
        assert "Table Users of migration m was cancelled" in record["error"]["detail"]
        assert (record["error"]["stage"], record["stages"][1]["state"]) == ("load", "cancelled")

    def test_documents_that_it_wrote_do_not_stop_its_retry(self, unit):
        start(unit)
        unit.cancel("Users")
        look(unit)
        assert "described" in retried_input(record_of(unit, "Users"), {"table": "Users"})

    def test_it_is_no_longer_submitted_after_a_lost_cluster(self, unit):
        start(unit)
        unit.cancel("Users")
        unit.databricks.runs[0] = run(healable=True, message="lost")
        error_of(look_of(unit), "another_run")
        start(unit, attempt=2)
        assert requests(unit, attempt=2) == ["Music", "Orders"]

    @pytest.mark.parametrize("named", [(), ("Music", "Orders", "Users")])
    def test_once_all_are_cancelled_the_unit_is(self, unit, named):
        start(unit)
        unit.cancel(*named)
        error_of(look_of(unit), "cancelled")
        assert ends_of(unit) == {}

    def test_once_all_that_are_left_are_cancelled_the_unit_is(self, unit):
        start(unit)
        finish(unit, "Music")
        look(unit)
        unit.cancel("Orders", "Users")
        error_of(look_of(unit), "cancelled")
        assert ends_of(unit) == {"Music": "succeeded"}

    def test_stopping_asks_the_run_to_stop_even_though_the_migration_is_cancelled(self, unit):
        unit.cancel()
        value_of(unit.answer(stop_load, a_lane("load", attempt=1, run=0)))
        assert unit.databricks.cancelled == [0]


VERIFY = {"operation": 3, "kind": "verify"}


class TestComparing:
    @pytest.fixture
    def verified(self, world):
        kept = a_record()
        world.lake.write_json(paths.MigrationFiles("m").table("Music").record, kept)
        entry = {"table": "Music", "rules": None, "verify": "counts"}
        put_unit(world, operation=3, table=compared_input(kept, "verify", 3, entry))
        world.databricks.runs[0] = run(ended=False)
        return world

    def test_a_verify_has_a_folder_of_its_own_and_is_told_what_there_is(self, verified):
        start(verified, **VERIFY)
        text = verified.lake.files[f"{folder(run='verify-3')}/request.json"].decode()
        request = parse_request(text)
        assert (request.stages, request.verify) == (("verify",), "counts")
        assert (request.load_started_at, request.documents_written) == (1_780_000_000, 7)
        assert request.rejected_folder == f"{LAKE}/{folder()}/rejected"
        assert request.verify_ru_per_second is None
        assert list(verified.databricks.submitted) == [
            run_key(an_operation(operation=3), "unit 0-0", "load", 1)
        ]

    def test_it_takes_a_part_of_the_ru_that_the_container_has_by_now(self, verified):
        verified.cosmos.throughput = Throughput(1_000, False, 400, False)
        start(verified, **VERIFY)
        text = verified.lake.files[f"{folder(run='verify-3')}/request.json"].decode()
        assert parse_request(text).verify_ru_per_second == 500

    def test_it_ends_its_table_and_leaves_the_log_of_the_start_alone(self, verified):
        result = {
            "state": "succeeded",
            "error": None,
            "stages": [a_stage("verify")],
            "verification": a_verification(method="counts"),
        }
        verified.lake.write_json(f"{folder(run='verify-3')}/result.json", result)
        assert look(verified, **VERIFY)["state"] == "succeeded"
        assert ends_of(verified, 3) == {"Music": "succeeded"}
        assert log_of(verified) == []
        (operation,) = record_of(verified)["operations"]
        assert (operation["operation"], operation["number"]) == ("verify", 3)

    def test_one_that_fails_leaves_the_record_as_it_was(self, verified):
        before = record_of(verified)
        verified.lake.write_json(f"{folder(run='verify-3')}/result.json", failed_in("verify"))
        look(verified, **VERIFY)
        assert ends_of(verified, 3) == {"Music": "failed"}
        assert record_of(verified) == before

    def test_it_obeys_its_own_cancellation_and_not_the_migrations(self, verified):
        verified.cancel()
        assert look(verified, **VERIFY)["state"] == "running"
        verified.cancel(operation=3)
        error = error_of(look_of(verified, **VERIFY), "cancelled")
        assert "verify-3 of migration m" in error["detail"]

    def test_its_file_has_its_result_for_who_reads_how_it_ended(self, verified):
        verified.lake.write_json(f"{folder(run='verify-3')}/result.json", failed_in("verify"))
        look(verified, **VERIFY)
        assert file_of(verified, operation=3)["load"]["result_path"].startswith(folder(run="verify-3"))

    def test_a_replay_is_told_its_rules_and_what_was_rejected(self, world):
        limits = {"max_rejected_items": 5, "max_logical_partition_bytes": 9}
        kept = record(migration="m", region=REGION, limits=limits)
        entry = {"table": "Music", "rules": {"numbers": "exact"}, "verify": None}
        put_unit(world, operation=2, table=compared_input(kept, "replay", 2, entry))
        start(world, operation=2, kind="replay")
        text = world.lake.files[f"{folder(run='replay-2')}/request.json"].decode()
        request = parse_request(text)
        assert (request.stages, request.verify) == (("replay", "verify"), "full")
        assert request.rules_history == ({"numbers": "reject"}, {"numbers": "exact"})
        assert (request.documents_written, request.items_rejected) == (6, 3)
        assert request.rejected_folder == f"{LAKE}/{FOLDER}/start-0-1/rejected"
        assert request.result_folder.endswith("/replay-2-1")

    def test_a_second_try_gives_the_same_run(self, verified):
        assert start(verified, **VERIFY) == start(verified, **VERIFY)
        assert len(verified.databricks.submitted) == 1
