import json

import pytest

from d2c.errors import PermanentError
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE, RunProgress


@pytest.fixture
def files():
    return {}


@pytest.fixture
def progress(files):
    return RunProgress(files.__setitem__)


def test_progress_shows_the_first_stage_at_once_and_later_ones_with_their_first_counts(progress, files):
    with progress.stage("assess"):
        assert json.loads(files[PROGRESS_FILE])["stages"][0]["state"] == "running"
    with progress.stage("load"):
        progress.count({})
        stages = json.loads(files[PROGRESS_FILE])["stages"]
    assert [(stage["stage"], stage["state"]) for stage in stages] == [
        ("assess", "succeeded"),
        ("load", "running"),
    ]


def test_the_result_holds_stages_and_findings(progress, files):
    with progress.stage("assess"):
        progress.note(assessed={"lines": 1})
    result = json.loads(progress.close())
    assert json.loads(files[RESULT_FILE]) == result
    assert (result["state"], result["error"], result["assessed"]) == ("succeeded", None, {"lines": 1})
    assert progress.found("assessed") == {"lines": 1}
    assert progress.found("loaded") is None


def test_an_actionable_error_is_in_the_result_with_its_stage(progress):
    with pytest.raises(PermanentError) as raised, progress.stage("load"):
        raise PermanentError("a is broken.", "Fix a.")
    progress.fail(raised.value)
    result = json.loads(progress.close())
    assert result["state"] == "failed"
    assert (result["error"]["stage"], result["error"]["detail"]) == ("load", "a is broken.")
    assert result["stages"][0]["state"] == "failed"


def test_counts_are_next_to_the_stages_until_the_next_stage(progress, files):
    with progress.stage("assess"):
        progress.count({"done": 3, "total": 8})
        written = json.loads(files[PROGRESS_FILE])
        assert (written["done"], written["total"]) == (3, 8)
        assert [stage["state"] for stage in written["stages"]] == ["running"]
    with progress.stage("load"):
        progress.count({})
        assert list(json.loads(files[PROGRESS_FILE])) == ["stages"]


def test_an_unexpected_error_is_raised_and_may_be_recorded(progress):
    with pytest.raises(ZeroDivisionError), progress.stage("assess"):
        raise ZeroDivisionError
    progress.fail(PermanentError("Music: ZeroDivisionError", "See the output."))
    result = json.loads(progress.close())
    assert (result["state"], result["error"]["stage"]) == ("failed", "assess")
    assert result["stages"][0]["state"] == "failed"
