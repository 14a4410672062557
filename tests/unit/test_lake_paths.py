from d2c.lake_paths import index_path, migration_of_index


def test_the_index_sorts_newest_first_and_gives_the_migration_back():
    old, new = index_path("a-first", 1_780_000_000_000), index_path("z-second", 1_790_000_000_000)
    assert sorted([old, new]) == [new, old]
    assert migration_of_index(old) == "a-first"
