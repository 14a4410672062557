import json

import pytest

from activities.loading import look_at_load, start_load, stop_load
from d2c.clients.databricks import NotebookRun
from d2c.load_run.request import parse_request
from d2c.run_keys import run_key

from ..clients.settings import SECRETS
from .answers import error_of, value_of
from .fakes import TABLE_ARN

FOLDER = "migrations/m/tables/Music/load-1"
PAYLOAD = {
    "migration": "m",
    "table": "Music",
    "database": "shop",
    "container": "music",
    "rules": {"numbers": "string"},
    "limits": {"max_rejected_items": 5, "max_logical_partition_bytes": 7_000},
    "verify": "full",
    "attempt": 1,
    "source": {"arn": TABLE_ARN, "hash_key": "Artist", "range_key": "Song", "ttl_attribute": None},
    "export": {"arn": f"{TABLE_ARN}/export/1"},
    "copy": {"folder": "exports/m/Music/1"},
}
LOOK = {**PAYLOAD, "run": 0}
RESULT = {
    "state": "succeeded",
    "error": None,
    "stages": [{"stage": "assess", "state": "succeeded"}],
    "files": {"listed": 1, "verified": 1},
    "assessed": {"rejected": 0},
    "loaded": {"documents": 7},
    "replayed": None,
    "load_started_at": 1_780_000_000,
    "verification": {"missing": 0},
    "mismatches": [{"kind": "missing", "document": "d"}] * 100,
    "census": {"attributes": [{"name": "pk", "types": {"S": 1}, "inexact_numbers": 0}] * 1_000},
}


class TestStartLoad:
    def test_the_notebook_gets_the_path_of_a_request_that_holds_no_secret(self, world):
        value_of(start_load(PAYLOAD))
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
        value_of(start_load(PAYLOAD))
        (run,) = world.databricks.submitted.values()
        connector, wheel = run["libraries"]
        assert connector["maven"]["coordinates"].startswith(
            "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:"
        )
        assert wheel == {"whl": world.settings.wheel_path}
        assert (run["notebook_path"], run["cluster"]) == ("/Shared/load", {"existing_cluster_id": "0601-1"})

    def test_a_second_try_gives_the_same_run_and_another_attempt_another(self, world):
        first = value_of(start_load(PAYLOAD))
        assert value_of(start_load(PAYLOAD)) == first
        assert value_of(start_load({**PAYLOAD, "attempt": 2})) != first
        assert list(world.databricks.submitted) == [
            run_key("m", "Music", "load", number) for number in (1, 2)
        ]

    def test_another_attempt_leaves_the_first_ones_results_alone(self, world):
        value_of(start_load(PAYLOAD))
        value_of(start_load({**PAYLOAD, "attempt": 2}))
        assert {
            "migrations/m/tables/Music/load-1/request.json",
            "migrations/m/tables/Music/load-2/request.json",
        } == set(world.lake.files)


def run(*, ended=True, succeeded=False, cancelled=False, healable=False, message=""):
    return NotebookRun(ended, succeeded, cancelled, healable, message)


class TestLookAtLoad:
    def test_a_run_goes_on_and_shows_what_the_notebook_says(self, world):
        world.databricks.runs[0] = run(ended=False)
        assert value_of(look_at_load(LOOK)) == {"state": "running", "progress": {}}
        world.lake.write_json(f"{FOLDER}/progress.json", {"stages": []})
        assert value_of(look_at_load(LOOK))["progress"] == {"stages": []}

    @pytest.mark.parametrize("content", [b"", b'{"stages": ['])
    def test_progress_that_is_being_written_is_no_fault(self, world, content):
        world.databricks.runs[0] = run(ended=False)
        world.lake.files[f"{FOLDER}/progress.json"] = content
        assert value_of(look_at_load(LOOK)) == {"state": "running", "progress": {}}

    def test_a_run_that_somebody_cancelled_is_not_started_again(self, world):
        world.databricks.runs[0] = run(cancelled=True)
        assert "was cancelled in Databricks" in error_of(look_at_load(LOOK))["detail"]

    @pytest.mark.parametrize(("healable", "marks"), [(True, ("another_run",)), (False, ())])
    def test_only_a_failure_of_the_platform_is_followed_by_another_run(self, world, healable, marks):
        world.databricks.runs[0] = run(healable=healable, message="it broke")
        error = error_of(look_at_load(LOOK), *marks)
        assert "Load run 0 failed: it broke" in error["detail"]

    def test_what_of_a_result_could_grow_stays_in_the_lake(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        world.lake.write_json(f"{FOLDER}/result.json", RESULT)
        look = value_of(look_at_load(LOOK))
        kept = {name: RESULT[name] for name in RESULT.keys() - {"mismatches", "census"}}
        assert look == {"state": "succeeded", "result": {**kept, "result_path": f"{FOLDER}/result.json"}}

    def test_a_result_may_lack_the_stages_that_did_not_come(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        failed = {"state": "failed", "error": {"detail": "d"}, "stages": []}
        world.lake.files[f"{FOLDER}/result.json"] = json.dumps(failed).encode()
        result = value_of(look_at_load(LOOK))["result"]
        assert (result["error"], result["loaded"], result["verification"]) == ({"detail": "d"}, None, None)

    def test_a_run_that_left_no_result_is_no_success(self, world):
        world.databricks.runs[0] = run(succeeded=True)
        assert FOLDER in error_of(look_at_load(LOOK))["detail"]


def test_stopping_asks_the_run_to_stop_even_though_the_migration_is_cancelled(world):
    world.cancel("m")
    value_of(stop_load(LOOK))
    assert world.databricks.cancelled == [0]
