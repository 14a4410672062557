"""Work that comes in by files in the lake, and what is told of it to a webhook."""

import json
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import ResourceNotFoundError
from standardwebhooks import Webhook

from localcloud.common import names
from localcloud.common.principals import PLAN_WRITER
from tests.contract.polling import wait_until
from tests.end_to_end.conftest import WEBHOOK_SECRET
from tests.end_to_end.user import API, plan

INEXACT = {"pk": {"S": "inexact"}, "n": {"N": "0.1234567890123456789012345678901234567"}}
ITEMS = [*({"pk": {"S": f"k{number}"}, "n": {"N": str(number)}} for number in range(30)), INEXACT]
RULES = {"rules": {"numbers": "reject"}, "limits": {"max_rejected_items": 1}}
STRANGER = "exports/the-other-team/2026/AWSDynamoDB"


def put(user, path, content):
    user.lake.upload_blob(path, content, overwrite=True)


def read(user, path):
    """Return a JSON file of the lake once it is there."""

    def look():
        try:
            return json.loads(user.lake.download_blob(path).readall())
        except ResourceNotFoundError:
            return None

    return wait_until(look)


@pytest.fixture(scope="module")
def dropped(user):
    """The report of a migration whose plan was dropped into the lake."""
    user.create_table("Dropped", ITEMS)
    lake = user.lake_as(PLAN_WRITER)
    lake.upload_blob("plans/bad.json", json.dumps({**plan("../bad"), "colour": 1}))
    lake.upload_blob("plans/monday.json", json.dumps(plan("dropped", {"table": "Dropped"}, **RULES)))
    assert read(user, "plans/monday.json.accepted")["id"] == "dropped"
    assert user.ended("dropped")["state"] == "succeeded"
    return user.report("dropped")


@pytest.fixture(scope="module")
def arrived(user, dropped):
    """The status of a migration of that export as somebody else would copy it: its manifests first."""
    (table,) = dropped["tables"]
    export_id = table["export"]["arn"].rpartition("/")[2]
    folder = f"d2c/dropped/Dropped/AWSDynamoDB/{export_id}/"
    objects = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET, Prefix=folder)["Contents"]
    keys = sorted((entry["Key"] for entry in objects), key=lambda key: "/data/" in key)
    copied = {
        f"{STRANGER}/{export_id}/{key.removeprefix(folder)}": user.s3.get_object(
            Bucket=names.EXPORT_BUCKET, Key=key
        )["Body"].read()
        for key in keys
    }
    *first, last = copied
    for path in first:
        put(user, path, copied[path])
    message = read(user, f"{STRANGER}/{export_id}/d2c-not-loaded.json")
    assert "No plan has the table Dropped" in message["detail"]

    standing = plan("theirs", {"table": "Drop*", "region": names.AWS_REGION}, **RULES)
    answer = user.http.post(API, json={**standing, "start": "when_exports_arrive"})
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")

    def started():
        return [
            row["id"] for row in user.http.get(API).json()["migrations"] if row["id"].startswith("theirs-")
        ]

    (migration,) = wait_until(started)
    put(user, last, copied[last])
    return user.ended(migration)


def test_a_plan_that_is_dropped_into_the_lake_runs(user, dropped):
    assert dropped["tables"][0]["items"] == {"exported": 31, "written": 30, "rejected": 1, "expired": 0}
    assert len(user.documents("dropped", "Dropped")) == 30


def test_a_faulty_plan_has_every_fault_beside_it(user, dropped):
    refused = read(user, "plans/bad.json.refused")
    assert {fault.split(":")[0] for fault in refused["faults"]} == {"name", "database", "tables", "colour"}


def test_an_export_that_others_copied_is_loaded_by_itself_once_a_plan_has_its_table(user, arrived):
    assert arrived["state"] == "succeeded", arrived
    (table,) = user.report(arrived["id"])["tables"]
    assert table["items"] == {"exported": 31, "written": 30, "rejected": 1, "expired": 0}
    assert table["verification"]["different"] == table["verification"]["missing"] == 0
    assert [stage["stage"] for stage in table["stages"]][:2] == ["copy", "prepare"]
    assert user.documents("theirs", "Dropped") == user.documents("dropped", "Dropped")
    messages = [
        name for name in user.lake.list_blob_names(name_starts_with=STRANGER) if "d2c-not-loaded" in name
    ]
    assert messages == []


def verified(body, headers):
    """Return an event whose signature holds, however long ago it came: receivers look at once, this test at the end."""
    sent_at = datetime.fromtimestamp(float(headers["webhook-timestamp"]), UTC)
    wanted = Webhook(WEBHOOK_SECRET).sign(headers["webhook-id"], sent_at, body.decode())
    assert headers["webhook-signature"] == wanted
    return json.loads(body)


def test_the_webhook_is_told_of_ends_and_rejected_items_once_each_and_signed(user, webhook, dropped, arrived):
    def told():
        events = [verified(body, headers) for _, headers, body in webhook.requests]
        mine = [event for event in events if event["data"]["migration"] in ("dropped", arrived["id"])]
        return sorted((event["type"], event["subject"]) for event in mine) if len(mine) >= 6 else None

    expected = [
        (kind, migration if kind == "d2c.migration.ended" else f"{migration}/Dropped")
        for kind in ("d2c.items.rejected", "d2c.migration.ended", "d2c.table.ended")
        for migration in ("dropped", arrived["id"])
    ]
    assert wait_until(told) == sorted(expected)
    assert b"inexact" not in b"".join(body for *_, body in webhook.requests)
    wait_until(lambda: not list(user.lake.list_blob_names(name_starts_with="outbox/")))
