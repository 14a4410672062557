import json

import pytest

from d2c.load_run.census.first_levels import MOST_TEXT, FirstLevels, sampled_of_a_file
from d2c.mapping import Document, Expired


def document(first):
    return Document(b"{}", "1", (first, "x"), None)


def levels(*counts):
    found = FirstLevels()
    for value, count in counts:
        for _ in range(count):
            found.add(document(value))
    return FirstLevels.from_json(json.loads(json.dumps(found.to_json())))


def test_a_value_of_many_documents_bounds_what_a_load_can_write():
    total = levels(("DE", 200), *((number, 1) for number in range(300)))
    total.merge(levels(("DE", 50), *((number, 1) for number in range(450))))
    assert total.hottest() == {"value": '"DE"', "part": 0.25, "sampled": 1000, "most_ru_per_second": 40_000}


@pytest.mark.parametrize(
    "found",
    [
        levels(),
        levels(("DE", 99)),
        levels(*((number, 1) for number in range(1000))),
        levels(("DE", 49), *((number, 1) for number in range(951))),
    ],
)
def test_few_documents_or_many_values_say_nothing(found):
    assert found.hottest() is None


def test_only_documents_count_and_types_are_kept_apart():
    found = levels(("1", 100), (1, 50), (True, 50))
    found.add(Expired(1))
    assert (found.sampled, found.hottest()["value"]) == (200, '"1"')


def test_long_values_that_begin_alike_are_told_apart_in_few_characters():
    found = levels(("x" * 2000, 100), ("x" * 1999 + "y", 100))
    hottest = found.hottest()
    assert hottest["part"] == 0.5
    assert len(hottest["value"]) < MOST_TEXT + 30


def test_many_files_are_sampled_less_each():
    assert [sampled_of_a_file(files) for files in (0, 1, 20, 20_000)] == [2000, 2000, 100, 10]
