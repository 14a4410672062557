from d2c.state.paths import (
    cancel_path,
    index_path,
    load_folder,
    migration_of_index,
    operation_path,
    operations_prefix,
    time_of_index,
)


def test_the_index_sorts_newest_first_and_gives_the_migration_back():
    old, new = index_path("a-first", 1_780_000_000_000), index_path("z-second", 1_790_000_000_000)
    assert sorted([old, new]) == [new, old]
    assert migration_of_index(old) == "a-first"


def test_operations_sort_by_number_apart_from_their_flags():
    numbers = [9, 10, 999, 1000]
    paths = [operation_path("m", "verify", number) for number in numbers]
    assert sorted(paths) == paths
    assert not cancel_path("m", "verify-1").startswith(operations_prefix("m", "verify"))


def test_an_operation_and_the_migration_have_cancel_flags_of_their_own():
    assert len({cancel_path("m"), cancel_path("m", "verify-1"), cancel_path("m", "replay-1")}) == 3


def test_every_run_and_attempt_has_a_folder_of_its_own():
    folders = {load_folder("m", "t", 1), load_folder("m", "t", 2), load_folder("m", "t", 1, "verify-1")}
    assert len(folders) == 3


def test_an_index_entry_tells_when_its_migration_was_accepted():
    assert time_of_index(index_path("m", 1_700_000_000_123)) == 1_700_000_000_123
