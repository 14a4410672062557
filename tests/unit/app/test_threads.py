import threading

import pytest

from d2c.app.logs import current_fields, log_fields
from d2c.app.threads import side_by_side
from tests.contract.polling import HANG_SECONDS


def test_results_come_in_the_order_of_the_things_however_long_each_takes():
    later = threading.Event()

    def act(thing):
        if thing == "first":
            assert later.wait(HANG_SECONDS)
        else:
            later.set()
        return thing.upper()

    assert side_by_side(act, ["first", "second"], at_once=2) == ["FIRST", "SECOND"]


def test_each_has_the_log_fields_of_whoever_asked():
    with log_fields(migration="m"):
        assert side_by_side(lambda _: dict(current_fields()), range(5), at_once=3) == [{"migration": "m"}] * 5


def test_an_error_is_raised_once_all_have_ended():
    done = []

    def act(thing):
        if thing == 1:
            raise ValueError("one")
        done.append(thing)

    with pytest.raises(ValueError, match="one"):
        side_by_side(act, range(4), at_once=1)
    assert done == [0, 2, 3]
