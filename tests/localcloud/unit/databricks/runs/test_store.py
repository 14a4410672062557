import pytest

from localcloud.databricks.runs.store import RunStore
from localcloud.databricks.runs.submission import parse_submission


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


def submission(token=None):
    task = {
        "task_key": "load",
        "notebook_task": {"notebook_path": "/n"},
        "new_cluster": {"spark_version": "17.3.x-scala2.13"},
    }
    token_field = {"idempotency_token": token} if token else {}
    return parse_submission({"tasks": [task], **token_field})


def test_a_token_gives_one_run_also_after_a_restart(path):
    first, is_new = RunStore(path).submit(submission("a"), 0)
    assert is_new
    assert RunStore(path).submit(submission("a"), 1) == (first, False)
    assert RunStore(path).submit(submission("b"), 1)[0] != first


def test_a_run_and_its_token_are_kept_for_60_days(path):
    day_ms = 24 * 3600 * 1000
    store = RunStore(path)
    first, open_one = store.submit(submission("a"), 0)[0], store.submit(submission("b"), 0)[0]
    store.change(first, state="TERMINATED", code="SUCCESS")
    assert store.submit(submission("a"), 60 * day_ms) == (first, False)
    assert store.submit(submission("a"), 61 * day_ms)[1]
    assert store.submit(submission("b"), 61 * day_ms) == (open_one, False)
    assert store.run(first) is None


def test_runs_without_a_token_are_all_different_and_leave_room_for_their_tasks(path):
    store = RunStore(path)
    first, second = store.submit(submission(), 0)[0], store.submit(submission(), 0)[0]
    assert second - first == 2


def test_ended_runs_are_told_from_those_under_way(path):
    store = RunStore(path)
    ended, other = store.submit(submission(), 0)[0], store.submit(submission(), 0)[0]
    store.change(ended, state="TERMINATED", code="SUCCESS")
    assert [run["run_id"] for run in store.under_way()] == [other]
    assert [run["run_id"] for run in store.page(ended=True, before=None, size=9)] == [ended]
    assert [run["run_id"] for run in store.page(ended=None, before=None, size=9)] == [other, ended]
    assert [run["run_id"] for run in store.page(ended=None, before=other, size=9)] == [ended]
