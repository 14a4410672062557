import logging

from azure.functions.blob import InputStream

from d2c.run_keys import stage_instance_id
from tests.unit.triggers.conftest import SubstituteClient, user_function
from triggers.lake_events import export_arrived

COPY = stage_instance_id("music-2026", "Music", "copy")


def manifest():
    return InputStream(data=b"{}", name="lake/exports/music-2026/Music/0123-ab/manifest-summary.json")


async def test_a_manifest_wakes_the_copy_of_its_table_and_nothing_else(caplog):
    client = SubstituteClient()
    for stage in ("copy", "export", "load"):
        client.set(stage_instance_id("music-2026", "Music", stage), "Running")
    with caplog.at_level(logging.INFO):
        await user_function(export_arrived)(manifest=manifest(), client=client)
    assert client.events == [(COPY, "wake")]
    assert "The export of Music for migration music-2026 has arrived" in caplog.text


async def test_an_event_that_comes_late_wakes_nothing():
    client = SubstituteClient()
    client.set(COPY, "Completed", {"value": 1})
    await user_function(export_arrived)(manifest=manifest(), client=client)
    assert client.events == []


async def test_an_event_for_something_unknown_wakes_nothing():
    client = SubstituteClient()
    await user_function(export_arrived)(manifest=manifest(), client=client)
    assert client.events == []
