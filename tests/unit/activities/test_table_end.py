import pytest

from activities.table_end import end_table
from d2c.clients.azure.cosmos.management import Container, Throughput
from d2c.errors import PermanentError, TransientError
from d2c.state import paths
from d2c.state.operations import retried_input
from tests.builders import (
    EXPORT_TIME,
    a_claim,
    a_copy,
    a_described,
    a_load,
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
from tests.unit.records import record

from .fakes import CrashError, SubstituteClients
from .queues import ends_of, file_of, log_of, put_queue, queue_of, record_of, some_tables, tell

LOCK = "containers/x/shop/music.json"
SCALED = a_described(created=False, before_ru_per_second=400, after_ru_per_second=400)
LOADED = a_table(
    started_at=EXPORT_TIME,
    source=a_source(),
    export=an_export(),
    copy=a_copy(),
    described=SCALED,
    may_be_scaled=True,
    load=a_load(),
    stages=[a_stage(stage) for stage in ("export", "copy", "prepare", "assess", "load", "verify")],
)


def manual(ru_per_second, minimum=400):
    return Throughput(ru_per_second, autoscale=False, minimum_ru_per_second=minimum, pending=False)


def autoscale(ru_per_second):
    return Throughput(ru_per_second, autoscale=True, minimum_ru_per_second=1000, pending=False)


def put_table(world, table=LOADED, operation=0, throughput=None, key_paths=("/Artist",)):
    """Let a load lane have a table, which has locked its container and scaled it."""
    put_queue(world, table, enters="load", operation=operation)
    tell(world, a_claim("load", table["table"]), operation=operation)
    world.cosmos.container = Container(key_paths, None)
    world.cosmos.throughput = throughput or manual(4000)
    hold(world, operation=operation, **table.get("described", {}))


def hold(world, **changes):
    names = {"migration": "m", "table": "Music", "database": "shop", "container": "music"}
    world.lake.write_json(LOCK, {**names, "operation": 0, **changes})


def end(world, name="Music", error=None, operation=0, kind="start", **more):
    clients = SubstituteClients(world)
    end_table(clients, an_operation(operation=operation, kind=kind), name, error=error, **more)


def after(world):
    """Return the throughput of the container, as its record has it."""
    return record_of(world)["restored"]


class TestEnding:
    def test_a_table_that_was_loaded_ends_well_everywhere(self, world):
        put_table(world)
        end(world)
        record = record_of(world)
        assert (record["state"], record["error"], record["started_at"]) == ("succeeded", None, EXPORT_TIME)
        assert [stage["stage"] for stage in record["stages"]][-2:] == ["verify", "report"]
        report = world.lake.read_json(paths.MigrationFiles("m").table("Music").report)
        assert (report["state"], report["throughput"]["after_ru_per_second"]) == ("succeeded", 400)
        (line,) = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        assert (line["table"], line["operation"], line["stage"]) == ("Music", 0, "report")
        assert ends_of(world) == {"Music": "succeeded"}
        assert not world.lake.exists(LOCK)

    def test_one_that_failed_has_the_last_stage_as_that_of_its_error(self, world):
        put_table(world)
        stage = a_stage("load", state="failed", started_at="2026-06-01T13:00:00+00:00")
        end(world, error=an_error(), stages=[stage])
        record = record_of(world)
        assert (record["state"], record["error"]["stage"]) == ("failed", "load")
        assert record["stages"][-2] == stage
        assert queue_of(world).ends["Music"].error == record["error"]

    def test_an_error_that_knows_its_stage_keeps_it(self, world):
        put_table(world)
        end(world, error=an_error(stage="assess"))
        assert record_of(world)["error"]["stage"] == "assess"

    def test_one_that_ended_before_its_first_stage_failed_in_the_export(self, world):
        put_queue(world, *some_tables("Music"))
        end(world, error=an_error(cancelled=True))
        record = record_of(world)
        assert (record["state"], record["error"]["stage"]) == ("cancelled", "export")
        assert record["started_at"]

    def test_what_its_last_stage_found_is_in_its_record(self, world):
        put_queue(world, *some_tables("Music"))
        end(world, error=an_error(), found={"source": a_source()}, stages=[a_stage("export")])
        assert record_of(world)["source"] == a_source()

    def test_one_that_has_ended_stays_as_it_is(self, world):
        put_table(world)
        tell(world, an_end())
        before = dict(world.lake.files)
        end(world, error=an_error())
        assert world.lake.files == before
        assert world.cosmos.changes == []

    def test_one_that_ended_in_an_earlier_operation_ends_again(self, world):
        put_table(world)
        end(world, error=an_error())
        put_table(world, operation=1)
        end(world, operation=1, kind="retry")
        lines = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        assert [(line["operation"], line["state"]) for line in lines] == [(0, "failed"), (1, "succeeded")]
        assert record_of(world)["operation"] == 1

    def test_it_ends_in_the_queue_only_when_the_rest_is_written(self, world):
        put_table(world)
        append = world.lake.append

        def look_first(path, entry):
            if path == paths.MigrationFiles("m").work(0).queue_log:
                assert record_of(world)
                assert world.lake.exists(paths.MigrationFiles("m").table("Music").report)
                assert world.lake.exists(paths.MigrationFiles("m").ended_tables)
            append(path, entry)

        world.lake.append = look_first
        end(world)
        assert len(log_of(world)) == 2

    @pytest.mark.parametrize(
        "file",
        [paths.MigrationFiles("m").table("Music").record, paths.MigrationFiles("m").table("Music").report],
    )
    def test_a_try_that_broke_off_is_made_good_by_the_next(self, world, file):
        put_table(world)
        write = world.lake.write

        def write_but(path, content):
            if path == file:
                raise CrashError
            write(path, content)

        world.lake.write = write_but
        with pytest.raises(CrashError):
            end(world)
        assert ends_of(world) == {}
        world.lake.write = write
        end(world)
        assert ends_of(world) == {"Music": "succeeded"}
        assert after(world) == {"after_ru_per_second": 400}
        assert world.cosmos.changes == [(400, False)]

    def test_a_try_that_is_repeated_leaves_each_stage_once(self, world):
        put_table(world)
        stage = a_stage("load", state="failed", started_at="2026-06-01T13:00:00+00:00")
        append, world.lake.append = world.lake.append, None
        with pytest.raises(TypeError):
            end(world, error=an_error(), stages=[stage])
        world.lake.append = append
        end(world, error=an_error(), stages=[stage])
        assert record_of(world)["stages"].count(stage) == 1

    def test_the_file_of_a_table_that_is_gone_is_told(self, world):
        put_table(world)
        world.lake.delete(paths.MigrationFiles("m").work(0).table("Music"))
        end(world)
        assert ends_of(world) == {"Music": "failed"}
        (line,) = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        assert (line["state"], "no longer in the lake" in line["error"]["detail"]) == ("failed", True)


class TestPuttingThroughputBack:
    @pytest.mark.parametrize(
        ("described", "throughput", "restored"),
        [
            (a_described(after_ru_per_second=1000), manual(4000), 1000),
            (a_described(after_ru_per_second=500), manual(4000), 500),
            (SCALED, manual(4000), 400),
            (a_described(created=False, after_ru_per_second=9000), manual(9000), 9000),
            (a_described(created=False, after_ru_per_second=2000), autoscale(4000), 2000),
            (a_described(created=False, after_ru_per_second=1500), autoscale(4000), 2000),
            (a_described(created=False, after_ru_per_second=400), autoscale(4000), 1000),
        ],
    )
    def test_it_is_what_the_plan_wants_or_what_it_was(self, world, described, throughput, restored):
        put_table(world, {**LOADED, "described": described}, throughput=throughput)
        end(world)
        assert after(world) == {"after_ru_per_second": restored}
        assert world.cosmos.throughput.ru_per_second == restored

    def test_a_container_without_throughput_of_its_own_stays_so_and_is_free_again(self, world):
        described = a_described(peak_ru_per_second=None, after_ru_per_second=None)
        put_table(world, {**LOADED, "described": described})
        world.cosmos.throughput = None
        end(world)
        assert after(world) == {"after_ru_per_second": None}
        assert world.cosmos.changes == []
        assert not world.lake.exists(LOCK)

    @pytest.mark.parametrize(("minimum", "restored"), [(1000, 1000), (1050, 1100)])
    def test_it_does_not_fall_below_what_the_service_allows_by_then(self, world, minimum, restored):
        put_table(world, throughput=manual(100_000, minimum=minimum))
        end(world)
        assert after(world) == {"after_ru_per_second": restored}

    def test_throughput_that_was_never_raised_is_left_as_it_was(self, world):
        put_table(world, throughput=manual(400))
        end(world, error=an_error())
        assert after(world) == {"after_ru_per_second": 400}
        assert world.cosmos.changes == []

    def test_a_table_that_did_not_come_to_prepare_has_nothing_to_put_back(self, world):
        put_queue(world, a_table(export=an_export()))
        world.cosmos = None
        end(world, error=an_error())
        assert after(world) is None

    def test_a_container_that_was_never_created_is_not_missed(self, world):
        put_table(world)
        world.cosmos.container = None
        end(world, error=an_error())
        assert after(world) == {"after_ru_per_second": None}

    def test_a_container_that_came_into_being_meanwhile_and_does_not_fit_is_left_alone(self, world):
        put_table(world, throughput=manual(700), key_paths=("/tenant",))
        end(world, error=an_error())
        assert after(world) == {"after_ru_per_second": None}
        assert world.cosmos.changes == []

    def test_it_is_put_back_for_a_cancelled_migration_too(self, world):
        put_table(world)
        world.cancel()
        end(world, error=an_error(cancelled=True))
        assert after(world) == {"after_ru_per_second": 400}

    @pytest.mark.parametrize("holder", [{"table": "Songs"}, {"migration": "other"}, {"operation": 1}])
    def test_a_container_that_another_table_has_by_now_is_left_to_it(self, world, holder):
        put_table(world)
        hold(world, **holder)
        end(world, error=an_error())
        assert after(world) == {"after_ru_per_second": None}
        assert world.cosmos.changes == []
        assert world.lake.exists(LOCK)

    def test_a_worker_that_dies_after_asking_is_followed_by_one_that_asks_no_more(self, world):
        put_table(world)
        world.cosmos.crashes = {"change_throughput"}
        with pytest.raises(CrashError):
            end(world)
        assert world.lake.read_json(LOCK)["before_ru_per_second"] == 400
        end(world)
        assert after(world) == {"after_ru_per_second": 400}
        assert world.cosmos.changes == [(400, False)]

    def test_once_it_is_put_back_a_later_try_does_not_touch_the_container(self, world):
        put_table(world, {**LOADED, "restored": {"after_ru_per_second": 400}})
        world.cosmos = None
        end(world)
        assert after(world) == {"after_ru_per_second": 400}


class TestWhatCannotBePutBack:
    def failing(self, world, error):
        def find_container(database, container):
            raise error

        world.cosmos.find_container = find_container

    def test_it_is_the_error_of_a_table_that_was_loaded_well(self, world):
        put_table(world)
        self.failing(world, PermanentError("no permission", "Grant it."))
        end(world)
        record = record_of(world)
        assert (record["state"], record["error"]["detail"]) == ("failed", "no permission")
        assert (record["error"]["stage"], record["stages"][-1]["state"]) == ("report", "failed")
        assert ends_of(world) == {"Music": "failed"}

    def test_it_is_told_beside_the_error_with_which_the_table_ended(self, world):
        put_table(world)
        self.failing(world, PermanentError("no permission", "Grant it."))
        end(world, error=an_error(stage="load"))
        error = record_of(world)["error"]
        assert error["stage"] == "load"
        assert error["detail"] == "it broke The throughput could not be put back either: no permission", (
            error["detail"]
        )
        assert error["next_step"] == "mend it For the throughput: Grant it."

    def test_a_cancelled_table_stays_cancelled(self, world):
        put_table(world)
        self.failing(world, PermanentError("no permission", "Grant it."))
        end(world, error=an_error(cancelled=True, stage="load"))
        assert ends_of(world) == {"Music": "cancelled"}

    def test_its_container_stays_locked_with_what_it_goes_back_to(self, world):
        put_table(world)
        self.failing(world, PermanentError("no permission", "Grant it."))
        end(world)
        assert world.lake.read_json(LOCK)["before_ru_per_second"] == 400
        assert "restored" not in file_of(world)

    def test_what_may_heal_leaves_the_table_to_the_next_try(self, world):
        put_table(world)
        self.failing(world, TransientError("no answer", "Wait."))
        with pytest.raises(TransientError):
            end(world)
        assert record_of(world) is None
        assert ends_of(world) == {}

    def test_once_it_was_tried_too_often_the_table_ends_without_another_try(self, world):
        put_table(world)
        world.cosmos = None
        end(world, error=an_error(stage="load"), restore_error=an_error(detail="no answer for hours"))
        assert "no answer for hours" in record_of(world)["error"]["detail"]
        assert world.lake.exists(LOCK)
        assert ends_of(world) == {"Music": "failed"}

    def test_its_retry_knows_what_the_container_was(self, world):
        put_table(world)
        end(world, restore_error=an_error())
        assert retried_input(record_of(world), {"table": "Music"})["described"] == SCALED


class TestComparing:
    """The end of a verify or a replay of a table that was migrated before."""

    def put(self, world, **load):
        before = record(migration="m")
        world.lake.write_json(paths.MigrationFiles("m").table("Music").record, before)
        result = a_load(result_path="verify.json", verification=a_verification(missing=2), **load)
        scope = {"rules_history": [{"numbers": "reject"}, {"numbers": "exact"}]}
        put_table(world, a_table(load=result, scope=scope), operation=3)
        return before

    def test_a_verify_that_succeeded_is_in_the_record(self, world):
        before = self.put(world)
        end(world, operation=3, kind="verify")
        record = record_of(world)
        assert record["load"]["verification"]["missing"] == 2
        assert record["verified_by"] == "verify.json"
        assert [one["number"] for one in record["operations"]] == [3]
        assert (record["state"], record["operation"]) == (before["state"], 0)
        assert world.lake.read_json(paths.MigrationFiles("m").table("Music").report)["operations"]
        assert ends_of(world, 3) == {"Music": "succeeded"}

    def test_a_replay_has_the_sums_of_all_and_the_rules_that_it_went_by(self, world):
        replayed = {"lines": 3, "documents": 2, "expired": 0, "document_bytes": 200}
        self.put(world, replayed={**replayed, "rejected": 1, "rejected_by_reason": {"missing_key": 1}})
        end(world, operation=3, kind="replay")
        record = record_of(world)
        assert (record["load"]["loaded"]["documents"], record["load"]["loaded"]["rejected"]) == (8, 1)
        assert record["rules_history"] == [{"numbers": "reject"}, {"numbers": "exact"}]
        (line,) = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        assert (line["items_written"], line["items_rejected"]) == (8, 1)

    def test_it_touches_no_container(self, world):
        self.put(world)
        world.cosmos = None
        end(world, operation=3, kind="verify")
        assert world.lake.exists(LOCK)

    def test_one_that_failed_leaves_the_record_and_the_report_as_they_were(self, world):
        before = self.put(world)
        end(world, operation=3, kind="verify", error=an_error(stage="verify"))
        assert record_of(world) == before
        assert not world.lake.exists(paths.MigrationFiles("m").table("Music").report)
        assert not world.lake.exists(paths.MigrationFiles("m").ended_tables)
        found = queue_of(world, 3).ends["Music"]
        assert (found.state, found.error["stage"]) == ("failed", "verify")

    def test_a_try_that_broke_off_before_the_end_counts_once(self, world):
        self.put(world)
        append = world.lake.append

        def append_but(path, entry):
            if path == paths.MigrationFiles("m").work(3).queue_log:
                raise CrashError
            append(path, entry)

        world.lake.append = append_but
        with pytest.raises(CrashError):
            end(world, operation=3, kind="verify")
        world.lake.append = append
        end(world, operation=3, kind="verify")
        assert len(record_of(world)["operations"]) == 1

    def test_a_record_that_is_gone_is_told(self, world):
        self.put(world)
        world.lake.delete(paths.MigrationFiles("m").table("Music").record)
        with pytest.raises(PermanentError, match=paths.MigrationFiles("m").table("Music").record):
            end(world, operation=3, kind="verify")

    def test_several_of_them_follow_each_other_in_the_record(self, world):
        self.put(world)
        end(world, operation=3, kind="verify")
        put_table(world, a_table(load=a_load(result_path="later.json")), operation=4)
        end(world, operation=4, kind="verify")
        assert [one["number"] for one in record_of(world)["operations"]] == [3, 4]


def test_a_record_of_a_migration_without_faults_is_what_its_stages_found(world):
    put_table(world)
    end(world)
    written = record_of(world)
    expected = a_record(described=SCALED, may_be_scaled=True, restored={"after_ru_per_second": 400})
    assert {name: written[name] for name in expected if name != "stages"} == {
        name: value for name, value in expected.items() if name != "stages"
    }
