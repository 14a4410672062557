"""Whatever stands in the place of a file of the lake, reading it ends in one of the app's errors."""

import asyncio
import json
from datetime import UTC, datetime

from hypothesis import strategies as st

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.control.lake_events.sweep import first_sweep, next_page, parse_sweep
from d2c.errors import D2CError
from d2c.plan.tables import Location
from d2c.state import paths
from d2c.state.container_lock import HOLDER, release_container, take_container
from d2c.state.operations import last_number
from d2c.state.outbox import ATTEMPTS, OUTBOX, SENT, Delivery
from d2c.state.standing_plans import plans_for, standing_plans
from d2c.state.table_files import read_table
from tests.fuzz.fuzzing import fuzzed, odd_texts, spoilt, torn, within_bounds
from tests.unit.control.lake_world import standing
from tests.unit.file_system import SubstituteFileSystem

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATH = "migrations/m/any.json"
LOCK = {"migration": "m", "table": "Music", "operation": 0, "taken_at": NOW.isoformat()}
PAYLOAD = {"migration": "m", "table": "Music", "operation": 1, "database": "shop", "container": "music"}
EVENT = {"id": f"evt_{1:032x}", "time": NOW.isoformat(), "data": {"migration": "m", "table": "Music"}}


def written(*sound):
    """Return bytes in the place of JSON files: spoilt, torn, or of anything else."""
    values = st.sampled_from(sound)
    texts = [json.dumps(value).encode() for value in sound]
    return st.one_of(
        values.flatmap(lambda value: spoilt(st.just(value))).map(lambda value: json.dumps(value).encode()),
        torn(st.sampled_from(texts)),
        st.binary(max_size=64),
    )


def lake_with(path, content):
    lake = Lake(SubstituteFileSystem())
    lake.write(path, content)
    return lake


def read_or_refuse(read, *arguments):
    """Return what was read, or None if it ended in an error of the app."""
    with within_bounds():
        try:
            return read(*arguments)
        except D2CError as error:
            told = str(error)
    assert len(told.encode()) < 2_000, told
    return None


@fuzzed(written({"a": [1]}, [1], "text"))
def test_a_file_is_json_or_an_error(content):
    lake = lake_with(PATH, content)
    value = read_or_refuse(lake.read_json, PATH)
    assert read_or_refuse(lake.read_version, PATH) in ((value, '"1"'), None)
    for line in read_or_refuse(lake.read_log, PATH) or ():
        assert isinstance(line, dict)
    read_or_refuse(
        read_table, lake_with(paths.MigrationFiles("m").work(0).table("Music"), content), "m", 0, "Music"
    )


@fuzzed(written(first_sweep(NOW), {**first_sweep(NOW), "token": "t", "place": "exports/"}))
def test_a_sweep_goes_on_or_begins(content):
    try:
        with within_bounds():
            sweep = parse_sweep(content)
    except ValueError:
        return
    assert parse_sweep(json.dumps(sweep).encode()) == sweep
    following = next_page(sweep, None, NOW)
    assert parse_sweep(json.dumps(following).encode()) == following


@fuzzed(written(LOCK, {**LOCK, "being_put_back": True}, {**LOCK, "operation": 1}))
def test_a_lock_is_one_of_a_holder_or_refused(content):
    lake = lake_with("containers/a/b/c.json", content)
    found = read_or_refuse(take_container, lake, "containers/a/b/c.json", PAYLOAD)
    assert found is None or {name: found[0][name] for name in HOLDER} == {
        name: PAYLOAD[name] for name in HOLDER
    }
    read_or_refuse(release_container, lake, "containers/a/b/c.json", PAYLOAD)


@fuzzed(st.lists(st.one_of(odd_texts, st.just("000007.json")), max_size=4))
def test_an_odd_name_among_operations_is_left_out(names):
    lake = Lake(SubstituteFileSystem())
    for name in names:
        lake.write(paths.MigrationFiles("m").operations_prefix + name, b"")
    assert last_number(lake, "m") == (7 if "000007.json" in names else 0)


@fuzzed(odd_texts, written(standing("b"), standing("b", {"table": "Music", "rules": {}})))
def test_one_plan_does_not_stop_the_others(name, content):
    lake = lake_with("plans/a.json", json.dumps(standing("a")).encode())
    lake.write(f"plans/odd/{name}.json", content)
    plans = read_or_refuse(standing_plans, lake)
    assert "plans/a.json" in [entry.path for entry in plans]
    assert len(plans_for(plans, "Music", Location(None, "eu-west-1"))) >= 1


class _Receiver:
    def __init__(self):
        self.sent = []

    async def send(self, event_id, event):
        event.decode()
        self.sent.append(event_id)


@fuzzed(written(EVENT), written({"at": NOW.isoformat()}), odd_texts)
def test_one_event_does_not_stop_the_others(event, attempts, name):
    lake = lake_with(f"{OUTBOX}evt_{2:032x}.json", json.dumps(EVENT).encode())
    lake.write(f"{OUTBOX}{EVENT['id']}.json", event)
    lake.write(f"{ATTEMPTS}{EVENT['id']}.jsonl", attempts)
    lake.write(OUTBOX + name, event)
    receiver = _Receiver()
    delivery = Delivery(AsyncLake(lake), receiver, lambda: datetime(2026, 6, 1, 13, tzinfo=UTC))
    read_or_refuse(asyncio.run, delivery.deliver_what_is_due())
    assert lake.exists(f"{SENT}evt_{2:032x}.json")
