import json

import httpx
import pytest

from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import arrived, migration, table

STARTED = {"id": "music-2026", "state": "running", "links": {"self": "http://x/api/migrations/music-2026"}}
PLAN = b'{"name": "music-2026"}'


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(PLAN)
    return str(path)


@pytest.fixture
def accepts(service):
    service.on("POST", "/api/migrations", httpx.Response(202, json=STARTED))
    return service


def test_the_plan_file_is_posted_as_it_is_and_the_way_to_follow_is_told(run, accepts, plan):
    result = run("start", plan)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Migration music-2026 is running.",
        "Follow it: d2c status music-2026 --watch",
    ]
    assert accepts.requests[0].content == PLAN
    assert accepts.requests[0].headers["content-type"] == "application/json"


def test_a_plan_comes_from_standard_input_for_a_dash(run, accepts):
    assert run("start", "-", input=PLAN).exit_code == 0
    assert accepts.requests[0].content == PLAN


def test_json_gives_the_apps_answer_with_its_links(run, accepts, plan):
    result = run("start", plan, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, STARTED)


def test_every_fault_of_a_refused_plan_is_told_on_its_own_line(run, service, plan):
    faults = ["tables.0.region: missing", "colour: unknown field"]
    refused = problem(400, "The plan was refused", "; ".join(faults), "Mend the plan.", faults=faults)
    service.on("POST", "/api/migrations", refused)
    result = run("start", plan)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "The plan was refused:",
        "  tables.0.region: missing",
        "  colour: unknown field",
        "Next: Mend the plan.",
    ]


def test_json_gives_the_faults_of_a_refused_plan_as_a_list(run, service, plan):
    service.on("POST", "/api/migrations", problem(400, faults=["a: missing", "b: missing"]))
    result = run("start", plan, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["faults"] == ["a: missing", "b: missing"]
    assert "a: missing" in result.stderr


def test_a_conflict_is_told_with_the_next_step(run, service, plan):
    service.on("POST", "/api/migrations", problem(409, "It conflicts", "Another plan has it.", "Rename it."))
    result = run("start", plan)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["It conflicts: Another plan has it.", "Next: Rename it."]


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_plan_file_that_cannot_be_read_is_wrong_use_and_nothing_is_asked(run, service, tmp_path, name):
    result = run("start", str(tmp_path / name))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
    assert service.requests == []


def test_a_start_without_a_plan_is_wrong_use(run):
    assert run("start").exit_code == 2


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (migration("succeeded", arrived()), 0),
        (migration("failed", table(state="failed")), 1),
        (migration("cancelled", table(state="cancelled")), 1),
        (migration("succeeded", arrived(items_rejected=2)), 3),
        (migration("succeeded", arrived(mismatches=1)), 3),
        (migration("failed", arrived(items_rejected=2), table("Orders", "failed")), 1),
    ],
)
def test_a_watched_start_ends_as_the_migration_ends(run, accepts, plan, last, status):
    accepts.on("GET", "/api/migrations/music-2026", migration(), migration(), last)
    result = run("start", plan, "--watch")
    assert result.exit_code == status
    assert len(accepts.pauses) == 2


def test_a_watched_start_gives_one_json_object_at_the_end(run, accepts, plan):
    last = migration("succeeded", arrived())
    accepts.on("GET", "/api/migrations/music-2026", migration(), last)
    result = run("start", plan, "--watch", "--json")
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, last, "")


def test_an_app_that_does_not_answer_right_after_the_start_is_asked_again(run, accepts, plan):
    last = migration("succeeded", arrived())
    accepts.on("GET", "/api/migrations/music-2026", httpx.ConnectError("refused"), last)
    result = run("start", plan, "--watch")
    assert (result.exit_code, accepts.pauses) == (0, [1])
