"""Whatever is sent to the driver's port for reports, it is a report of this run or nothing."""

from hypothesis import strategies as st

from d2c.load_run.counting.reports import MOST_BYTES, read_report

from .fuzzing import fuzzed, odd_texts, torn, within_bounds

KEY = "0123456789abcdef0123456789abcdef"
SOUND = st.tuples(st.integers(0, 10**20), odd_texts).map(
    lambda found: f"{KEY} {found[0]} {found[1]}".encode(errors="replace")
)


@fuzzed(SOUND | torn(SOUND) | st.binary(max_size=2 * MOST_BYTES))
def test_a_report_is_a_count_and_a_name_or_nothing(datagram):
    with within_bounds():
        found = read_report(datagram, KEY)
    if found is not None:
        name, items = found
        assert datagram.startswith(KEY.encode())
        assert 0 <= items < 10**18
        assert len(name) <= MOST_BYTES
