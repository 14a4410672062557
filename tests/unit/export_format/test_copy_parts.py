import pytest

from d2c.export_format import copy_parts
from d2c.export_format.copy_parts import LISTED_MANIFESTS, next_part


def files(**sizes):
    return {f"data/{name}": size for name, size in sizes.items()}


@pytest.mark.parametrize(
    ("missing", "taken", "is_last"),
    [
        (files(a=4, b=4, c=2), ["a", "b", "c"], True),
        (files(a=4, b=4, c=3), ["a", "b"], False),
        (files(b=4, a=7), ["a"], False),
        (files(a=11, b=1), ["a"], False),
        (files(a=0, b=0), ["a", "b"], True),
        ({"manifest-summary.json": 3}, [], True),
        ({}, [], True),
    ],
)
def test_a_part_is_as_many_data_files_as_fit_in_the_order_of_their_names(missing, taken, is_last):
    part = next_part(missing, 10)
    assert part.is_last is is_last
    assert list(part.files) == [*(f"data/{name}" for name in taken), *(LISTED_MANIFESTS if is_last else ())]
    assert part.size_bytes == sum(missing[f"data/{name}"] for name in taken)


def test_parts_that_arrive_one_after_another_are_the_whole_export_each_file_once():
    missing = files(**{f"f{n:03}": n % 7 for n in range(100)})
    copied = []
    while True:
        part = next_part(missing, 20)
        copied += part.files
        if part.is_last:
            break
        assert part.size_bytes <= 20
        missing = {name: size for name, size in missing.items() if name not in part.files}
    assert sorted(copied[: -len(LISTED_MANIFESTS)]) == sorted(set(copied) - set(LISTED_MANIFESTS))
    assert len(copied) == 100 + len(LISTED_MANIFESTS)


def test_a_list_has_no_more_files_than_is_good_for_it(monkeypatch):
    monkeypatch.setattr(copy_parts, "MOST_FILES", 3)
    part = next_part(files(a=0, b=0, c=0, d=0), 10)
    assert (len(part.files), part.is_last) == (3, False)


def test_the_summary_is_in_no_list_since_an_export_is_complete_with_it():
    assert LISTED_MANIFESTS == ("manifest-files.json", "manifest-files.md5", "manifest-summary.md5")


def test_a_list_is_read_as_it_was_written():
    part = next_part(files(a=1, b=2), 10)
    assert copy_parts.read_list(part.as_list()) == part.files
    assert not part.as_list().endswith(b"\n")


def test_the_files_of_an_export_are_its_objects_without_the_mark_of_its_start():
    objects = {"e/data/a": 3, "e/manifest-summary.json": 2, "e/_started": 0}
    assert copy_parts.copied_files(objects, "e") == {"data/a": 3, "manifest-summary.json": 2}


def test_a_file_is_missing_unless_it_is_there_in_its_size():
    expected = {"data/a": 3, "data/b": 3, "data/c": 0}
    assert copy_parts.missing_files(expected, {"data/a": 3, "data/b": 2, "other": 1}) == {
        "data/b": 3,
        "data/c": 0,
    }


@pytest.mark.parametrize(
    ("missing", "has_some"),
    [
        (["data/a", "data/b"], False),
        (["data/b"], True),
        ([], True),
        # Each run of the last part copies the manifests again.
        (["data/a", "data/b", "manifest-files.md5"], False),
    ],
)
def test_a_run_that_copied_a_data_file_has_left_less_to_do(missing, has_some):
    files = ("data/a", "data/b", "manifest-files.json", "manifest-files.md5")
    assert copy_parts.has_progress(files, missing) is has_some


def test_files_that_differ_are_counted_and_the_first_named():
    expected = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    assert copy_parts.differences(expected, {**expected, "b": 1}) == (
        "1 files of the export differ, such as b (2 and 1 bytes),"
    )
    assert copy_parts.differences(expected, {"a": 1, "f": 6}) == (
        "5 files of the export differ, such as b (2 and None bytes), c (3 and None bytes), d (4 and None bytes),"
    )


def test_the_lists_of_an_export_lie_beside_it_one_for_each_try():
    assert copy_parts.list_key("p/AWSDynamoDB/e", 2, 3, 4) == "p/AWSDynamoDB/e.lists/2-3-4.txt"
