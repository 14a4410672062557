import pytest

from d2c.load_run.spark_paths import literal


@pytest.mark.parametrize(
    ("path", "as_taken"),
    [
        ("abfss://lake@a.dfs.core.windows.net/exports/m/T/1/data", None),
        ("exports/their team [prod]/1", r"exports/their team \[prod\]/1"),
        ("exports/{a,b}*?/1", r"exports/\{a,b\}\*\?/1"),
        ("exports/a:b+ä/1", None),
    ],
)
def test_what_a_reader_would_take_as_a_pattern_is_escaped(path, as_taken):
    assert literal(path) == (as_taken or path)
