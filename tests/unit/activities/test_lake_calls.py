"""How often activities call the lake: each call takes the app milliseconds of a processor, and is paid for."""

import pytest

from activities.lanes import take_tables
from activities.load import look_at_load, start_load
from d2c.clients.databricks.jobs import NotebookRun
from d2c.errors import TransientError
from tests.builders import a_copy, a_lane, a_stage

from .answers import error_of, value_of
from .containers import ASSESSED, TABLE, existing, manual, prepare, put_unit, raising, scale
from .queues import ends_of, file_of, put_queue, some_tables

RUNNING = NotebookRun(ended=False, succeeded=False, cancelled=False, healable=False, message="")
NAMES = ("Music", "Orders", "Users")
LOOK = a_lane("load", attempt=1, run=0)


class CountedLake:
    """A lake that remembers its calls, each by its name and the end of its path."""

    def __init__(self, lake):
        self.lake = lake
        self.calls = []

    def __getattr__(self, name):
        def call(path, *arguments):
            self.calls.append(f"{name} {path.rpartition('/')[2]}")
            return getattr(self.lake, name)(path, *arguments)

        return call


@pytest.fixture
def asked(world):
    """Return a function that empties a list and returns it: the calls from then on."""
    world.lake = CountedLake(world.lake)

    def begin():
        world.lake.calls = []
        return world.lake.calls

    return begin


@pytest.fixture
def unit(world, asked):
    """Return three tables in a load run that goes on."""
    existing(world, manual(4000))
    put_unit(
        world, *({**TABLE, "table": name, "container": name.lower(), "copy": a_copy()} for name in NAMES)
    )
    value_of(prepare(world))
    calls = asked()
    value_of(world.answer(start_load, a_lane("load", attempt=1)))
    world.databricks.runs[0] = RUNNING
    world.submitting = list(calls)
    return world


def tell(world, name, **more):
    path = f"migrations/m/tables/{name}/start-0-1/progress.json"
    world.lake.write_json(path, {"stages": [a_stage("assess")], **more})


def assess(world, name):
    tell(world, name, is_waiting=True)
    found = {
        "assessed_at": 1,
        "assessed": ASSESSED,
        "files": {},
        "listing": "",
        "stages": [a_stage("assess")],
    }
    path = f"migrations/m/tables/{name}/start-0-1/assessed.json"
    world.lake.write_json(path, {**found, "census": {"write_ru": 70}})


def test_a_submission_reads_the_file_of_each_table_once(unit):
    assert [call for call in unit.submitting if call.startswith("read_json Music")] == [
        "read_json Music.json"
    ]


def test_a_look_at_a_run_that_has_written_nothing_new_reads_no_table(unit, asked):
    tell(unit, "Orders")
    calls = asked()
    value_of(unit.answer(look_at_load, LOOK))
    of_tables = ["exists result.json", "read progress.json"] * len(NAMES)
    of_unit = ["read_json queue.json", "read_log queue.jsonl", "read_json cancel-0.json", "read 0-0.jsonl"]
    assert sorted(calls) == sorted([*of_unit, *of_tables])


def test_a_table_that_has_been_let_go_costs_a_look_one_call(unit, asked):
    for name in NAMES:
        assess(unit, name)
    value_of(unit.answer(look_at_load, LOOK))
    calls = asked()
    value_of(unit.answer(look_at_load, LOOK))
    assert [call for call in calls if call.endswith(("result.json", "progress.json", "Music.json"))] == [
        "exists result.json"
    ] * len(NAMES)


def test_a_lake_that_does_not_answer_for_long_ends_no_table(unit):
    exists = unit.lake.lake.exists
    unit.lake.lake.exists = raising(TransientError("It does not answer.", "Retrying."))
    for _ in range(50):
        error_of(unit.answer(look_at_load, LOOK), "transient")
    unit.lake.lake.exists = exists
    value_of(unit.answer(look_at_load, LOOK))
    assert (ends_of(unit), "failures" in file_of(unit)) == ({}, False)


def test_a_container_is_taken_by_two_calls_and_asked_for_by_four(world, asked):
    existing(world, manual(400))
    put_unit(world, {**TABLE, "assessed": ASSESSED})
    calls = asked()
    value_of(prepare(world))
    assert [call for call in calls if call.endswith("music.json")] == [
        "read_version music.json",
        "create_version music.json",
    ]
    calls = asked()
    value_of(scale(world))
    assert [call for call in calls if call.endswith(("music.json", "Music.json"))] == [
        "read_json Music.json",
        "read_version music.json",
        "write_json Music.json",
        "replace music.json",
        "write_json Music.json",
    ]


def test_a_lane_for_which_nothing_waits_reads_no_flag_of_tables(world, asked):
    put_queue(world, *some_tables("a", "b"))
    calls = asked()
    assert value_of(world.answer(take_tables, a_lane("copy", lane=0, turn=0)))["state"] == "idle"
    assert calls == ["read_json queue.json", "read_log queue.jsonl", "exists pause.json"]
    calls = asked()
    assert value_of(world.answer(take_tables, a_lane("copy", lane=9, turn=0))) == {"state": "over"}
    assert calls == ["read_json queue.json", "read_log queue.jsonl"]
