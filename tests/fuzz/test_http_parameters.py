"""Whatever stands in the address of a call, the answer is a documented one and soon; pages follow one another whole."""

import asyncio
import base64
import json

import pytest
from hypothesis import strategies as st

from d2c.api.routes import PARAMETERS, ROUTES
from d2c.errors import RefusedError
from d2c.state import paths
from d2c.state.rejected_pages import Cursor, read_token
from tests.fuzz.fuzzing import fuzzed, odd_texts, odd_values, torn, within_bounds
from tests.unit.control.conftest import FUNCTIONS, CalledApp
from tests.unit.control.plans import plan
from tests.unit.control.table_files import list_tables
from triggers.answers import prefers_html

MIGRATION = "music-2026"
MOST_ANSWER_BYTES = 32 * 1024
NAMES = {route.path: tuple(PARAMETERS[route.function]) for route in ROUTES}
READS = sorted(route for method, route in FUNCTIONS if method == "GET")
SOUND = {
    "top": "2",
    "wait": "0",
    "state": "pending",
    "reason": "missing_key",
    "table": "Music",
    "dry_run": "true",
    "token": "1",
}
tokens = st.one_of(
    odd_texts,
    odd_values.map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()),
    torn(st.just(base64.urlsafe_b64encode(b'["Music","f","part-0",0]'))).map(
        lambda text: text.decode("latin-1")
    ),
)
cursors = st.builds(
    Cursor,
    st.from_regex(r"[A-Za-z0-9_.-]{3,255}", fullmatch=True),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=80),
    st.text(st.sampled_from("part-0123456789abcdef.txt"), max_size=60),
    st.integers(0, 2**62),
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}", fullmatch=True)


async def app_with_a_migration():
    app = CalledApp()
    await app.start(plan(MIGRATION))
    app.client.set(MIGRATION, "Running")
    list_tables(app, ["Music", "Orders"])
    return app


async def read(route, params, identity=MIGRATION):
    app = await app_with_a_migration()
    with within_bounds():
        known = {"id": identity} if "{id}" in route else {}
        status, answer = await app.call("GET", route, **known, **params)
    assert status < 500, answer
    assert len(json.dumps(answer)) <= MOST_ANSWER_BYTES


@st.composite
def calls(draw):
    """Make a route with some of its parameters, each sound or odd."""
    route = draw(st.sampled_from(READS))
    given = [name for name in NAMES[route] if draw(st.booleans())]
    odd = {name: tokens if name == "token" else odd_texts for name in given}
    return route, {name: draw(st.just(SOUND[name]) | odd[name]) for name in given}


@fuzzed(calls())
def test_any_parameters_are_answered_as_documented(call):
    asyncio.run(read(*call))


@fuzzed(st.sampled_from(READS), odd_texts)
def test_any_id_is_answered_as_documented(route, identity):
    asyncio.run(read(route, {}, identity))


@fuzzed(st.lists(odd_texts | st.sampled_from(("text/html", "application/json", "q=", "0.5", ";", ","))))
def test_any_accept_header_prefers_one_or_the_other(parts):
    with within_bounds():
        assert prefers_html(";q=".join(parts)[:32_768]) in (True, False)


@fuzzed(tokens)
def test_any_token_is_a_place_or_refused(token):
    with within_bounds():
        try:
            place = read_token(token)
        except RefusedError:
            return
    assert read_token(place.to_token()) == place


@fuzzed(cursors)
def test_a_place_is_read_as_it_was_given(cursor):
    assert read_token(cursor.to_token()) == cursor


@fuzzed(st.lists(st.tuples(names, st.integers(0, 10**12)), max_size=12), st.integers(1, 5), most=30)
def test_pages_of_migrations_have_each_of_them_once(migrations, size):
    async def walk():
        app = CalledApp()
        for name, started_at in migrations:
            app.file_system.files[paths.MigrationFiles(name).index(started_at)] = b""
            app.client.set(name, "Running")
        token, seen = {}, []
        while True:
            status, page = await app.call("GET", top=str(size), **token)
            assert status == 200
            seen += [one["id"] for one in page["migrations"]]
            if page["next"] is None:
                return seen
            token = {"token": page["next"]}

    entries = {paths.MigrationFiles(migration).index(at): migration for migration, at in migrations}
    assert asyncio.run(walk()) == [entries[path] for path in sorted(entries)]


@pytest.mark.parametrize("function", sorted(name for name, known in PARAMETERS.items() if known))
def test_every_parameter_has_a_sound_value_here(function):
    assert set(PARAMETERS[function]) <= set(SOUND)
