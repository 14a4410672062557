"""A table between assess and load: its container, the word that lets it go, and a second load run."""

import json
from dataclasses import asdict, replace

import pytest

from activities.lanes import end_lost, end_tables
from activities.load import look_at_load, start_load
from d2c.clients.databricks.jobs import NotebookRun
from d2c.errors import BusyError
from d2c.load_run.request import parse_request
from d2c.load_run.unit.handover import Assessed
from d2c.load_run.unit.log import ended_tables, tables_let_go
from d2c.state.operations import may_have_written, retried_input, why_not_changed
from d2c.state.table_record import rejected_folder
from tests.builders import a_copy, a_lane, a_load, a_stage, an_error, some_sums

from .answers import error_of, value_of
from .containers import TABLE, existing, lock, manual, prepare, put_unit, raising, scale
from .fakes import CrashError
from .queues import ends_of, file_of, record_of

LAKE = "abfss://lake@lakeaccount.dfs.core.windows.net"
UNIT = "migrations/m/work/000000/units/0-0"
FOLDER = "migrations/m/tables/Music/start-0-1"
SECOND = "migrations/m/tables/Music/start-0-second-1"
ASSESS = a_stage("assess", started_at="2026-06-01T12:20:00.000+00:00", seconds=60)
FOUND = Assessed(
    assessed_at=1_780_000_000,
    assessed=some_sums(documents=5, document_bytes=500),
    files={"listed": 2, "verified": 2},
    census={"write_ru": 50},
    listing="0" * 64,
    stages=(ASSESS,),
)
RUNNING = NotebookRun(ended=False, succeeded=False, cancelled=False, healable=False, message="")
SUCCEEDED = replace(RUNNING, ended=True, succeeded=True)
LOST = replace(RUNNING, ended=True, healable=True, message="The cluster was lost.")


@pytest.fixture
def unit(world):
    """Return a table, and a container for it that is there, in a load run that goes on."""
    existing(world, manual(400))
    put_unit(world, {**TABLE, "copy": a_copy()})
    value_of(prepare(world))
    value_of(world.answer(start_load, a_lane("load", attempt=1)))
    world.databricks.runs = dict.fromkeys(range(9), RUNNING)
    return world


def look(world, attempt=1, **more):
    return value_of(world.answer(look_at_load, a_lane("load", attempt=attempt, run=0, **more)))


def assess(world, folder=FOLDER, found=FOUND):
    wait(world, folder)
    world.lake.write_json(f"{folder}/assessed.json", asdict(found))


def wait(world, folder=FOLDER):
    """Let the run tell that a table waits, as it does before it says what it has assessed."""
    world.lake.write_json(f"{folder}/progress.json", {"stages": [ASSESS], "is_waiting": True})


def finish(world, folder=FOLDER, **changes):
    result = {**a_load(), **changes}
    world.lake.write_json(f"{folder}/result.json", result)


def give_up(world, folder=FOLDER):
    """Let the run end without having waited for the container of the table."""
    finish(world, folder, state="assessed", stages=[ASSESS], loaded=None, load_started_at=None)


def log(world):
    return world.lake.files.get(f"{UNIT}.jsonl", b"").decode()


class TestOrder:
    def test_nothing_is_created_or_changed_before_assess_has_shown_that_the_items_fit(self, unit):
        unit.lake.write_json(f"{FOLDER}/progress.json", {"stages": [a_stage("assess", state="running")]})
        look(unit)
        assert (unit.cosmos.changes, unit.cosmos.created, unit.cosmos.databases) == ([], [], set())
        assess(unit)
        look(unit)
        assert unit.cosmos.changes == [(4000, False)]

    def test_nor_is_a_container_that_is_not_there(self, unit):
        unit.cosmos.container = unit.cosmos.throughput = None
        look(unit)
        assert (unit.cosmos.created, unit.cosmos.databases) == ([], set())
        assess(unit)
        look(unit)
        (created,) = unit.cosmos.created
        assert created["partition_key_paths"] == ["/Artist"]

    def test_a_table_that_does_not_fit_ends_and_its_container_is_as_it_was(self, unit):
        finish(unit, state="failed", error=an_error(stage="assess"), load_started_at=None, loaded=None)
        assert look(unit) == {"state": "succeeded", "result": 0}
        assert (ends_of(unit), unit.cosmos.changes, lock(unit)) == ({"Music": "failed"}, [], None)
        assert record_of(unit)["restored"] == {"after_ru_per_second": None}

    def test_its_retry_may_have_other_rules_even_another_partition_key(self, unit):
        finish(unit, state="failed", error=an_error(stage="assess"), load_started_at=None, loaded=None)
        look(unit)
        record, entry = record_of(unit), {"table": "Music", "rules": {"partition_key": ["/pk"]}}
        assert why_not_changed(record, entry) is None
        retried = retried_input(record, entry)
        assert retried["rules"] == {"partition_key": ["/pk"]}
        assert not {"described", "assessed", "is_let_go", "may_be_scaled"} & retried.keys()

    def test_once_it_is_let_go_it_may_have_written_whatever_became_of_the_run(self, unit):
        assess(unit)
        look(unit)
        look(unit)
        unit.cancel("Music")
        value_of(unit.answer(end_tables, a_lane("load", error=an_error())))
        assert may_have_written(record_of(unit))
        assert unit.cosmos.throughput.ru_per_second == 400

    def test_before_that_it_has_not(self, unit):
        assess(unit)
        unit.cosmos.change_throughput = raising(CrashError("no answer"))
        error_of(unit.answer(look_at_load, a_lane("load", attempt=1, run=0)), "transient")
        del unit.cosmos.change_throughput
        value_of(unit.answer(end_tables, a_lane("load", error=an_error())))
        record = record_of(unit)
        assert not may_have_written(record)
        assert (record["error"]["stage"], lock(unit)) == ("load", None)
        stages = {stage["stage"]: stage for stage in record["stages"]}
        assert list(stages) == ["prepare", "assess", "load", "report"]
        assert stages["load"]["started_at"] == "2026-06-01T12:21:00.000+00:00"


class TestLettingGo:
    def test_the_request_says_how_long_to_wait(self, unit):
        request = parse_request(unit.lake.files[f"{FOLDER}/request.json"].decode())
        assert (request.go_within_seconds, request.assessed_by) == (900, None)

    def test_a_table_is_let_go_once_its_container_has_the_loads_throughput(self, unit):
        assess(unit)
        unit.cosmos.throughput = replace(manual(400), pending=True)
        look(unit)
        assert tables_let_go(log(unit)) == set()
        unit.cosmos.throughput = manual(4000)
        look(unit)
        assert (tables_let_go(log(unit)), ended_tables(log(unit))) == ({"Music"}, set())
        assert file_of(unit)["assessed"] == {"documents": 5, "document_bytes": 500, "write_ru": 50}

    def test_it_is_told_once(self, unit):
        assess(unit)
        for _ in range(4):
            look(unit)
        assert log(unit).count("let_go") == 1

    def test_a_worker_that_dies_before_it_tells_is_followed_by_one_that_does(self, unit):
        assess(unit)
        append, unit.lake.append = unit.lake.append, raising(CrashError)
        error_of(unit.answer(look_at_load, a_lane("load", attempt=1, run=0)), "transient")
        assert may_have_written(file_of(unit))
        unit.lake.append = append
        look(unit)
        assert tables_let_go(log(unit)) == {"Music"}

    def test_the_app_looks_again_soon_while_the_run_waits_for_it_and_only_then(self, unit):
        assert "look_again_within_seconds" not in look(unit)
        begun = {"stages": [a_stage("assess", state="running")]}
        unit.lake.write_json(f"{FOLDER}/progress.json", {**begun, "seconds_left": 3_000.0})
        assert "look_again_within_seconds" not in look(unit)
        unit.lake.write_json(f"{FOLDER}/progress.json", begun)
        assert look(unit)["look_again_within_seconds"] == 1
        wait(unit)
        assert look(unit)["look_again_within_seconds"] == 1
        assess(unit)
        unit.cosmos.throughput = replace(manual(400), pending=True)
        assert look(unit)["look_again_within_seconds"] == 1
        unit.cosmos.throughput = manual(4000)
        assert "look_again_within_seconds" not in look(unit)

    def test_an_account_that_takes_no_more_for_now_is_asked_at_the_next_look(self, unit):
        assess(unit)
        busy = BusyError("The account accepts no more updates.", "Retrying.")
        change, unit.cosmos.change_throughput = unit.cosmos.change_throughput, raising(busy)
        assert look(unit)["state"] == "running"
        unit.cosmos.change_throughput = change
        look(unit)
        assert unit.cosmos.changes == [(4000, False)]

    @pytest.mark.parametrize("content", [b"", b'{"assessed_at": '])
    def test_what_is_in_the_midst_of_being_written_is_waited_for(self, unit, content):
        wait(unit)
        unit.lake.files[f"{FOLDER}/assessed.json"] = content
        error_of(unit.answer(look_at_load, a_lane("load", attempt=1, run=0)), "transient")
        assert ends_of(unit) == {}

    def test_what_no_load_run_wrote_ends_the_table_and_its_container_is_left_alone(self, unit):
        wait(unit)
        unit.lake.write_json(f"{FOLDER}/assessed.json", {"assessed_at": "now"})
        look(unit)
        assert (ends_of(unit), unit.cosmos.changes) == ({"Music": "failed"}, [])
        assert ended_tables(log(unit)) == {"Music"}

    def test_one_whose_container_is_refused_by_then_ends_and_the_run_goes_on_without_it(self, unit):
        assess(unit)
        unit.cosmos.documents = True
        look(unit)
        assert (ends_of(unit), ended_tables(log(unit))) == ({"Music": "failed"}, {"Music"})

    def test_after_a_lost_cluster_nothing_is_asked_for_twice(self, unit):
        assess(unit)
        look(unit)
        look(unit)
        unit.databricks.runs[0] = LOST
        error_of(unit.answer(look_at_load, a_lane("load", attempt=1, run=0)), "another_run")
        unit.databricks.runs[0] = RUNNING
        value_of(unit.answer(start_load, a_lane("load", attempt=2)))
        assess(unit, FOLDER.removesuffix("1") + "2")
        assert "look_again_within_seconds" not in look(unit, attempt=2)
        assert (unit.cosmos.changes, log(unit).count("let_go")) == ([(4000, False)], 1)

    def test_verifying_waits_for_nothing(self, unit):
        put_unit(unit, {**file_of(unit), "scope": {**SCOPE}}, operation=2)
        lane = a_lane("load", kind="verify", operation=2, attempt=1)
        value_of(unit.answer(start_load, lane))
        path = "migrations/m/tables/Music/verify-2-1/request.json"
        assert parse_request(unit.lake.files[path].decode()).go_within_seconds is None


SCOPE = {
    "stages": ("verify",),
    "rules_history": [{}],
    "load_started_at": 1,
    "documents_written": 5,
    "rejected_folder": None,
    "items_rejected": 0,
}


class TestSecondRun:
    """A container that takes longer to scale than a cluster waits."""

    @pytest.fixture
    def assessed(self, unit):
        assess(unit)
        unit.cosmos.throughput = replace(manual(400), pending=True)
        look(unit)
        give_up(unit)
        assert look(unit) == {"state": "succeeded", "result": 1}
        return unit

    def second(self, world, attempt=1):
        return a_lane("load", attempt=attempt, is_second_run=True)

    def test_the_table_has_not_ended(self, assessed):
        assert (ends_of(assessed), file_of(assessed)["assessed_in"]) == ({}, FOLDER)
        assert [stage["stage"] for stage in file_of(assessed)["stages"]] == ["prepare", "assess"]

    def test_its_container_is_waited_for_without_a_cluster(self, assessed):
        assert value_of(scale(assessed)) == {"state": "running", "progress": {"tables": 1}}
        assessed.cosmos.throughput = manual(4000)
        assert value_of(scale(assessed)) == {"state": "succeeded", "result": 1}
        assert len(assessed.databricks.submitted) == 1

    def test_it_is_loaded_by_what_the_first_run_has_assessed(self, assessed):
        value_of(assessed.answer(start_load, self.second(assessed)))
        request = parse_request(assessed.lake.files[f"{SECOND}/request.json"].decode())
        assert (request.stages, request.go_within_seconds) == (("load", "verify"), None)
        assert request.assessed_by == f"{LAKE}/{FOLDER}/assessed.json"
        assert len(assessed.databricks.submitted) == 2
        assert f"{UNIT}-second-1.json" in assessed.lake.files
        assert may_have_written(file_of(assessed))

    def test_its_record_has_the_stages_of_both_and_where_the_rejected_items_are(self, assessed):
        value_of(assessed.answer(start_load, self.second(assessed)))
        finish(assessed, SECOND, stages=[a_stage("load"), a_stage("verify")])
        assert look(assessed, is_second_run=True) == {"state": "succeeded", "result": 0}
        record = record_of(assessed)
        stages = [stage["stage"] for stage in record["stages"]]
        assert stages == ["prepare", "assess", "load", "verify", "report"]
        assert rejected_folder(record) == f"{FOLDER}/rejected"
        assert record["load"]["result_path"] == f"{SECOND}/result.json"

    def test_a_first_run_that_is_repeated_for_others_does_not_assess_it_again(self, world):
        other = {**TABLE, "table": "Songs", "container": "songs", "copy": a_copy()}
        put_unit(world, {**TABLE, "copy": a_copy()}, other)
        value_of(prepare(world))
        value_of(world.answer(start_load, a_lane("load", attempt=1)))
        world.databricks.runs = {0: LOST}
        give_up(world)
        error_of(world.answer(look_at_load, a_lane("load", attempt=1, run=0)), "another_run")
        value_of(world.answer(start_load, a_lane("load", attempt=2)))
        listed = json.loads(world.lake.files[f"{UNIT}-2.json"])["requests"]
        assert [path.split("/")[-3] for path in listed] == ["Songs"]

    def test_it_is_spared_where_the_run_of_others_fails(self, assessed):
        failed = a_lane("load", error=an_error(), spares_assessed=True)
        assert value_of(assessed.answer(end_tables, failed)) == 1
        assert ends_of(assessed) == {}
        assert value_of(assessed.answer(end_tables, a_lane("load", error=an_error()))) == 0
        assert ends_of(assessed) == {"Music": "failed"}

    def test_cancelled_meanwhile_it_ends_and_its_container_goes_back(self, assessed):
        assessed.cancel("Music")
        error = error_of(scale(assessed), "cancelled")
        value_of(assessed.answer(end_tables, a_lane("load", error=error)))
        assert (ends_of(assessed), lock(assessed)) == ({"Music": "cancelled"}, None)
        assert assessed.cosmos.throughput.ru_per_second == 400

    def test_its_second_run_is_stopped_where_the_lane_is_lost(self, assessed):
        run = value_of(assessed.answer(start_load, self.second(assessed)))
        value_of(assessed.answer(end_lost, a_lane("load")))
        assert run in assessed.databricks.cancelled
