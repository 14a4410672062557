"""Whatever stands among the rejected items in the lake, a page has items with reasons, or says where there is none."""

import json

from hypothesis import strategies as st

from d2c.errors import PermanentError
from d2c.state.rejected_pages import read_page, read_token
from tests.fuzz.fuzzing import fuzzed, odd_values, spoilt, torn, within_bounds
from tests.unit.state.test_rejected_pages import SubstituteLake, line

FOLDERS = {"Music": "m/rejected"}


def written(value):
    return json.dumps(value).encode()


sound = st.integers(1, 9).map(line)
lines = st.one_of(
    sound, torn(sound), spoilt(sound.map(json.loads)).map(written), odd_values.map(written), st.just(b"")
)


@fuzzed(st.lists(lines, max_size=5).map(b"\n".join), st.integers(1, 3))
def test_a_page_has_items_with_reasons_or_is_refused(content, most):
    lake, begin, ended = SubstituteLake({"m/rejected/part-00000": content}), None, False
    with within_bounds():
        while not ended:
            try:
                items, begin = read_page(lake, FOLDERS, None, most, begin)
            except PermanentError as refused:
                assert "m/rejected/part-00000" in str(refused)
                assert len(str(refused)) < 1_000
                return
            for item in map(json.loads, items):
                assert (type(item["reason"]), item["table"]) == (str, "Music")
            begin, ended = begin and read_token(begin.to_token()), begin is None
