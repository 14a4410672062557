from activities.load import look_at_load, start_load
from activities.report import read_table_record, write_table_report
from d2c.clients.databricks.jobs import NotebookRun
from d2c.load_run.request import parse_request
from d2c.state.ids import run_key
from d2c.state.paths import cancel_path, table_record_path, table_report_path
from d2c.state.table_record import run_payload
from tests.unit.records import FOLDER, record

from .answers import error_of, value_of

ASKED = {"operation": "replay", "number": 2, "waits": {}, "rules": {"numbers": "exact"}, "verify": "counts"}
PAYLOAD = {**run_payload(record(limits={"max_rejected_items": 5, "max_logical_partition_bytes": 9}), ASKED)}
START = {**PAYLOAD, "attempt": 1}
REQUEST = f"{FOLDER}/replay-2-1/request.json"


def test_a_record_is_read_as_the_migration_left_it(world):
    left = record(export=None, load=None)
    value_of(world.answer(write_table_report, left))
    assert value_of(world.answer(read_table_record, {"migration": "music-2026", "table": "Music"})) == left


def test_stages_end_in_the_record_as_in_the_report(world):
    running = {"stage": "report", "state": "running", "started_at": "2026-06-01T12:00:00+00:00"}
    value_of(world.answer(write_table_report, record(stages=[running], load=None)))
    names = "music-2026", "Music"
    kept = world.lake.read_json(table_record_path(*names))["stages"]
    assert kept == world.lake.read_json(table_report_path(*names))["stages"]
    assert kept[0]["state"] == "succeeded"
    assert kept[0]["seconds"] > 0


def test_a_record_that_is_gone_is_told(world):
    error = error_of(world.answer(read_table_record, {"migration": "music-2026", "table": "Music"}))
    assert f"{FOLDER}/record.json" in error["detail"]


def test_a_load_run_of_a_revisit_has_its_own_folder_and_run_key_and_is_told_what_there_is(world):
    value_of(world.answer(start_load, START))
    assert list(world.databricks.submitted) == [run_key("music-2026", "Music", "replay-2", 1)]
    request = parse_request(world.lake.files[REQUEST].decode())
    assert (request.stages, request.verify) == (("replay", "verify"), "counts")
    assert request.rules_history == ({"numbers": "reject"}, {"numbers": "exact"})
    assert (request.load_started_at, request.documents_written, request.items_rejected) == (
        1_780_000_000,
        6,
        3,
    )
    assert (
        request.rejected_folder == f"abfss://lake@lakeaccount.dfs.core.windows.net/{FOLDER}/load-1/rejected"
    )
    assert request.result_folder.endswith("/replay-2-1")


def test_a_second_try_gives_the_same_run(world):
    assert value_of(world.answer(start_load, START)) == value_of(world.answer(start_load, START))
    assert len(world.databricks.submitted) == 1


def test_a_revisit_obeys_its_own_cancellation_and_not_the_migrations(world):
    world.cancel("music-2026")
    value_of(world.answer(start_load, START))
    world.lake.write(cancel_path("music-2026", "replay-1"), b"{}")
    value_of(world.answer(start_load, START))
    world.lake.write(cancel_path("music-2026", "replay-2"), b"{}")
    for activity in (start_load, look_at_load):
        error = error_of(world.answer(activity, {**START, "run": 0}), "cancelled")
        assert "replay-2 of migration music-2026" in error["detail"]


def test_the_result_of_a_revisit_is_read_from_its_folder(world):
    world.databricks.runs[0] = NotebookRun(True, True, False, False, "")
    world.lake.write_json(
        f"{FOLDER}/replay-2-1/result.json", {"state": "succeeded", "replayed": {"lines": 3}}
    )
    result = value_of(world.answer(look_at_load, {**START, "run": 0}))["result"]
    assert (result["replayed"], result["result_path"]) == ({"lines": 3}, f"{FOLDER}/replay-2-1/result.json")


def test_the_mismatches_of_the_last_verification_are_in_the_report(world):
    for run, document in (("load-1", "old"), ("verify-1-1", "new")):
        mismatch = {"kind": "missing", "document": document, "properties": []}
        world.lake.write_json(f"{FOLDER}/{run}/result.json", {"mismatches": [mismatch]})
    value_of(world.answer(write_table_report, record(verified_by=f"{FOLDER}/verify-1-1/result.json")))
    report = world.lake.read_json(table_report_path("music-2026", "Music"))
    assert [mismatch["document"] for mismatch in report["mismatches"]] == ["new"]
