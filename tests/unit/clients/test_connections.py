import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from d2c.clients.connections import connected_once


def test_each_thing_is_connected_to_once_even_by_many_threads():
    made = []
    together = threading.Barrier(8)

    @connected_once
    def connect(name, region):
        made.append((name, region))
        return object()

    def ask(number):
        together.wait()
        return connect("a", "x"), connect("a", region="y")

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(ask, range(8)))
    assert len(answers) == 1
    assert sorted(made) == [("a", "x"), ("a", "y")]


def test_a_failure_is_not_kept():
    outcomes = [ConnectionError("not yet"), "client"]

    @connected_once
    def connect():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(ConnectionError):
        connect()
    assert connect() == "client"
