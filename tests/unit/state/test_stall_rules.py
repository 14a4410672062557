from datetime import UTC, datetime, timedelta

import pytest

from d2c.state.progress import STAGE_BEGINS_AT
from d2c.state.stall_rules import (
    PATIENCE,
    WAITS_FOR_THROUGHPUT,
    StallSample,
    after_samples,
    new_stalls,
    patience_seconds,
)

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def look(stage="copy", progress=None, *, table="Music", waits=False, size=None, number=0):
    return StallSample(table, number, stage, progress, waits, size)


class Watching:
    """Looks one after another, as the watch does."""

    def __init__(self):
        self.kept, self.now, self.told = {}, BEGAN, []

    def see(self, *looks, after=FIVE_MINUTES):
        """Look again after a time, and return how Music is stalled."""
        self.now += after
        before, self.kept = self.kept, after_samples(self.kept, looks, self.now)
        self.told += new_stalls(before, self.kept)
        return self.kept["tables"].get("Music", {}).get("stalled")

    def see_often(self, times, *looks, after=FIVE_MINUTES):
        return [self.see(*looks, after=after) for _ in range(times)][-1]


@pytest.fixture
def watching():
    return Watching()


def test_every_stage_has_its_patience():
    assert PATIENCE.keys() == {*STAGE_BEGINS_AT, WAITS_FOR_THROUGHPUT}


def test_the_wait_for_a_container_that_grows_has_a_patience_of_its_own(watching):
    patient = int(PATIENCE[WAITS_FOR_THROUGHPUT].seconds // FIVE_MINUTES.total_seconds())
    assert watching.see_often(patient + 1, look("load", {"is_waiting": True})) is None
    stalled = watching.see(look("load", {"is_waiting": True}))
    assert (stalled["stage"], "throughput in the Azure portal" in stalled["detail"]) == ("load", True)


@pytest.mark.parametrize("stage", PATIENCE)
def test_a_stage_is_stalled_once_it_has_not_changed_for_longer_than_its_patience(watching, stage):
    patient = int(patience_seconds(stage, None) // FIVE_MINUTES.total_seconds())
    assert watching.see_often(patient + 1, look(stage, {"done": 1})) is None
    stalled = watching.see(look(stage, {"done": 1}))
    assert stalled["stage"] == stage
    assert datetime.fromisoformat(stalled["since"]) == BEGAN + FIVE_MINUTES
    assert PATIENCE[stage].advice in stalled["detail"]


def test_the_text_says_for_how_long_and_how_long_should_do(watching):
    stalled = watching.see_often(8, look("copy"))
    assert stalled["detail"].startswith("No progress of copy for 35 minutes; 30 minutes should be enough.")


def test_an_exports_patience_grows_with_its_table(watching):
    assert patience_seconds("export", 10**12) == pytest.approx(12 * 3600)
    assert watching.see_often(40, look("export", {"status": "IN_PROGRESS"}, size=10**12)) is None


def test_it_is_told_once_for_as_long_as_it_lasts_and_again_after_it_has_moved(watching):
    stalled = watching.see_often(10, look(progress={"bytes": 1}))
    assert watching.see_often(10, look(progress={"bytes": 1})) == stalled
    assert watching.told == ["Music"]
    assert watching.see(look(progress={"bytes": 2})) is None
    watching.see_often(10, look(progress={"bytes": 2}))
    assert watching.told == ["Music", "Music"]


@pytest.mark.parametrize(
    "changed", [{"stage": "prepare"}, {"progress": {"bytes": 2}}, {"number": 1}, {"waits": True}]
)
def test_any_change_begins_a_new_count(watching, changed):
    watching.see_often(7, look(progress={"bytes": 1}))
    given = {"stage": "copy", "progress": {"bytes": 1}, **changed}
    assert watching.see(look(**given)) is None
    assert watching.kept["tables"]["Music"]["seconds"] == 0


def test_who_waits_for_a_turn_is_never_stalled(watching):
    assert watching.see_often(500, look(waits=True)) is None


def test_a_clock_that_jumps_back_delays_the_stall_and_one_that_jumps_ahead_does_not_make_one(watching):
    watching.see_often(4, look())
    assert watching.see(look(), after=timedelta(days=-3)) is None
    assert watching.see(look(), after=timedelta(days=90)) is None
    assert watching.kept["tables"]["Music"]["seconds"] == 15 * 60 + 15 * 60
    assert watching.see(look())["stage"] == "copy"


def test_an_app_that_was_off_has_not_seen_a_stall(watching):
    watching.see(look())
    assert watching.see(look(), after=timedelta(hours=9)) is None


def test_tables_are_counted_each_for_itself_and_those_that_ended_are_forgotten(watching):
    watching.see_often(4, look(), look(table="Orders"))
    watching.see(look(), look("load", table="Orders"))
    watching.see_often(3, look(), look("load", table="Orders"))
    assert watching.told == ["Music"]
    watching.see(look("load", table="Orders"))
    assert list(watching.kept["tables"]) == ["Orders"]
