from d2c.state.ids import (
    INSTANCE_ID_LENGTH,
    clean_up_instance_id,
    lane_instance_id,
    operation_instance_id,
    operation_name,
    run_key,
    stage_instance_id,
    start_instance_id,
    unit_instance_id,
    unit_name,
)
from tests.builders import an_operation

LONGEST_NAME = "m" * 48


def test_a_run_key_is_the_same_for_the_same_and_another_for_anything_else():
    parts = [
        (an_operation(), "t", "copy", 1),
        (an_operation(), "t", "copy", 2),
        (an_operation(operation=1), "t", "copy", 1),
        (an_operation(), "tc", "opy", 1),
        (an_operation(operation=11), "t", "copy", 1),
        (an_operation(operation=1), "1t", "copy", 1),
        (an_operation(deployment="a"), "t", "copy", 1),
        (an_operation(deployment="b"), "t", "copy", 1),
    ]
    keys = {run_key(*one) for one in parts}
    assert len(keys) == len(parts)
    assert run_key(an_operation(deployment="a"), "t", "copy", 1) in keys


def test_a_run_key_fits_a_databricks_token_and_a_dynamodb_token():
    key = run_key(an_operation(operation=12, deployment="d" * 16), "t" * 255, "load", 10)
    assert len(key) == 64
    assert "$" not in key


def test_instance_ids_of_long_table_names_fit_and_stay_apart():
    long, longer = "t" * 200, "t" * 201
    ids = {
        stage_instance_id("m", 0, long, "export"),
        stage_instance_id("m", 0, long, "copy"),
        stage_instance_id("m", 1, long, "copy"),
        stage_instance_id("m", 0, longer, "copy"),
    }
    assert len(ids) == 4
    assert all(len(name) <= INSTANCE_ID_LENGTH for name in ids)


def test_all_other_instance_ids_fit():
    ids = [
        unit_instance_id(LONGEST_NAME, 999_999, unit_name(999, 99_999), "prepare"),
        lane_instance_id(LONGEST_NAME, 999_999, "export", 99_999),
        start_instance_id(LONGEST_NAME, 999_999),
        operation_instance_id(LONGEST_NAME, "verify", 999_999),
        clean_up_instance_id(LONGEST_NAME),
    ]
    assert all(len(name) <= INSTANCE_ID_LENGTH for name in ids)


def test_short_instance_ids_are_readable():
    assert stage_instance_id("music-2026", 0, "Music", "copy") == "music-2026:Music:copy-0"
    assert unit_instance_id("music-2026", 0, unit_name(1, 2), "load") == "music-2026::load-0-1-2"
    assert lane_instance_id("music-2026", 0, "load", 3) == "music-2026.load-lane-0-3"


def test_retries_run_under_the_migrations_own_id_and_other_operations_do_not():
    ids = [operation_instance_id("m", kind, 2) for kind in ("start", "retry", "verify", "replay")]
    assert ids == ["m", "m", "m::verify-2", "m::replay-2"]
    assert operation_name("retry", 2) == "retry-2"


def test_an_operation_has_other_instance_ids_than_any_table_lane_or_unit():
    tables = ("verify-1", "load-1", "Music", "1-1")
    ids = [
        operation_instance_id("m", "verify", 1),
        start_instance_id("m", 1),
        clean_up_instance_id("m"),
        *(lane_instance_id("m", 1, stage, 1) for stage in ("export", "copy", "load")),
        *(unit_instance_id("m", 1, unit_name(1, 1), stage) for stage in ("prepare", "load")),
        *(stage_instance_id("m", 1, table, stage) for table in tables for stage in ("export", "copy")),
    ]
    assert len(set(ids)) == len(ids)
