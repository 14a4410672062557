"""A canary from its beginning to its end, without any cloud."""

import json
from datetime import UTC, datetime

import pytest

from d2c.canary import program
from d2c.canary.checks.table import CHECKS
from d2c.canary.migration import make_tables, move_tables
from d2c.canary.names import TAG, run_of
from d2c.canary.removal import find
from d2c.clients.azure.lake import Lake
from d2c.errors import D2CError, PermanentError, TransientError
from tests.unit.file_system import SubstituteFileSystem

from .world import ACCOUNT, NAMES, FakeAws, FakeCosmos, FakeWorkspace, deployment, moved_scene, new_scene


def quiet(text):
    pass


class AnsweringFiles(SubstituteFileSystem):
    """Answers a plan as soon as it is there, as the app does."""

    def upload_blob(self, path, content, overwrite):
        super().upload_blob(path, content, overwrite)
        if path.startswith("plans/") and path.endswith(".json"):
            self.files[f"{path}.accepted"] = json.dumps({"id": NAMES.run}).encode()


class RefusingAws(FakeAws):
    def create_table(self, name, keys, tags):
        raise PermanentError("CreateTable answered AccessDenied.", "Grant it.")


class FailingWorkspace(FakeWorkspace):
    def load_runs(self, migration):
        raise RuntimeError("as nobody expected")


class FailingCosmos(FakeCosmos):
    def databases(self, prefix):
        raise TransientError("The account does not answer.", "Retrying.")


def run(scene, **options):
    return program.run(scene, 600, quiet, **options)


def states(result):
    return {row["check"]: row["state"] for row in result["checks"]}


def test_its_tables_are_tagged_and_have_items_that_recovery_knows():
    scene = new_scene()
    make_tables(scene, quiet)
    tables = scene.deployment.aws.tables
    assert tables.keys() == set(scene.tables)
    assert all(table["tags"] == {TAG: NAMES.run} and table["items"] for table in tables.values())


def test_a_table_that_recovery_does_not_know_yet_is_waited_for_and_not_for_ever():
    scene = new_scene()
    scene.deployment.aws.latest = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(D2CError, match="can be exported with its items"):
        make_tables(scene, quiet)
    assert 1_800 <= scene.deployment.clock() < 2_000


def test_a_migration_that_takes_too_long_is_cancelled():
    scene = new_scene()
    scene.deployment.app.statuses = [{"state": "running", "tables": []}]
    with pytest.raises(D2CError, match="the migration has ended"):
        move_tables(scene, 60, quiet)
    assert scene.deployment.app.changes == [(NAMES.run, "cancel")]


def test_a_canary_tells_what_it_saw_and_leaves_nothing():
    scene = new_scene(lake=Lake(AnsweringFiles()))
    result = run(scene)
    assert (result["error"], result["left"], result["migration"]) == (None, [], "succeeded")
    assert states(result)["plan-in-lake"] == "holds"
    assert scene.deployment.app.started == [scene.plan]
    assert scene.deployment.aws.tables == {}
    assert scene.deployment.cosmos.deleted == [NAMES.run]
    assert sorted(scene.deployment.aws.deleted) == sorted(scene.deployment.aws.objects)
    assert find(scene.deployment, NAMES.run)[0][0].kind == "database"


def test_what_is_kept_is_all_there():
    scene = new_scene()
    assert run(scene, keep=True)["left"] == []
    assert len(scene.deployment.aws.tables) == 2


def test_a_canary_that_cannot_begin_says_why_tries_the_rest_and_removes_what_there_is():
    scene = new_scene(aws=RefusingAws())
    result = run(scene)
    assert result["error"]["detail"] == "CreateTable answered AccessDenied."
    assert "your own rights" in result["error"]["next_step"]
    assert states(result)["deployment-unchanged"] == "holds"
    assert states(result)["operation-type"] == "could not be tried"
    assert scene.deployment.cosmos.deleted == [NAMES.run]


def test_an_error_in_one_check_hides_no_other():
    result = run(new_scene(workspace=FailingWorkspace()))
    (row,) = [row for row in result["checks"] if row["check"] == "load-run-visible"]
    assert (row["state"], "as nobody expected" in row["seen"]) == ("could not be tried", True)
    assert len(result["checks"]) == len(CHECKS)


def test_what_cannot_be_removed_is_told_and_the_rest_is_removed():
    scene = new_scene(cosmos=FailingCosmos())
    assert run(scene)["left"] == ["The account does not answer."]
    assert scene.deployment.aws.tables == {}


def test_a_result_has_no_secret_and_no_number_of_account_or_subscription():
    scene = moved_scene()
    key, subscription = scene.settings.cosmos_key, scene.settings.subscription_id
    digits = f"9{ACCOUNT}9"
    scene.findings[0]["finding"] = f"{key} of {ACCOUNT} in {subscription}, {digits}"
    rows = [program._try(scene, check) for check in CHECKS]
    result = program.result_of(scene, "2026-06-01", rows, None, [])
    assert result["checks"][0]["seen"] == f"*** of <account> in <subscription>, {digits}"


def test_only_what_has_the_name_of_a_canary_is_found():
    place = deployment()
    place.aws.create_table(f"{NAMES.run}-values", ["pk"], {TAG: NAMES.run})
    place.aws.create_table(f"{NAMES.run}-mine", ["pk"], {})
    place.aws.create_table("d2c-canary-notes", ["pk"], {TAG: "mine"})
    place.cosmos.found = [NAMES.run, "d2c-canary-notes", "shop"]
    for owner in (NAMES.run, "d2c-canary-notes", "shop"):
        place.lake.write(f"migrations/{owner}/plan.json", b"{}")
    things, faults = program.leftovers(place)
    assert faults == []
    assert {(thing.kind, thing.run) for thing in things} == {
        (kind, NAMES.run) for kind in ("table", "database", "exports", "files of the lake")
    }
    assert program.clean(place, things, quiet) == []
    assert place.lake.exists("migrations/d2c-canary-notes/plan.json")
    assert not place.lake.exists(f"migrations/{NAMES.run}/plan.json")


def test_a_canary_that_still_runs_is_cancelled_before_it_is_removed():
    place = deployment()
    place.lake.write(f"migrations-open/{NAMES.run}", b"")
    place.app.statuses = [{"state": "running", "tables": []}]
    program.clean(place, [], quiet)
    assert place.app.changes == [(NAMES.run, "cancel")]


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (NAMES.run, NAMES.run),
        (f"{NAMES.run}-values", NAMES.run),
        (f"{NAMES.run}.5/plan.json", NAMES.run),
        (f"{NAMES.run}0", None),
        ("d2c-canary-", None),
    ],
)
def test_a_name_is_of_a_canary_or_not(text, run):
    assert run_of(text) == run


def test_the_operator_is_told_the_rights_and_the_price_before():
    notice = program.notice_of(program.new_scene(deployment(), ()))
    assert 0 < notice["price"]["once"] < 5
    assert 5 < notice["price"]["minutes"] < 60
    assert "dynamodb:CreateTable" in {right["right"] for right in notice["rights"]}
