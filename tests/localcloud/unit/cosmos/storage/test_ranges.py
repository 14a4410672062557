import pytest

from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.ranges import RING, bound, even_ranges, split


def test_new_ranges_have_equal_parts_of_the_ring():
    widths = [each.end - each.start for each in even_ranges(3)]
    assert sum(widths) == RING
    assert max(widths) - min(widths) <= 1


def test_a_split_halves_the_widest_range_and_tells_where_the_halves_came_from():
    once = split(even_ranges(1), 2)
    assert [(each.id, each.parents) for each in once] == [(1, (0,)), (2, (0,))]
    twice = split(once, 3)
    assert [(each.id, each.parents) for each in twice] == [(3, (0, 1)), (4, (0, 1)), (2, (0,))]
    assert [each.start for each in twice] == [0, RING // 4, RING // 2]


def test_ranges_are_never_merged():
    assert split(even_ranges(3), 1) == even_ranges(3)


@pytest.mark.parametrize("version", [1, 2])
def test_equal_ranges_hold_equally_many_keys(version):
    definition = keys.check_definition({"paths": ["/pk"], "version": version})
    bounds = [bound(definition, each.start) for each in even_ranges(4)]
    places = [keys.effective_key(definition, [f"key {number}"]) for number in range(400)]
    counts = [sum(low <= place for place in places) for low in bounds]
    assert counts[0] == 400
    assert counts == pytest.approx([400, 300, 200, 100], abs=40)
