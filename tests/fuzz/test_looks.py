"""Whatever a service answers, a look at a run ends in a value or an error of the documented form, which is foreseen."""

from hypothesis import strategies as st

from activities.copy import look_at_copy
from activities.load import look_at_load
from d2c.errors import PermanentError
from tests.builders import EXPORT_TIME, a_lane, a_table, an_export
from tests.fuzz.fuzzing import fuzzed, spoilt, within_bounds
from tests.fuzz.test_service_answers import (
    ACTIVITIES,
    AZURE,
    LONGEST_MESSAGE,
    NOTEBOOK_RUN,
    OUTPUT,
    RUN,
    databricks,
    statuses,
)
from tests.unit.activities.fakes import World
from tests.unit.activities.test_load import put_unit
from tests.unit.clients import http

ERROR = {name: type(value) for name, value in PermanentError("d", "n").to_dict().items()}
COPY_RUNS = [{**RUN, "status": status} for status in ("InProgress", "Failed", "Cancelled", "Succeeded")]
ENDS = ({"state": "RUNNING"}, {"state": "TERMINATED", "termination_details": {"code": "SUCCESS"}})
LOAD_RUNS = [NOTEBOOK_RUN, *({**NOTEBOOK_RUN, "status": status} for status in ENDS)]


def look(world, activity, payload):
    """Look at a run, and check the answer."""
    with within_bounds():
        answer = world.answer(activity, payload)
    ((kind, found),) = answer.items()
    if kind == "value":
        assert is_look(found), found
        return
    assert {name: type(value) for name, value in found.items()} == ERROR, found
    texts = [found[name] for name in ("title", "detail", "next_step")]
    assert texts[0] != "Unexpected error", texts
    assert sum(map(len, texts)) <= LONGEST_MESSAGE, texts


def is_look(found):
    """Return whether what goes on is shown by numbers alone, and an end by its result."""
    if found["state"] in ("running", "part_done"):
        return found.keys() == {"state", "progress"} and {*map(type, found["progress"].values())} == {int}
    return found.keys() == {"state", "result"} and found["state"] == "succeeded"


@fuzzed(statuses, spoilt(st.sampled_from(COPY_RUNS)), spoilt(st.just(ACTIVITIES)))
def test_a_look_at_a_copy(status, run, activities):
    world, payload = World(), a_table(attempt=1, run="r", started_at=EXPORT_TIME, export=an_export())
    world.factory = AZURE.factory
    AZURE.answer = http.Answer(status, run)
    AZURE.answers = {"queryActivityruns": http.Answer(status, activities)}
    try:
        look(world, look_at_copy, payload)
    finally:
        AZURE.answers = {}


@fuzzed(spoilt(st.sampled_from(LOAD_RUNS)), spoilt(st.just(OUTPUT)))
def test_a_look_at_a_load(run, output):
    world = World()
    world.databricks = databricks(run, output)
    put_unit(world, "Music", "Orders")
    look(world, look_at_load, a_lane("load", attempt=1, run=17))
