"""Cancelling stops what runs outside, and puts throughput back."""

from tests.contract.polling import wait_until
from tests.end_to_end.test_crashes import copy_runs, load_runs
from tests.end_to_end.user import API, plan

ITEMS = [{"pk": {"S": f"k{n}"}} for n in range(40)]


def cancel(user, migration):
    answer = user.http.post(f"{API}/{migration}/cancel")
    assert answer.status_code == 202
    status = user.ended(migration)
    assert status["state"] == "cancelled", status
    return status


def test_a_copy_under_way_is_stopped_and_no_other_begins(user):
    for name in ("First", "Second"):
        user.create_table(name, ITEMS)
    before = {run.run_id for run in copy_runs(user)}

    def states_of_own_runs():
        return [run.status for run in copy_runs(user) if run.run_id not in before]

    tables = ({"table": name, "container": name.lower()} for name in ("First", "Second"))
    with user.started_with("management", "--copy-seconds-per-file", "3600"):
        user.start(plan("copying", *tables, max_parallel_tables=1))
        wait_until(lambda: states_of_own_runs() == ["InProgress"])
        status = cancel(user, "copying")
        wait_until(lambda: states_of_own_runs() == ["Cancelled"])
    assert [entry["state"] for entry in status["tables"]] == ["cancelled", "cancelled"]
    assert [entry["state"] for entry in user.report("copying")["tables"]] == ["cancelled", "cancelled"]


def test_a_load_run_under_way_is_stopped_and_throughput_is_put_back(user):
    user.create_table("Loading", ITEMS)
    before = {run.run_id for run in load_runs(user)}

    def own_runs():
        return [run for run in load_runs(user) if run.run_id not in before]

    with user.held_load():
        user.start(plan("loading", {"table": "Loading", "container": "loading"}))
        wait_until(own_runs)
        wait_until(lambda: user.throughput("loading", "loading") == 6_000)
        cancel(user, "loading")
        wait_until(
            lambda: (
                [run.state.result_state.value for run in own_runs() if run.state.result_state] == ["CANCELED"]
            )
        )
    assert user.throughput("loading", "loading") == 1000


def test_what_has_ended_cannot_be_cancelled_and_what_is_not_there_is_not_found(user):
    user.start(plan("brief", {"table": "NotThere", "container": "c"}))
    user.ended("brief")
    assert user.http.post(f"{API}/brief/cancel").status_code == 409
    answer = user.http.post(f"{API}/nobody/cancel")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not found")
