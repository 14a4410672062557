import threading

import pytest

from localcloud.databricks.connector.in_flight import InFlight
from tests.contract.polling import HANG_SECONDS


def test_as_many_operations_are_pending_as_are_allowed_while_the_service_is_slow():
    answered, filled, stopped = threading.Event(), threading.Event(), threading.Event()
    most = 0

    def write():
        nonlocal most
        with InFlight(lambda batch: answered.wait(), threads=2, most=500, stopped=stopped) as writes:
            for _ in range(8):
                if writes.pending == 500:
                    filled.set()
                writes.add("batch", 100)
                most = max(most, writes.pending)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert filled.wait(HANG_SECONDS)
    answered.set()
    writer.join(HANG_SECONDS)
    assert most == 500
    assert stopped.is_set()


def test_a_batch_larger_than_that_goes_alone():
    sent = []
    with InFlight(sent.append, threads=2, most=3, stopped=threading.Event()) as writes:
        for name in ("a", "b"):
            writes.add(name, 5)
    assert sorted(sent) == ["a", "b"]


def test_a_lane_waits_for_no_other_one():
    answered, sent = threading.Event(), threading.Event()

    def send(lane):
        if lane == "free":
            sent.set()
        else:
            answered.wait()

    with InFlight(send, threads=1, most=100, stopped=threading.Event()) as writes:
        for lane in ("busy", "busy", "free"):
            writes.add(lane, 1, lane)
        assert sent.wait(HANG_SECONDS)
        answered.set()


def test_the_first_failure_stops_the_rest_and_is_raised():
    stopped = threading.Event()

    def send(thing):
        raise ValueError(thing)

    with (
        pytest.raises(ValueError, match="a"),
        InFlight(send, threads=1, most=100, stopped=stopped) as writes,
    ):
        writes.add("a", 1)
    assert stopped.is_set()
