"""Whatever body is posted, the answer is a documented one, short and soon, and what is accepted can be read again."""

import asyncio
import json
import time

import pytest
from hypothesis import strategies as st

from d2c.plan.model import parse_plan
from d2c.state import paths
from tests.fuzz.fuzzing import fuzzed, odd_texts, spoilt, torn, within_bounds
from tests.unit.control.conftest import HEADERS, CalledApp
from tests.unit.control.plans import plan
from tests.unit.control.table_files import end_table, list_tables
from tests.unit.records import record

MIGRATION = "music-2026"
MOST_ANSWER_BYTES = 32 * 1024
RULES = {
    "partition_key": ["Artist"],
    "rename": {"a": "b"},
    "drop": ["c"],
    "set": {"d": 1.5},
    "numbers": "exact",
}
SOUND = {
    "migrations": plan(
        MIGRATION,
        "Music",
        "Orders",
        rules=RULES,
        verify="counts",
        between=["22:00", "06:00"],
        time_zone="UTC",
    ),
    "migrations/{id}/cancel": {"tables": ["Music"]},
    "migrations/{id}/retry": {
        "tables": [{"table": "Music", "limits": {"max_rejected_items": 3}, "verify": "counts"}],
        "max_parallel_loads": 2,
    },
    "migrations/{id}/verify": {"tables": ["Music"], "verify": "sample:0.5"},
    "migrations/{id}/replay": {"tables": [{"table": "Music", "rules": {"numbers": "exact"}}]},
}
routes = st.sampled_from(sorted(SOUND))
marks = st.sampled_from((b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b" " * 1000))
media_types = st.one_of(st.sampled_from(("application/json", "text/plain", "")), odd_texts)


@st.composite
def bodies(draw):
    """Make a route and a body for it that is JSON, almost JSON, or none."""
    route = draw(routes)
    text = json.dumps(draw(spoilt(st.just(SOUND[route]))), ensure_ascii=draw(st.booleans()))
    body = text.encode(draw(st.sampled_from(("utf-8", "utf-16"))), "surrogatepass")
    return route, draw(marks) + draw(st.one_of(st.just(body), torn(st.just(body))))


async def app_with_a_migration(runtime):
    """Return an app whose migration Music runs, or has failed with a table that can be retried."""
    app = CalledApp()
    await app.start(plan(MIGRATION))
    app.client.set(MIGRATION, runtime, {"state": "failed", "error": None})
    list_tables(app, ["Music", "Orders"])
    if runtime == "Completed":
        app.lake.delete(paths.MigrationFiles(MIGRATION).is_open)
        end_table(app, "Music", "failed", error={"title": "", "detail": "", "next_step": "", "stage": "load"})
        app.lake.write_json(paths.MigrationFiles(MIGRATION).table("Music").record, record())
    return app


async def post(route, body, runtime, **headers):
    app = CalledApp() if route == "migrations" else await app_with_a_migration(runtime)
    before = dict(app.file_system.files)
    identity = {} if route == "migrations" else {"id": MIGRATION}
    with within_bounds(time.process_time):
        status, answer = await app.call("POST", route, body=body, headers={**HEADERS, **headers}, **identity)
    assert status < 500, answer
    assert len(json.dumps(answer)) <= MOST_ANSWER_BYTES
    if status != 202:
        assert (app.file_system.files, len(app.client.started)) == (before, bool(identity))
    elif not identity and (accepted := app.file_system.files.get(paths.MigrationFiles(answer["id"]).plan)):
        value = json.loads(accepted)
        assert parse_plan(json.dumps(value["plan"]).encode()).digest() == value["digest"]
    return status


@pytest.mark.parametrize("route", sorted(SOUND))
def test_the_sound_bodies_are_accepted(route):
    runtime = "Running" if route.endswith("cancel") else "Completed"
    assert asyncio.run(post(route, json.dumps(SOUND[route]).encode(), runtime)) == 202


@fuzzed(bodies(), st.sampled_from(("Running", "Completed")), most=50)
def test_any_body_is_answered_as_documented(made, runtime):
    asyncio.run(post(*made, runtime))


@fuzzed(routes, media_types, odd_texts, most=30)
def test_any_header_is_answered_as_documented(route, media_type, origin):
    body = json.dumps(SOUND[route]).encode()
    asyncio.run(post(route, body, "Running", **{"Content-Type": media_type, "Origin": origin}))


@fuzzed(routes, odd_texts, st.integers(1, 100_000), most=30)
def test_long_bodies_of_one_piece_take_time_that_grows_with_them(route, piece, times):
    body = (piece * times)[:1_000_000].encode("utf-8", "surrogatepass")
    asyncio.run(post(route, body, "Completed"))
