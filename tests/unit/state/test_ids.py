from d2c.state.ids import (
    INSTANCE_ID_LENGTH,
    operation_instance_id,
    operation_run_instance_id,
    run_key,
    stage_instance_id,
    table_instance_id,
)


def test_a_run_key_is_the_same_for_the_same_and_another_for_anything_else():
    keys = {
        run_key(*parts) for parts in [("m", "t", "copy", 1), ("m", "t", "copy", 2), ("m", "tc", "opy", 1)]
    }
    assert len(keys) == 3
    assert run_key("m", "t", "copy", 1) in keys


def test_a_run_key_fits_a_databricks_token_and_a_dynamodb_token():
    key = run_key("m", "t" * 255, "load", 1)
    assert len(key) == 64
    assert "$" not in key


def test_instance_ids_of_long_table_names_fit_and_stay_apart():
    long, longer = "t" * 200, "t" * 201
    ids = {table_instance_id("m", long), table_instance_id("m", longer), stage_instance_id("m", long, "copy")}
    assert len(ids) == 3
    assert all(len(name) <= INSTANCE_ID_LENGTH for name in ids)


def test_short_instance_ids_are_readable():
    assert stage_instance_id("music-2026", "Music", "load") == "music-2026:Music:load"


def test_a_revisit_has_other_instance_ids_than_any_table_or_stage():
    tables = ("verify-1", "load", "Music")
    ids = {
        operation_instance_id("m", "verify-1"),
        *(table_instance_id("m", table) for table in tables),
        *(stage_instance_id("m", table, stage) for table in tables for stage in ("load", "verify-1")),
        *(operation_run_instance_id("m", table, "verify-1") for table in tables),
    }
    assert len(ids) == 1 + 3 + 6 + 3
    assert len(operation_run_instance_id("m" * 48, "t" * 255, "replay-1000")) <= INSTANCE_ID_LENGTH
