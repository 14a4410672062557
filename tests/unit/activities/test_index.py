"""A container that is loaded without indexes: created so, given its policy after the load, and waited for."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.lanes import end_tables
from activities.load import NO_RUN, look_at_load, start_load
from activities.load_lane.index import look_at_index
from d2c.app import clock
from d2c.clients.azure.cosmos.management import Container
from d2c.errors import PermanentError
from d2c.mapping.indexing import late_policy, policy_with
from d2c.state.operations import retried_input
from tests.builders import a_copy, a_lane, an_error

from .answers import error_of, value_of
from .containers import TABLE, existing, lock, manual, prepare, prepared, put_unit, raising, scale, scaled
from .queues import ends_of, record_of
from .test_load_table import FOLDER, RUNNING, assess, finish

LATE = {**TABLE, "apply_indexing": "after_load", "copy": a_copy()}
FINAL = policy_with(["Artist", "Song"])
INDEX_PROGRESS = "migrations/m/tables/Music/start-0-index/progress.json"


class TestPreparing:
    def test_a_new_container_is_created_without_indexes_and_knows_its_final_policy(self, world):
        described = scaled(world, LATE)
        assert [each["indexing_policy"] for each in world.cosmos.created] == [late_policy()]
        assert (described["indexing_policy"], described["final_policy"]) == (late_policy(), FINAL)

    def test_one_that_an_earlier_load_left_without_them_gets_them_whatever_the_plan_says_now(
        self, world, caplog
    ):
        existing(world, manual(400), Container(("/Artist",), None, indexing_policy=late_policy()))
        described = prepared(world, TABLE)
        assert (described["created"], described["final_policy"]) == (False, FINAL)
        assert "no index" not in caplog.text

    def test_any_other_that_exists_is_never_changed(self, world):
        own = {**late_policy(), "excludedPaths": [{"path": "/*"}]}
        existing(world, manual(400), Container(("/Artist",), None, indexing_policy=own))
        described = prepared(world, LATE)
        assert ("final_policy" in described, described["indexing_policy"]) == (False, own)


@pytest.fixture
def loaded(world):
    """Return a world in which a table has been loaded into a container without indexes."""
    put_unit(world, LATE)
    value_of(prepare(world))
    value_of(world.answer(start_load, a_lane("load", attempt=1)))
    world.databricks.runs = dict.fromkeys(range(9), RUNNING)
    assess(world)
    look(world)
    finish(world)
    world.cosmos.percent = 0
    return world


def look(world, attempt=1, **more):
    return value_of(world.answer(look_at_load, a_lane("load", attempt=attempt, **{"run": 0, **more})))


def index(world, **more):
    return world.answer(look_at_index, a_lane("load", attempt=1, run="index", **more))


def told(world):
    found = [world.lake.read_json(path) for path in (INDEX_PROGRESS, f"{FOLDER}/progress.json")]
    assert found[0] == found[1]
    return found[0]


class TestIndexing:
    def test_the_ru_fall_once_the_final_policy_is_applied_and_built(self, loaded):
        assert look(loaded) == {"state": "succeeded", "result": 1}
        assert loaded.cosmos.policies == [FINAL]
        assert told(loaded) == {"stages": [{"stage": "index"}], "done": 0, "total": 100}
        loaded.cosmos.percent = 63
        assert value_of(index(loaded)) == {"state": "running", "progress": {"tables": 1}}
        assert told(loaded)["done"] == 63
        assert (loaded.cosmos.changes, ends_of(loaded)) == ([], {})
        loaded.cosmos.percent = 100
        assert value_of(index(loaded)) == {"state": "succeeded", "result": 0}
        assert (ends_of(loaded), loaded.cosmos.policies) == ({"Music": "succeeded"}, [FINAL])
        assert (loaded.cosmos.throughput.ru_per_second, lock(loaded)) == (400, None)
        record = record_of(loaded)
        assert [stage["stage"] for stage in record["stages"]][-2:] == ["index", "report"]
        assert record["indexed_percent"] == 100

    @pytest.mark.parametrize("crash", ["change_indexing", "change_throughput"])
    def test_a_worker_that_dies_is_followed_by_one_that_does_nothing_twice(self, loaded, crash):
        loaded.cosmos.crashes, loaded.cosmos.percent = {crash}, 100
        for _ in range(3):
            loaded.answer(look_at_load, a_lane("load", attempt=1, run=0))
        value_of(index(loaded))
        assert ends_of(loaded) == {"Music": "succeeded"}
        assert (loaded.cosmos.policies, loaded.cosmos.changes) == ([FINAL], [(400, False)])

    def test_a_bound_ends_the_wait_and_the_report_says_how_far_it_was(self, loaded, monkeypatch):
        look(loaded)
        loaded.cosmos.percent = 63
        value_of(index(loaded))
        later = datetime.now(UTC) + timedelta(seconds=4 * 3600)
        monkeypatch.setattr(clock, "now", lambda: later)
        value_of(index(loaded))
        assert ends_of(loaded) == {"Music": "succeeded"}
        assert (record_of(loaded)["indexed_percent"], loaded.cosmos.throughput.ru_per_second) == (63, 400)

    def test_a_lost_cluster_does_not_load_it_again(self, loaded):
        look(loaded)
        assert value_of(loaded.answer(start_load, a_lane("load", attempt=2))) == NO_RUN
        assert look(loaded, attempt=2, run=NO_RUN) == {"state": "succeeded", "result": 1}

    def test_containers_that_are_scaled_meanwhile_do_not_keep_it_waiting(self, loaded):
        look(loaded)
        assert value_of(scale(loaded)) == {"state": "succeeded", "result": 0}
        loaded.cosmos.percent = 100
        value_of(scale(loaded))
        assert ends_of(loaded) == {"Music": "succeeded"}

    def test_a_run_that_fails_for_others_spares_it(self, loaded):
        look(loaded)
        ending = a_lane("load", error=an_error(), spares_assessed=True, is_second_run=True)
        assert (value_of(loaded.answer(end_tables, ending)), ends_of(loaded)) == (1, {})


class TestTrouble:
    def test_cancelled_in_the_midst_the_ru_fall_and_it_says_what_goes_on(self, loaded):
        look(loaded)
        loaded.cosmos.percent = 63
        value_of(index(loaded))
        loaded.cancel("Music")
        assert error_of(index(loaded), "cancelled")
        value_of(loaded.answer(end_tables, a_lane("load", error=error_of(index(loaded), "cancelled"))))
        error = record_of(loaded)["error"]
        assert (ends_of(loaded), error["stage"]) == ({"Music": "cancelled"}, "index")
        assert "goes on building the container's indexes" in error["detail"]
        assert loaded.cosmos.throughput.ru_per_second == 400

    def test_a_load_that_fails_leaves_the_container_without_indexes_and_says_so(self, loaded):
        finish(loaded, state="failed", error=an_error(stage="load"), loaded=None)
        look(loaded)
        error = record_of(loaded)["error"]
        assert (ends_of(loaded), loaded.cosmos.policies) == ({"Music": "failed"}, [])
        assert "has no indexes yet" in error["detail"]
        assert "A retry gives it its indexing policy" in error["next_step"]

    def test_a_policy_that_is_refused_has_its_word_and_its_way_on(self, loaded):
        loaded.cosmos.change_indexing = raising(PermanentError("too many paths.", "Shorten it."))
        look(loaded)
        error = record_of(loaded)["error"]
        assert (ends_of(loaded), error["stage"]) == ({"Music": "failed"}, "index")
        assert (
            error["detail"]
            == "Container shop/music is loaded, but did not get its indexing policy: too many paths."
        )
        assert error["next_step"].startswith(
            "Shorten it. Then retry the table, or give the container the policy {"
        )
        assert loaded.cosmos.throughput.ru_per_second == 400

    def test_a_container_that_is_gone_is_named(self, loaded):
        loaded.cosmos.container = None
        look(loaded)
        assert "no longer there" in record_of(loaded)["error"]["detail"]


class TestRetrying:
    def test_a_retry_loads_nothing_again_and_waits_for_the_indexes_with_the_ru_of_the_load(self, loaded):
        loaded.cosmos.change_indexing = raising(PermanentError("too many paths.", "Shorten it."))
        look(loaded)
        del loaded.cosmos.change_indexing
        retried = retried_input(record_of(loaded), {"table": "Music"})
        assert [stage["stage"] for stage in retried["stages"]] == ["assess", "load", "verify"]
        retry = {"operation": 1, "kind": "retry"}
        put_unit(loaded, {**retried, "migration": "m"}, operation=1)
        assert value_of(prepare(loaded, **retry))["result"] == 1
        assert value_of(loaded.answer(start_load, a_lane("load", attempt=1, **retry))) == NO_RUN
        look(loaded, run=NO_RUN, **retry)
        assert (loaded.cosmos.throughput.ru_per_second, loaded.cosmos.policies) == (4000, [FINAL])
        loaded.cosmos.percent = 100
        value_of(index(loaded, **retry))
        assert ends_of(loaded, operation=1) == {"Music": "succeeded"}
        assert loaded.cosmos.throughput.ru_per_second == 400
        assert len(loaded.databricks.submitted) == 1

    def test_with_changes_it_loads_the_table_again(self, loaded):
        look(loaded)
        value_of(loaded.answer(end_tables, a_lane("load", error=an_error())))
        assert "load" not in retried_input(record_of(loaded), {"table": "Music", "verify": "counts"})
