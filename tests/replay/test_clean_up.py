from benchmarks.replaying import orchestrator_functions
from orchestrators import clean_up
from orchestrators.clean_up import LOOKS_AT_MOST
from tests.builders import an_error, the_waits
from tests.replay.world import World

ORCHESTRATORS = orchestrator_functions(clean_up)
WAITS = the_waits(first_seconds=10, longest_seconds=60)
REPORT = {"migration": "m", "operation": 0, "kind": "start", "error": None}


def left(tables=0, containers=0):
    counted = {"tables": tables, "containers": containers, "next": 0}
    return {"migration": "m", **counted, "error": None, "all_recorded": True, "waits": WAITS}


def refused(detail):
    return {"error": an_error(detail=detail)}


class Left:
    """Substitutes for the activities, which write down what they do."""

    def __init__(self, still_running=(), ends=None, refusals=()):
        self.done = []
        self._still_running = iter([*still_running, 0])
        self._ends = ends
        self._refusals = set(refusals)

    def activities(self):
        return {
            "stop_orphaned_runs": lambda payload: self._did(("stop",), next(self._still_running)),
            "release_orphaned_container": lambda payload: self._did(("free", payload["number"]), None),
            "end_orphaned_table": lambda payload: self._did(("tell", payload["number"]), None),
            "read_orphaned_migration": lambda payload: {"value": self._ends},
            "write_report": lambda payload: self._did(("report", payload["migration"]), None),
        }

    def _did(self, thing, value):
        if thing in self._refusals:
            return refused(f"{thing} is refused")
        self.done.append(thing)
        return {"value": value}


def run(things, asked):
    world = World(things.activities(), ORCHESTRATORS)
    return world, world.run("clean_up", asked)


def test_throughput_is_put_back_once_nothing_runs_any_more_then_tables_are_told_and_the_report_is_written():
    things = Left(still_running=[2, 1], ends=REPORT)
    world, result = run(things, left(tables=2, containers=1))
    assert things.done == [
        *[("stop",)] * 3,
        ("free", 0),
        ("tell", 0),
        ("tell", 1),
        ("report", "m"),
    ]
    assert result == {"state": "succeeded", "error": None}
    assert [round(seconds) for seconds in world.slept] == [60, 60, 60]
    assert {payload["migration"] for _, payload in world.calls} == {"m"}


def test_a_migration_that_goes_on_gets_no_report():
    things = Left()
    run(things, left(tables=1))
    assert things.done == [("stop",), ("tell", 0)]


def test_runs_that_do_not_stop_keep_their_throughput_and_leave_the_rest_to_the_next_look():
    things = Left(still_running=[1] * LOOKS_AT_MOST)
    _, result = run(things, left(tables=1, containers=1))
    assert set(things.done) == {("stop",)}
    assert (result["state"], result["error"]["title"]) == ("failed", "Orphaned runs do not stop")


def test_a_container_that_cannot_be_put_back_keeps_nothing_else_from_being_finished():
    things = Left(refusals=[("free", 0)], ends=REPORT)
    _, result = run(things, left(tables=1, containers=2))
    assert things.done == [("stop",), ("free", 1), ("tell", 0), ("report", "m")]
    assert (result["state"], result["error"]["detail"]) == ("failed", "('free', 0) is refused")


def test_a_table_that_cannot_be_told_keeps_the_migration_open_and_the_others_are_told():
    things = Left(refusals=[("tell", 0)], ends=REPORT)
    _, result = run(things, left(tables=2))
    assert things.done == [("stop",), ("tell", 1)]
    assert result["state"] == "failed"


def test_of_several_failures_the_first_is_told():
    things = Left(refusals=[("free", 1), ("free", 2), ("tell", 0)])
    _, result = run(things, left(tables=1, containers=3))
    assert result["error"]["detail"] == "('free', 1) is refused"


def test_hundreds_of_tables_have_a_history_of_constant_size():
    few, many = Left(), Left()
    short, _ = run(few, left(tables=60))
    long, result = run(many, left(tables=500))
    assert [thing for thing in many.done if thing[0] == "tell"] == [("tell", number) for number in range(500)]
    assert many.done.count(("stop",)) == 1
    assert long.longest_history == short.longest_history
    assert result["state"] == "succeeded"


def test_what_failed_in_an_earlier_generation_is_still_known_at_the_end():
    things = Left(refusals=[("tell", 3)], ends=REPORT)
    _, result = run(things, left(tables=50))
    assert result["state"] == "failed"
    assert ("report", "m") not in things.done
