"""The numbers of operations, and what a retry knows of a table."""

import pytest

from d2c.clients.azure.lake import Lake
from d2c.shapes.operations import MIGRATING
from d2c.state.operations import (
    last_migrating,
    last_number,
    migrating_kind,
    retried_input,
    why_not_changed,
)
from d2c.state.paths import MigrationFiles
from tests.unit.file_system import SubstituteFileSystem
from tests.unit.records import record, without

RULES = {"rules": {"numbers": "exact"}}
DESCRIBED = {"peak_ru_per_second": 4000}


@pytest.fixture
def lake():
    return Lake(SubstituteFileSystem())


def write(lake, *kinds):
    for number, kind in enumerate(kinds, 1):
        lake.write_json(MigrationFiles("m").operation(number), {"kind": kind, "number": number})


def before_the_load(**changes):
    """Return the record of a table that failed in prepare."""
    return {**without(record(), "load"), "stages": [{"stage": "prepare"}], **changes}


class TestNumbers:
    def test_without_operations_the_start_is_the_last(self, lake):
        assert (last_number(lake, "m"), last_migrating(lake, "m")) == (0, 0)

    def test_operations_of_all_kinds_are_counted_together(self, lake):
        write(lake, "retry", "verify", "retry", "replay", "verify")
        assert (last_number(lake, "m"), last_migrating(lake, "m")) == (5, 3)

    def test_verify_and_replay_migrate_nothing(self, lake):
        write(lake, "verify", "replay")
        assert last_migrating(lake, "m") == 0

    def test_another_migrations_operations_and_flags_do_not_count(self, lake):
        write(lake, "retry")
        lake.write_json(MigrationFiles("m").cancel(7), {})
        lake.write_json(MigrationFiles("m-2").operation(9), {"kind": "retry"})
        assert (last_number(lake, "m"), last_migrating(lake, "m")) == (1, 1)

    def test_there_are_more_than_nine(self, lake):
        write(lake, *["verify"] * 11)
        assert last_number(lake, "m") == 11


class TestRulesThatChange:
    @pytest.mark.parametrize(
        "found",
        [
            None,
            before_the_load(),
            before_the_load(stages=[{"stage": "prepare"}, {"stage": "assess"}]),
            record(load={"load_started_at": None}),
        ],
    )
    def test_they_may_while_nothing_was_loaded(self, found):
        assert why_not_changed(found, RULES) is None

    @pytest.mark.parametrize(
        "found", [record(), before_the_load(is_let_go=True), record(is_let_go=True, load={})]
    )
    def test_they_may_not_once_a_load_may_have_begun(self, found):
        assert "empty the container" in why_not_changed(found, RULES)

    def test_other_changes_may_always(self):
        assert why_not_changed(record(), {"verify": "counts"}) is None


class TestRetriedInput:
    def test_findings_are_reused_and_what_belongs_to_the_attempt_is_not(self):
        found = retried_input(record(described=DESCRIBED), {"table": "Music"})
        assert {"source", "export", "copy", "described"} <= found.keys()
        assert not {"load", "error", "state", "stages", "started_at", "operation"} & found.keys()

    def test_changes_are_laid_over_the_settings_field_by_field(self):
        entry = {"table": "Music", "limits": {"max_logical_partition_bytes": 1}, "verify": "counts"}
        found = retried_input(record(), entry)
        assert found["limits"] == {"max_rejected_items": 5, "max_logical_partition_bytes": 1}
        assert found["verify"] == "counts"

    def test_the_policy_of_a_container_stays_the_plans_or_becomes_another_as_a_whole(self):
        policy = {"includedPaths": [{"path": "/a/?"}], "excludedPaths": [{"path": "/*"}]}
        assert retried_input(record(indexing=policy), {"table": "Music"})["indexing"] == policy
        assert (
            retried_input(record(indexing=policy), {"table": "Music", "indexing": "all"})["indexing"] == "all"
        )

    def test_without_an_export_everything_is_found_anew(self):
        found = retried_input(without(record(described=DESCRIBED), "export"), {"table": "Music"})
        assert not {"source", "export", "copy", "described"} & found.keys()

    def test_a_container_without_documents_of_the_table_is_described_again(self):
        found = retried_input(before_the_load(described=DESCRIBED), {"table": "Music"})
        assert "described" not in found

    def test_a_container_that_may_have_documents_of_the_table_is_not_even_after_a_retry_that_came_to_no_load(
        self,
    ):
        loaded = retried_input(record(described=DESCRIBED), {"table": "Music"})
        cancelled_at_once = {**loaded, "stages": [{"stage": "report"}], "state": "cancelled"}
        again = retried_input(cancelled_at_once, {"table": "Music"})
        assert again["described"] == DESCRIBED
        assert why_not_changed(cancelled_at_once, RULES)


def test_the_number_of_an_operation_that_migrates_shows_its_kind():
    assert tuple(migrating_kind(number) for number in (0, 1)) == MIGRATING
