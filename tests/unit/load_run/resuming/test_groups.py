import pytest

from d2c.load_run.resuming.groups import LONG_SECONDS, MOST_GROUPS, SHORT_SECONDS, Groups


def files(count):
    return [f"f{number}" for number in range(count)]


def dealt(groups, seconds):
    """Return the sizes of all groups that take so many seconds each."""
    sizes = []
    while group := groups.take():
        sizes.append(len(group))
        groups.took(seconds)
    return sizes


def test_each_file_is_in_one_group():
    groups, found = Groups(files(10), cores=4), []
    while group := groups.take():
        found += group
    assert found == files(10)


@pytest.mark.parametrize(
    ("seconds", "sizes"),
    [
        (SHORT_SECONDS - 1, [4, 8, 16, 12]),
        (SHORT_SECONDS, [4] * 10),
        (LONG_SECONDS + 1, [4] * 10),
    ],
)
def test_groups_grow_while_they_take_a_short_time_and_keep_all_cores_busy(seconds, sizes):
    assert dealt(Groups(files(40), cores=4), seconds) == sizes


def test_a_group_that_took_too_long_is_followed_by_smaller_ones():
    groups = Groups(files(100), cores=4)
    for seconds in (1, 1):
        groups.take()
        groups.took(seconds)
    assert len(groups.take()) == 16
    groups.took(LONG_SECONDS)
    assert len(groups.take()) == 16
    groups.took(LONG_SECONDS + 1)
    assert len(groups.take()) == 8


def test_there_are_only_so_many_groups_whatever_the_files_are():
    assert len(dealt(Groups(files(100_000), cores=4), LONG_SECONDS)) <= MOST_GROUPS


def test_after_an_error_no_more_are_dealt():
    groups = Groups(files(40), cores=4)
    groups.stop()
    assert groups.take() == ()
