import json

import pytest

from d2c.errors import PermanentError
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE, RunProgress


@pytest.fixture
def files():
    return {}


@pytest.fixture
def journal(files):
    return RunProgress(files.__setitem__)


def test_progress_shows_the_stage_under_way(journal, files):
    with journal.stage("assess"):
        pass
    with journal.stage("load"):
        stages = json.loads(files[PROGRESS_FILE])["stages"]
    assert [(stage["stage"], stage["state"]) for stage in stages] == [
        ("assess", "succeeded"),
        ("load", "running"),
    ]


def test_the_result_holds_stages_and_findings(journal, files):
    with journal.stage("assess"):
        journal.note(assessed={"lines": 1})
    result = json.loads(journal.close())
    assert json.loads(files[RESULT_FILE]) == result
    assert (result["state"], result["error"], result["assessed"]) == ("succeeded", None, {"lines": 1})
    assert journal.found("assessed") == {"lines": 1}
    assert journal.found("loaded") is None


def test_an_error_that_a_user_can_act_on_is_in_the_result_with_its_stage(journal):
    with pytest.raises(PermanentError), journal.stage("load"):
        raise PermanentError("a is broken.", "Mend a.")
    result = json.loads(journal.close())
    assert result["state"] == "failed"
    assert (result["error"]["stage"], result["error"]["detail"]) == ("load", "a is broken.")
    assert result["stages"][0]["state"] == "failed"


def test_progress_in_numbers_stands_beside_the_stages_until_the_next_stage(journal, files):
    with journal.stage("assess"):
        journal.count(3, 8)
        told = json.loads(files[PROGRESS_FILE])
        assert (told["done"], told["total"]) == (3, 8)
        assert [stage["state"] for stage in told["stages"]] == ["running"]
    with journal.stage("load"):
        assert list(json.loads(files[PROGRESS_FILE])) == ["stages"]


def test_an_unexpected_error_goes_on_upwards_and_may_be_recorded_as_the_stages_own(journal):
    with pytest.raises(ZeroDivisionError), journal.stage("assess"):
        raise ZeroDivisionError
    journal.fail(PermanentError("Music: ZeroDivisionError", "See the output."))
    result = json.loads(journal.close())
    assert (result["state"], result["error"]["stage"]) == ("failed", "assess")
    assert result["stages"][0]["state"] == "failed"
