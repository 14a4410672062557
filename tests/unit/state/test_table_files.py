import pytest

from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError
from d2c.state.paths import MigrationFiles
from d2c.state.table_files import keep, read_table, with_stages
from tests.builders import a_stage
from tests.unit.file_system import SubstituteFileSystem

TABLE = {"migration": "m", "operation": 1, "table": "Music", "stages": []}


@pytest.fixture
def lake():
    return Lake(SubstituteFileSystem())


def test_what_a_stage_found_is_added_to_the_file(lake):
    whole = keep(lake, TABLE, export={"items": 7})
    assert whole == {**TABLE, "export": {"items": 7}}
    assert read_table(lake, "m", 1, "Music") == whole


def test_a_later_finding_replaces_an_earlier_one(lake):
    keep(lake, keep(lake, TABLE, export={"items": 7}), export={"items": 8})
    assert read_table(lake, "m", 1, "Music")["export"] == {"items": 8}


def test_each_operation_has_a_file_of_its_own(lake):
    keep(lake, TABLE)
    with pytest.raises(PermanentError) as gone:
        read_table(lake, "m", 2, "Music")
    assert MigrationFiles("m").work(2).table("Music") in gone.value.detail


def test_stages_are_added_in_their_order():
    stages = with_stages({**TABLE, "stages": [a_stage("export")]}, a_stage("copy"), a_stage("prepare"))
    assert [stage["stage"] for stage in stages] == ["export", "copy", "prepare"]


def test_a_stage_of_a_repeated_try_is_there_once_as_it_ended_last():
    before = {**TABLE, "stages": [a_stage("export", seconds=1), a_stage("copy")]}
    stages = with_stages(before, a_stage("export", seconds=2))
    assert [(stage["stage"], stage["seconds"]) for stage in stages] == [("export", 2), ("copy", 1)]


def test_a_stage_that_began_again_later_is_another():
    before = {**TABLE, "stages": [a_stage("export")]}
    assert len(with_stages(before, a_stage("export", started_at="2026-07-01T00:00:00+00:00"))) == 2
