"""Who may do what in the lake, by the conditions of infra/roles.json."""

import json

import pytest

from d2c.state import paths
from localcloud.cloud.services import ROLES
from localcloud.common.principals import APP, DEPLOYER, FACTORY, OWNER, PLAN_WRITER, SPARK
from localcloud.lake.access.calls import call_of
from localcloud.lake.access.conditions import ConditionError
from localcloud.lake.access.operations import BLOBS, blob_need
from localcloud.lake.access.refusals import StorageError
from localcloud.lake.access.rights import BUILT_IN, Rights

HOME = "/devstoreaccount1/lake"
EXPORT = f"{paths.export_folder('music-1', 'Song-plays', '1')}/data/a.json.gz"
LOAD = paths.MigrationFiles("music-1").table("Song-plays").load_folder("start-0", 1)
RESULTS = [f"{LOAD}/{name}" for name in ("result.json", "progress.json", "rejected", "rejected/part-0.txt")]
RESULTS.append(
    f"{paths.MigrationFiles('music-1').table('Song-plays').done_groups_prefix('start-0', 'start-0', 1)}load.0.json"
)
RECORDS = [
    "plans/music.json",
    "outbox/evt_1.json",
    "deployment.json",
    paths.MigrationFiles("music-1").plan,
    paths.MigrationFiles("music-1").report_page,
    paths.MigrationFiles("music-1").table("Song-plays").record,
    paths.MigrationFiles("music-1").table("Song-plays").report,
    paths.MigrationFiles("music-1").table("Song-plays").copy_begun(0, 1, 1),
    paths.MigrationFiles("music-1").work(0).unit_requests("Song-plays", 1),
    paths.MigrationFiles("music-1").work(0).table("Song-plays"),
    paths.container_path("account", "music", "plays"),
]
WRITES = {
    "put": ("PUT", "{}"),
    "append": ("PUT", "{}?comp=appendblock"),
    "block": ("PUT", "{}?comp=block&blockid=MQ%3D%3D"),
    "list of blocks": ("PUT", "{}?comp=blocklist"),
    "metadata": ("PUT", "{}?comp=metadata"),
    "delete": ("DELETE", "{}"),
}
CALLS = {**WRITES, "read": ("GET", "{}"), "list": ("GET", "?restype=container&comp=list&prefix={}")}


def may(caller, kind, path, source=None, built_in=BUILT_IN):
    method, target = CALLS[kind]
    place = target.format(path) if target.startswith("?") else f"/{target.format(path)}"
    call = call_of(method, HOME + place, {"x-ms-copy-source": f"https://l{HOME}/{source}"} if source else {})
    try:
        Rights(ROLES, built_in).check(caller, call, blob_need(call))
    except StorageError as refused:
        return refused.code != "AuthorizationPermissionMismatch"
    return True


@pytest.mark.parametrize("kind", CALLS)
def test_the_factory_writes_exports_and_does_nothing_else(kind):
    assert may(FACTORY, kind, EXPORT)
    assert [path for path in (*RECORDS, *RESULTS) if may(FACTORY, kind, path)] == []


def test_the_factory_lists_its_folder_and_nothing_above_it():
    assert [prefix for prefix in ("exports/", "exports", "e", "") if may(FACTORY, "list", prefix)] == [
        "exports/"
    ]


@pytest.mark.parametrize("kind", CALLS)
def test_a_plan_writer_reaches_plans_and_nothing_else(kind):
    plans = [path for path in RECORDS if path.startswith("plans/")]
    assert [path for path in (*RECORDS, *RESULTS, EXPORT) if may(PLAN_WRITER, kind, path)] == plans


@pytest.mark.parametrize("kind", WRITES)
def test_spark_writes_results_and_no_plan_no_mail_and_no_record(kind):
    assert [path for path in RESULTS if not may(SPARK, kind, path)] == []
    assert [path for path in (*RECORDS, EXPORT) if may(SPARK, kind, path)] == []


@pytest.mark.parametrize("kind", ["read", "list"])
def test_spark_reads_the_file_system(kind):
    assert all(may(SPARK, kind, path) for path in (EXPORT, *RESULTS))


@pytest.mark.parametrize("kind", CALLS)
def test_the_app_reads_and_writes_the_file_system_and_who_has_no_role_nothing(kind):
    for path in (EXPORT, *RECORDS, *RESULTS):
        assert may(APP, kind, path)
        # The subscription's owner may give roles, and has none for data.
        assert not may(OWNER, kind, path)
        assert not may(DEPLOYER, kind, path)


@pytest.mark.parametrize(
    ("action", "needing"),
    [("read", {"read", "list"}), ("write", {"block", "list of blocks", "metadata"}), ("delete", {"delete"})],
)
def test_without_one_action_of_its_role_the_app_lacks_the_calls_that_need_it(action, needing):
    role = "storageBlobDataContributor"
    without = tuple(each for each in BUILT_IN[role] if each != f"{BLOBS}/{action}")
    refused = {kind for kind in CALLS if not may(APP, kind, EXPORT, built_in={**BUILT_IN, role: without})}
    assert refused == needing


def test_a_copy_needs_the_right_to_its_source():
    assert may(FACTORY, "put", EXPORT, source=EXPORT)
    assert not may(FACTORY, "put", EXPORT, source="plans/music.json")
    assert may(SPARK, "put", RESULTS[0], source=EXPORT)
    assert not may(SPARK, "put", "plans/music.json", source=RESULTS[0])


@pytest.mark.parametrize("caller", [APP, FACTORY, SPARK, PLAN_WRITER])
def test_a_role_on_the_file_system_is_none_in_the_account(caller):
    for method, target in (
        ("GET", "/devstoreaccount1?comp=list"),
        ("PUT", "/devstoreaccount1/other?restype=container"),
    ):
        call = call_of(method, target, {})
        with pytest.raises(StorageError):
            Rights(ROLES).check(caller, call, blob_need(call))


def test_what_was_asked_for_is_remembered_once():
    rights = Rights(ROLES)
    call = call_of("GET", f"{HOME}/a", {})
    for _ in range(2):
        rights.check(APP, call, blob_need(call))
    (entry,) = rights.asked
    assert entry == {
        "object_id": APP.object_id,
        "operation": "Get Blob",
        "actions": [f"{BLOBS}/read"],
        "allowed": True,
    }


def test_a_condition_that_is_not_known_here_is_refused_at_the_start(tmp_path):
    roles = tmp_path / "roles.json"
    roles.write_text(json.dumps({"lakeConditions": {"factory": ["@Resource[a] StringEquals 'b'"]}}))
    with pytest.raises(ConditionError):
        Rights(roles)
