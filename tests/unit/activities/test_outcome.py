import inspect
import logging
from typing import get_type_hints

import pytest

from activities import copy, export, load, prepare
from activities.outcome import answer_of, outcome, refuse_if_cancelled
from d2c.errors import CancelledError, PermanentError, RunFailedError, SettingsError, TransientError
from tests.builders import a_record

from .answers import error_of

STARTS_AND_LOOKS = {
    export: ["describe_source", "start_export", "look_at_export"],
    copy: ["start_copy", "look_at_copy"],
    prepare: ["describe_container", "start_prepare", "look_at_prepare"],
    load: ["start_load", "look_at_load"],
}


def answering(result):
    def activity(clients, payload):
        if isinstance(result, Exception):
            raise result
        return result

    return answer_of(activity, lambda: None, {})


@pytest.mark.parametrize("value", [None, 0, {"state": "running"}])
def test_a_value_is_an_answer(value):
    assert answering(value) == {"value": value}


@pytest.mark.parametrize(
    ("error", "marks"),
    [
        (PermanentError("it broke", "mend it"), ()),
        (TransientError("it broke", "mend it"), ("transient",)),
        (RunFailedError("it broke", "mend it"), ("another_run",)),
        (CancelledError("m"), ("cancelled",)),
    ],
)
def test_an_error_is_an_answer_with_what_the_orchestrator_decides_on(error, marks):
    assert error_of(answering(error), *marks) == error.to_dict()


def test_an_unexpected_exception_may_heal_and_is_told_with_its_kind_but_no_stack_trace():
    error = error_of(answering(KeyError("folder")), "transient")
    assert error["title"] == "Unexpected error"
    assert "activity failed with KeyError: 'folder'" in error["detail"]
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("kind", [ValueError, lambda text: PermanentError(text, "mend it")])
def test_neither_the_answer_nor_the_log_quotes_a_secret(kind, caplog):
    text = "GET https://lake/a?sig=c2VjcmV0 with Authorization: Bearer c2VjcmV0 by AccountKey=c2VjcmV0"
    with caplog.at_level(logging.DEBUG):
        answer = answering(kind(text))
    assert "GET https://lake/a" in str(answer)
    assert "c2VjcmV0" not in str(answer)
    assert "GET https://lake/a" in caplog.text
    assert "c2VjcmV0" not in caplog.text


def test_the_log_tells_where_an_unexpected_exception_came_from(caplog):
    answering(ValueError("odd"))
    assert "test_outcome.py" in caplog.text


def test_incomplete_settings_are_an_answer_too():
    def activity(clients, payload):
        raise AssertionError("it must not begin")

    def connect():
        raise SettingsError("D2C_LAKE_URL is missing.", "Set it.")

    assert "D2C_LAKE_URL" in error_of(answer_of(activity, connect, {}))["detail"]


def test_the_functions_host_sees_a_function_of_the_payload_alone():
    @outcome
    def activity(clients, payload):
        """Do it."""

    assert (activity.__name__, activity.__doc__) == ("activity", "Do it.")
    assert list(inspect.signature(activity).parameters) == ["payload"]
    assert get_type_hints(activity)["payload"] is dict
    assert activity(payload={}).keys() <= {"value", "error"}


def test_a_migration_goes_on_until_it_is_cancelled(world):
    refuse_if_cancelled(world.lake, "m")
    world.cancel("other")
    refuse_if_cancelled(world.lake, "m")
    world.cancel("m")
    with pytest.raises(CancelledError, match="Migration m was cancelled"):
        refuse_if_cancelled(world.lake, "m")


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in STARTS_AND_LOOKS.items() for name in names]
)
def test_every_start_and_look_refuses_for_a_cancelled_migration_before_it_does_anything(world, module, name):
    world.cancel("m")
    before = dict(world.lake.files)
    error_of(world.answer(getattr(module, name), a_record(attempt=1, run="run-0")), "cancelled")
    assert world.lake.files == before
