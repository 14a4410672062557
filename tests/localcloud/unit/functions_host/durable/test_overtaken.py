import json

import pytest

from localcloud.functions_host.durable.decisions import carry_out
from localcloud.functions_host.durable.engine import EXECUTION_TERMINATED, RESUMED, SUSPENDED, Engine
from localcloud.functions_host.durable.replay import Turn
from localcloud.functions_host.durable.store import Store, create_instance, event

DONE = Turn(True, "of the one before", None, None, None, ())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "functions.sqlite")


def start(store):
    """Start an instance, and return its generation and the numbers of its messages."""
    with store.transaction() as connection:
        create_instance(connection, "any", "i", "1")
    ((generation,),) = store.read("select generation from instances where id=?", "i")
    return generation, [number for (number,) in store.read("select number from messages where id=?", "i")]


def test_nothing_comes_of_a_turn_that_another_start_overtook(store):
    generation, _ = start(store)
    _, messages = start(store)
    assert carry_out(store, None, "i", generation, "any", [], [event(12)], DONE, messages) == []
    assert store.status("i")["runtimeStatus"] == "Pending"
    assert store.history("i") == []
    assert len(store.read("select number from messages where id=?", "i")) == 1


def test_the_start_of_one_that_takes_the_place_of_an_ended_one_is_not_dropped(store):
    generation, messages = start(store)
    carry_out(store, None, "i", generation, "any", [], [event(12)], DONE, messages)
    store.drop_messages("i")
    assert store.status("i")["runtimeStatus"] == "Completed"
    start(store)
    store.drop_messages("i")
    assert len(store.read("select number from messages where id=?", "i")) == 1


EVENT = 15


def due(store):
    """Return the messages that a turn would read now."""
    return store.read(
        "select number, generation, event from messages where id=? and due<=? order by number",
        "i",
        store.clock(),
    )


@pytest.mark.parametrize("order", [RESUMED, EXECUTION_TERMINATED])
def test_an_order_that_comes_while_a_pause_is_taken_is_not_put_aside_with_the_rest(store, order):
    engine = Engine(None, store)
    start(store)
    engine.deliver("i", SUSPENDED, Reason="why")
    engine.deliver("i", EVENT, Name="wake", Input="null")
    read = due(store)
    engine.deliver("i", order, Reason="why")
    engine._suspend("i", read)
    assert [kind_of(message) for message in due(store)] == [0, EVENT, order]


def test_what_a_pause_puts_aside_comes_back_with_its_end(store):
    engine = Engine(None, store)
    start(store)
    engine.deliver("i", SUSPENDED, Reason="why")
    engine.deliver("i", EVENT, Name="wake", Input="null")
    engine._suspend("i", due(store))
    assert due(store) == []
    engine.deliver("i", RESUMED, Reason="why")
    assert [kind_of(message) for message in due(store)] == [0, EVENT, RESUMED]


def kind_of(message):
    return json.loads(message[2])["EventType"]
