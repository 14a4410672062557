"""A plan is checked before its migration: everything that is wrong is told at once, and nothing is changed."""

import json
import urllib.request

import pytest
from azure.cosmos import PartitionKey

from d2c.state.paths import SWEEP, WATCHDOG
from localcloud.common import names
from tests.end_to_end.user import API, plan

ITEMS = [{"pk": {"S": f"k{n}"}, "value": {"N": str(n)}} for n in range(40)]


def state_of_everything(user):
    """Return what all systems have, but for the check's own folder and what the watchdog keeps."""
    tables = user.dynamodb.list_tables()["TableNames"]
    exports = user.dynamodb.list_exports()["ExportSummaries"]
    objects = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET).get("Contents", ())
    files = {blob.name: blob.etag for blob in user.lake.list_blobs()}
    containers = {
        (database["id"], container["id"]): user.throughput(database["id"], container["id"])
        for database in user.cosmos.list_databases()
        for container in user.cosmos.get_database_client(database["id"]).list_containers()
    }
    return {
        "tables": tables,
        "exports": sorted(export["ExportArn"] for export in exports),
        "objects": sorted(entry["Key"] for entry in objects),
        "files": {
            name: etag for name, etag in files.items() if not name.startswith(("checks/", WATCHDOG, SWEEP))
        },
        "containers": containers,
        "load runs": load_runs(user),
    }


def load_runs(user):
    identity = user.cloud.identity
    request = urllib.request.Request(
        f"{identity.url('databricks')}/api/2.2/jobs/runs/list",
        headers={"Authorization": f"Bearer {identity.databricks_token}"},
    )
    with urllib.request.urlopen(request) as answer:
        return len(json.load(answer).get("runs", ()))


def found(answer, state):
    return {(one["system"], one["thing"], one["check"]) for one in answer["checks"] if one["state"] == state}


@pytest.fixture(scope="module")
def tables(user):
    user.create_table("CheckedFine", ITEMS)
    user.create_table("CheckedExpiring", ITEMS, ttl="until")
    user.create_table("CheckedUnrecoverable", ITEMS, recovery=False)


def test_a_plan_that_can_run_passes_and_its_check_changes_nothing(user, tables):
    before = state_of_everything(user)
    asked = plan("checked", {"table": "CheckedFine", "container": "fine"}, {"table": "CheckedExpiring"})
    checked = user.check(asked)
    assert found(checked, "failed") == set(), checked
    assert checked["state"] == "succeeded", [one for one in checked["checks"] if one["state"] == "failed"]
    assert {one["system"] for one in checked["checks"]} == {
        "AWS", "S3", "DynamoDB", "Lake", "Data Factory", "Cosmos DB", "Databricks", "Deployment", "Clocks",
        "Notifications", "Plan",
    }  # fmt: skip
    assert "Deployment" not in {system for system, _, _ in found(checked, "warning")}
    assert ("AWS", names.AWS_REGION, "copy session") in found(checked, "ok")
    assert state_of_everything(user) == before
    assert user.http.get(f"{API}/checked").status_code == 404
    again = user.http.get(f"/api/checks/{checked['id']}").json()
    assert again == checked


def test_everything_that_is_wrong_is_found_at_once_each_with_a_next_step(user, tables):
    database = user.cosmos.create_database("checked-broken")
    database.create_container("other-key", PartitionKey("/else"), offer_throughput=500)
    occupied = database.create_container("occupied", PartitionKey("/pk"), offer_throughput=500)
    occupied.create_item({"id": "here", "pk": "before"})
    before = state_of_everything(user)
    try:
        user.fail("databricks", {"operation": "secrets", "status": 403, "code": "PERMISSION_DENIED"})
        # Both the check of Data Factory and that of the deployment ask for pipelines.
        refusal = {"status": 403, "code": "AuthorizationFailed", "count": 10}
        user.fail("management", {"operation": "GetPipeline", **refusal})
        checked = user.check(
            plan(
                "checked-broken",
                {"table": "CheckedNowhere", "container": "nowhere"},
                {"table": "CheckedUnrecoverable", "container": "unrecoverable"},
                {"table": "CheckedFine", "container": "other-key"},
                {"table": "CheckedExpiring", "container": "occupied", "rules": {"ttl": "off"}},
            )
        )
    finally:
        user.fail("databricks")
        user.fail("management")
    assert checked["state"] == "failed"
    assert found(checked, "failed") == {
        ("DynamoDB", "CheckedNowhere", "table"),
        ("DynamoDB", "CheckedUnrecoverable", "point-in-time recovery"),
        ("Cosmos DB", "checked-broken/other-key", "container"),
        ("Cosmos DB", "checked-broken/occupied", "documents"),
        ("Databricks", names.SECRET_SCOPE, "secrets"),
        ("Data Factory", "copy_export_session", "pipeline"),
    }
    assert all(one["next_step"] for one in checked["checks"] if one["state"] == "failed")
    assert state_of_everything(user) == before


def test_a_check_that_is_not_waited_for_tells_where_its_findings_will_be(user, tables):
    asked = plan("checked-later", {"table": "CheckedFine"})
    answer = user.http.post(API, json=asked, params={"dry_run": "true", "wait": 0})
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert answer.headers["location"].endswith(f"/api/checks/{answer.json()['id']}")
    assert int(answer.headers["retry-after"]) > 0
    checked = user.checked(answer.json()["id"])
    assert checked["state"] == "succeeded", [one for one in checked["checks"] if one["state"] == "failed"]
    assert checked["progress"]["done"] == checked["progress"]["total"]
