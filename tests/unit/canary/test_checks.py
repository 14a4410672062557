"""Each check holds where a deployment behaves as assumed, and tells where it does not."""

import dataclasses

import pytest

from d2c.canary.checks.export import readable_secrets
from d2c.canary.checks.table import CHECKS
from d2c.canary.findings import FAILS, HOLDS, UntriedError
from d2c.canary.names import KEYS, VALUES
from d2c.canary.operator.factory import CopyRun
from d2c.deploy.parts import Difference

from .world import NAMES, UNIT, moved_scene

LOOKS = {check.name: check.look for check in CHECKS}
TOKEN = "IQoJb3JpZ2luX2Vj" * 12


def finding_failed(scene, number):
    scene.findings[number]["state"] = "failed"


def not_moved(scene, detail):
    scene.report["tables"][0] |= {"state": "failed", "error": {"detail": detail}}


def no_progress(scene):
    scene.deployment.lake.write_json(
        f"migrations/{NAMES.run}/tables/{scene.tables[0]}/start-0-1/progress.json", {"stages": []}
    )


def one_after_the_other(scene):
    for stage in scene.report["tables"][1]["stages"]:
        stage["started_at"] = stage["started_at"].replace("T12:", "T13:")


def without(attribute):
    def spoil(scene):
        for documents in scene.deployment.cosmos.containers.values():
            for document in documents:
                document.pop(attribute, None)

    return spoil


def lost_document(scene):
    scene.deployment.cosmos.containers[KEYS].pop(0)


def verified_with(scene, number, **found):
    scene.report["tables"][number]["verification"] |= found


def shown_token(scene):
    scene.deployment.factory.runs[0].activities[0]["input"] = {"linkedService": [{"token": TOKEN}]}


SPOILT = {
    "aws-sign-in": lambda scene: finding_failed(scene, 0),
    "lake-namespace": lambda scene: finding_failed(scene, 1),
    "everything-reached": lambda scene: finding_failed(scene, 1),
    "roles-suffice": lambda scene: not_moved(scene, "This request is not authorized."),
    "plan-in-lake": lambda scene: setattr(scene, "plan_answer", None),
    "progress-shown": lambda scene: scene.statuses.clear(),
    "export-encryption": lambda scene: setattr(scene.deployment.aws, "algorithm", "aws:kms"),
    "copy-hides-secrets": shown_token,
    "copy-lists-by-prefix": lambda scene: not_moved(scene, "AccessDenied: ListBucket"),
    "load-run-visible": lambda scene: scene.deployment.workspace.runs.clear(),
    "progress-from-threads": no_progress,
    "tables-side-by-side": one_after_the_other,
    "operation-type": without("operationType"),
    "numbers-kept": without("above_double"),
    "sets-and-binaries-kept": without("binaries"),
    "odd-ids": lambda scene: scene.deployment.cosmos.containers[VALUES].pop(),
    "null-partition-key": lost_document,
    "verified-right-after-load": lambda scene: verified_with(scene, 0, missing=1),
    "counted-by-index": lambda scene: verified_with(scene, 1, actual=0),
    "request-units": lambda scene: setattr(scene.deployment.cosmos, "charge", 12.0),
}
# A load run that could not read the lake moves nothing, and then there is nothing to look at.
NEVER_FAILS = {"storage-by-cluster"}


@pytest.mark.parametrize("name", LOOKS)
def test_a_check_holds_where_its_assumption_does(name):
    assert LOOKS[name](moved_scene()).state == HOLDS


@pytest.mark.parametrize("name", SPOILT)
def test_a_check_fails_where_its_assumption_does_not_hold(name):
    scene = moved_scene()
    SPOILT[name](scene)
    found = LOOKS[name](scene)
    assert (found.state, bool(found.seen)) == (FAILS, True)


def test_a_deployment_that_differs_is_told():
    scene = moved_scene(differences=lambda: [Difference("linkedService lake", "nothing", "this version")])
    found = LOOKS["deployment-unchanged"](scene)
    assert (found.state, found.seen) == (FAILS, "linkedService lake is nothing, not this version")


def test_every_check_can_fail_but_those_that_say_so():
    assert LOOKS.keys() == SPOILT.keys() | NEVER_FAILS | {"deployment-unchanged"}


@pytest.mark.parametrize(
    "name", sorted(LOOKS.keys() - {"aws-sign-in", "lake-namespace", "deployment-unchanged"})
)
def test_without_a_migration_a_check_says_why_it_could_not_be_tried(name):
    scene = moved_scene()
    scene.findings, scene.report, scene.plan_answer, scene.trouble = [], None, None, ["AWS is away."]
    with pytest.raises(UntriedError, match="AWS is away"):
        LOOKS[name](scene)


def test_checks_on_items_are_not_tried_on_tables_that_were_given():
    scene = dataclasses.replace(moved_scene(), given=("Orders",))
    with pytest.raises(UntriedError, match="--table"):
        LOOKS["operation-type"](scene)


def test_tables_that_shared_no_load_run_prove_nothing_about_its_threads():
    scene = moved_scene()
    scene.deployment.lake.write_json(UNIT, {"requests": ["one"]})
    with pytest.raises(UntriedError, match="load run of its own"):
        LOOKS["tables-side-by-side"](scene)


def test_an_answer_to_a_plan_after_a_minute_proves_no_event():
    scene = moved_scene()
    scene.plan_answer = (61.0, {"id": NAMES.run})
    with pytest.raises(UntriedError, match="watchdog"):
        LOOKS["plan-in-lake"](scene)


def test_a_migration_that_had_ended_by_the_time_of_the_event_still_proves_it():
    scene = moved_scene()
    scene.plan_answer = (50.0, {"detail": "The migration has ended."})
    assert LOOKS["plan-in-lake"](scene).state == HOLDS


@pytest.mark.parametrize(
    ("parameters", "places"),
    [
        ({"awsSecretAccessKey": "short-but-secret"}, ["parameter awsSecretAccessKey"]),
        ({"awsSecretAccessKey": "", "runKey": "a" * 64}, []),
        ({"anything": TOKEN}, ["parameter anything"]),
    ],
)
def test_a_secret_is_known_by_its_name_or_its_look(parameters, places):
    assert readable_secrets(CopyRun("copy_export_session", "Succeeded", parameters, [])) == places
