import pytest

from localcloud.databricks.connector.reading import ring_parts


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_parts_follow_each_other_and_leave_nothing_out(count):
    parts = ring_parts(count)
    assert len(parts) == count
    assert (parts[0].start, parts[-1].end) == ("", "FF")
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert [part.start for part in parts] == sorted({part.start for part in parts})
