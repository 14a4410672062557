import inspect

import pytest

from d2c.state import paths
from d2c.state.paths import (
    MigrationFiles,
    folder_name,
    migration_of_index,
    name_of_folder,
    time_of_index,
)


def test_the_index_sorts_newest_first_and_gives_the_migration_back():
    old = MigrationFiles("a-first").index(1_780_000_000_000)
    new = MigrationFiles("z-second").index(1_790_000_000_000)
    assert sorted([old, new]) == [new, old]
    assert migration_of_index(old) == "a-first"


def test_operations_sort_by_number_apart_from_their_flags():
    numbers = [9, 10, 999, 1000]
    paths = [MigrationFiles("m").operation(number) for number in numbers]
    assert sorted(paths) == paths
    assert not MigrationFiles("m").cancel(1).startswith(MigrationFiles("m").operations_prefix)


def test_every_operation_has_a_cancel_flag_of_its_own():
    assert len({MigrationFiles("m").cancel(number) for number in (0, 1, 2)}) == 3


def test_every_run_and_attempt_has_a_folder_of_its_own():
    runs = [("start-0", 1), ("start-0", 2), ("retry-1", 1), ("verify-2", 1), ("verify-2", 11)]
    assert len({MigrationFiles("m").table("t").load_folder(*run) for run in runs}) == len(runs)


def test_every_copy_run_has_a_flag_of_its_own():
    runs = [(0, 1, 1), (0, 1, 2), (0, 2, 1), (1, 1, 1), (1, 1, 11)]
    flags = {MigrationFiles("m").table(table).copy_begun(*run) for table in ("t", "u") for run in runs}
    assert len(flags) == 2 * len(runs)


def test_every_operation_has_a_folder_of_work_with_files_of_their_own():
    files = [
        path
        for number in (0, 1)
        for path in (
            MigrationFiles("m").work(number).queue,
            MigrationFiles("m").work(number).queue_log,
            MigrationFiles("m").work(number).table("queue"),
            MigrationFiles("m").work(number).table("0-1"),
            MigrationFiles("m").work(number).unit_requests("0-1", 1),
            MigrationFiles("m").work(number).unit_requests("0-1", 2),
            MigrationFiles("m").work(number).unit_log("0-1"),
        )
    ]
    assert len(set(files)) == len(files)


def test_an_index_entry_tells_when_its_migration_was_accepted():
    assert time_of_index(MigrationFiles("m").index(1_700_000_000_123)) == 1_700_000_000_123


PATHS = [
    each
    for name, each in inspect.getmembers(paths, inspect.isfunction)
    if name.endswith(("_path", "_folder"))
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_no_folder_of_a_table_or_database_ends_in_a_dot(path):
    names = [
        name for name in inspect.signature(path).parameters if name in ("table", "database", "container")
    ]
    values = [dict.fromkeys(names, value) for value in ("orders", "orders.", "orders..")]
    numbers = {"operation": 1, "attempt": 1, "number": 1, "started_at_ms": 1}
    others = {name: numbers.get(name, "m") for name in inspect.signature(path).parameters}
    found = [path(**{**others, **value}) for value in values]
    assert not any(part.endswith(".") for each in found for part in each.split("/"))
    assert len(set(found)) == (3 if names else 1)


def test_no_folder_of_a_tables_files_ends_in_a_dot_and_no_two_tables_share_one():
    folders = [MigrationFiles("m").table(name).folder for name in ("orders", "orders.", "orders..")]
    assert not any(folder.endswith(".") for folder in folders)
    assert len(set(folders)) == 3


@pytest.mark.parametrize("name", ["orders", "orders.", "orders..", "a.b", "...", "db~", "db.~", "~", "~~"])
def test_the_folder_of_a_name_gives_it_back(name):
    assert name_of_folder(folder_name(name)) == name


def test_no_two_names_have_one_folder():
    names = ["a", "a.", "a~", "a.~", "a~.", "a..", "a~~"]
    assert len({folder_name(name) for name in names}) == len(names)
