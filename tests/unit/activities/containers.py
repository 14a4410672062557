"""Containers as the activities of a load lane meet them, and how far a table has come with its own."""

from typing import Any

from activities.load_lane.prepare import look_at_prepare
from activities.load_lane.scale import look_at_scale
from d2c.clients.azure.cosmos.management import Container, Throughput
from tests.builders import a_claim, a_lane, a_source, a_table, an_export

from .answers import error_of, value_of
from .fakes import CrashError
from .queues import ends_of, file_of, put_queue, record_of, tell

SOURCE = a_source()
TABLE = a_table(throughput={"load_ru_per_second": 4000}, source=SOURCE, export=an_export(items=7))
SHARED = {"ru_per_second": 1200, "autoscale": False}
SHARING = {**TABLE, "throughput": {"load_ru_per_second": "auto", "kind": "shared", "database": SHARED}}
EXPIRING = {**TABLE, "source": {**SOURCE, "ttl_attribute": "expires"}}
FITTING = Container(("/Artist",), None)
LOCK = "containers/x/shop/music.json"
ASSESSED = {"documents": 7, "document_bytes": 700, "write_ru": 70}


def manual(ru_per_second, minimum=400):
    return Throughput(ru_per_second, autoscale=False, minimum_ru_per_second=minimum, pending=False)


def autoscale(ru_per_second, minimum=1000):
    return Throughput(ru_per_second, autoscale=True, minimum_ru_per_second=minimum, pending=False)


def existing(world, throughput, container=FITTING):
    world.cosmos.container, world.cosmos.throughput = container, throughput


def asking(load="auto", after=None, table=TABLE):
    wanted = {"load_ru_per_second": load, **({"after_load_ru_per_second": after} if after else {})}
    return {**table, "throughput": wanted}


def put_unit(world, *tables, operation=0):
    """Let the first load lane have these tables."""
    put_queue(world, *tables, enters="load", operation=operation)
    tell(world, a_claim("load", *(table["table"] for table in tables)), operation=operation)


def prepare(world, **more):
    """Take and look at the containers of the unit."""
    return world.answer(look_at_prepare, a_lane("load", attempt=1, run="prepare", **more))


def prepared(world, table=TABLE):
    """Prepare a table; the result is how its container was described."""
    put_unit(world, table)
    value_of(prepare(world))
    assert ends_of(world) == {}
    return file_of(world)["described"]


def scale(world, **more):
    """Do the next step for the containers of tables that have been assessed."""
    return world.answer(look_at_scale, a_lane("load", attempt=1, run="scale", **more))


def scaled(world, table=TABLE):
    """Let a table be prepared, and its container be asked for; the result is how it was described."""
    prepared(world, {**table, "assessed": ASSESSED})
    value_of(scale(world))
    assert ends_of(world) == {}
    return file_of(world)["described"]


def refused(world, table=TABLE):
    """Return the error of a table whose container is refused."""
    put_unit(world, table)
    value_of(prepare(world))
    assert ends_of(world) == {table["table"]: "failed"}
    error = record_of(world, table["table"])["error"]
    assert error["stage"] == "prepare"
    return error


def raising(error):
    def call(*_, **__):
        raise error

    return call


def dying_before_it_asks(world):
    """Let the worker die once it has described the container, before it asks for anything; return how to mend it."""
    find = world.cosmos.find_container
    calls: list[Any] = []

    def find_once(*names):
        calls.append(names)
        if len(calls) > 1:
            raise CrashError
        return find(*names)

    world.cosmos.find_container = find_once
    error_of(scale(world), "transient")
    world.cosmos.find_container = find


def lock(world):
    return world.lake.read_json(LOCK)


def held_by(world, **changes):
    """Let the container be locked by another table, or another migration."""
    own = {"migration": "m", "table": "Songs", "operation": 0, "database": "shop", "container": "music"}
    world.lake.write_json(LOCK, {**own, **changes})
