import pytest

from localcloud.databricks.connector.container import KeyRange
from localcloud.databricks.connector.reading import ring_parts


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
@pytest.mark.parametrize(
    "borders", [("", "FF"), ("", "1FFFFFFF"), ("1FFFFFFF", "3FFFFFFF"), ("3FFFFFFF", "FF")]
)
def test_parts_follow_each_other_and_leave_nothing_out(borders, count):
    parts = ring_parts(KeyRange("3", *borders), count)
    assert len(parts) == count
    assert (parts[0].start, parts[-1].end) == borders
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert [part.start for part in parts] == sorted({part.start for part in parts})
    assert {part.range_id for part in parts} == {"3"}
