import inspect
import logging
from typing import get_type_hints

import pytest

from activities import copy, existing_export, export, load, start, tables
from activities.load_lane import prepare
from activities.outcome import answer_of, is_cancelled, outcome, refuse_if_cancelled
from d2c.errors import CancelledError, PermanentError, RunFailedError, SettingsError, TransientError
from d2c.state import paths
from tests.builders import (
    MIGRATION,
    TABLE,
    a_claim,
    a_lane,
    a_record,
    a_source,
    a_table,
    an_operation,
)

from .answers import error_of, value_of
from .fakes import SubstituteClients
from .queues import put_queue, some_tables, tell

OF_TABLES = {
    export: ["describe_source", "start_export", "look_at_export"],
    copy: ["start_copy", "look_at_copy"],
    existing_export: ["start_existing_export", "look_at_existing_export"],
}
OF_UNITS = {
    prepare: ["look_at_prepare"],
    load: ["start_load", "look_at_load"],
}
OF_OPERATIONS = {tables: ["list_tables"], start: ["look_at_start"]}


def activities(modules):
    return [(module, name) for module, names in modules.items() for name in names]


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


@pytest.mark.parametrize("kind", [ValueError, lambda text: PermanentError(text, text, text)])
def test_no_part_of_an_error_has_a_secret_of_the_settings_whatever_it_looks_like(kind, caplog, monkeypatch):
    monkeypatch.setenv("D2C_COSMOS_KEY", "plain words")
    monkeypatch.setenv("D2C_LAKE", "AccountName=a;AccountKey=of a lake")
    error = answering(kind("The factory quotes plain words, of a lake"))["error"]
    assert "The factory quotes ***, ***" in error["detail"]
    assert "plain words" not in str(error) + caplog.text
    assert "of a lake" not in str(error) + caplog.text


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


REF = {
    "file": paths.MigrationFiles(MIGRATION).work(0).table(TABLE),
    "migration": MIGRATION,
    "operation": 0,
    "table": TABLE,
    "started_at": "2026-06-01T14:00:00+00:00",
}


class TestTheInputOfATablesActivity:
    def given(self, world, ref):
        """Return the payload that an activity is given."""

        def activity(clients, payload):
            return payload

        return answer_of(activity, lambda: SubstituteClients(world), ref)

    def test_it_is_completed_from_the_file_that_it_names(self, world):
        table = a_table(source=a_source(), started_at="2026-06-01T12:00:00+00:00")
        world.lake.write_json(REF["file"], table)
        payload = value_of(self.given(world, REF))
        assert payload == {**table, **REF}
        assert (payload["source"], payload["started_at"]) == (a_source(), REF["started_at"])

    def test_a_file_that_is_gone_is_told(self, world):
        assert REF["file"] in error_of(self.given(world, REF))["detail"]

    def test_any_other_input_is_left_as_it_is(self, world):
        assert value_of(self.given(world, {"check": "c"})) == {"check": "c"}


@pytest.mark.parametrize(
    ("flag", "table", "cancelled"),
    [
        (None, None, False),
        (None, "Music", False),
        ({}, "Music", True),
        ({"tables": None}, None, True),
        ({"tables": ["Music"]}, "Music", True),
        ({"tables": ["Music"]}, "Songs", False),
        ({"tables": ["Music"]}, None, False),
    ],
)
def test_a_flag_means_a_whole_operation_or_the_tables_that_it_names(flag, table, cancelled):
    assert is_cancelled(flag, table) is cancelled


def test_a_migration_goes_on_until_it_is_cancelled(world):
    refuse_if_cancelled(world.lake, an_operation())
    world.cancel(migration="other")
    world.cancel(operation=1)
    refuse_if_cancelled(world.lake, an_operation())
    world.cancel()
    with pytest.raises(CancelledError, match="Migration m was cancelled"):
        refuse_if_cancelled(world.lake, an_operation())


def test_a_retry_of_a_cancelled_migration_goes_on(world):
    world.cancel()
    refuse_if_cancelled(world.lake, an_operation(operation=1, kind="retry"))
    world.cancel(operation=1)
    with pytest.raises(CancelledError, match="Migration m was cancelled"):
        refuse_if_cancelled(world.lake, an_operation(operation=1, kind="retry"))


def test_a_verify_is_cancelled_by_its_own_name(world):
    world.cancel(operation=2)
    with pytest.raises(CancelledError, match="verify-2 of migration m was cancelled"):
        refuse_if_cancelled(world.lake, an_operation(operation=2, kind="verify"))


def test_a_table_that_is_cancelled_alone_is_named(world):
    world.cancel("Music")
    refuse_if_cancelled(world.lake, a_table(table="Songs"))
    with pytest.raises(CancelledError, match="Table Music of migration m was cancelled"):
        refuse_if_cancelled(world.lake, a_table())


@pytest.mark.parametrize(("module", "name"), activities(OF_TABLES))
@pytest.mark.parametrize("named", [(), (TABLE,)])
def test_every_start_and_look_refuses_for_a_cancelled_table_before_it_does_anything(
    world, module, name, named
):
    world.cancel(*named)
    before = dict(world.lake.files)
    error_of(world.answer(getattr(module, name), a_record(attempt=1, run="run-0")), "cancelled")
    assert world.lake.files == before


@pytest.mark.parametrize(("module", "name"), activities(OF_UNITS))
@pytest.mark.parametrize("named", [(), ("a", "b")])
def test_and_for_a_unit_all_of_whose_tables_are_cancelled(world, module, name, named):
    put_queue(world, *some_tables("a", "b"), enters="load")
    tell(world, a_claim("load", "a", "b"))
    world.databricks.runs[0] = None
    world.cancel(*named)
    before = dict(world.lake.files)
    error_of(world.answer(getattr(module, name), a_lane("load", attempt=1, run=0)), "cancelled")
    assert world.lake.files == before
    assert world.databricks.submitted == {}


@pytest.mark.parametrize(("module", "name"), activities(OF_OPERATIONS))
def test_and_for_a_cancelled_operation(world, module, name):
    world.cancel()
    before = dict(world.lake.files)
    error_of(world.answer(getattr(module, name), an_operation()), "cancelled")
    assert world.lake.files == before
