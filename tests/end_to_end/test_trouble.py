"""What goes wrong ends in a message that names the thing, the cause and the next step, and leaves nothing half done."""

import os
from unittest import mock

from azure.core.exceptions import ResourceNotFoundError
from azure.cosmos import PartitionKey
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from localcloud.common import names
from tests.contract.polling import wait_until
from tests.end_to_end.user import API, plan

ITEMS = [{"pk": {"S": f"k{n}"}, "value": {"N": str(n)}} for n in range(40)]


def failed_table(user, migration, table):
    status = user.ended(migration)
    entry = next(entry for entry in status["tables"] if entry["table"] == table)
    assert (status["state"], entry["state"]) == ("failed", "failed"), status
    return entry


def container_exists(user, database, container):
    try:
        user.cosmos.get_database_client(database).get_container_client(container).read()
    except (CosmosResourceNotFoundError, ResourceNotFoundError):
        return False
    return True


def export_objects(user, table):
    answer = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET)
    return [entry["Key"] for entry in answer.get("Contents", ()) if f"/{table}/" in entry["Key"]]


def test_tables_that_cannot_be_moved_fail_with_reasons_and_do_not_stop_the_others(user):
    user.create_table("Unrecoverable", ITEMS, recovery=False)
    for table in ("OtherKey", "Occupied", "Fine"):
        user.create_table(table, ITEMS)
    database = user.cosmos.create_database("mixed")
    database.create_container("other-key", PartitionKey("/else"), offer_throughput=500)
    occupied = database.create_container("occupied", PartitionKey("/pk"), offer_throughput=500)
    occupied.create_item({"id": "here", "pk": "before"})
    user.start(
        plan(
            "mixed",
            {"table": "Nowhere", "container": "nowhere"},
            {"table": "Unrecoverable", "container": "unrecoverable"},
            {"table": "OtherKey", "container": "other-key"},
            {"table": "Occupied", "container": "occupied"},
            {"table": "Fine", "container": "fine"},
            max_parallel_tables=5,
        )
    )
    status = user.ended("mixed")
    found = {entry["table"]: entry for entry in status["tables"]}
    assert status["state"] == "failed"
    assert {name: entry["state"] for name, entry in found.items()} == {
        "Nowhere": "failed",
        "Unrecoverable": "failed",
        "OtherKey": "failed",
        "Occupied": "failed",
        "Fine": "succeeded",
    }
    expected = {
        "Nowhere": ("export", "Nowhere", "region"),
        "Unrecoverable": ("export", "point-in-time recovery", "update-continuous-backups"),
        "OtherKey": ("prepare", "/else", "rules.partition_key"),
        "Occupied": ("prepare", "holds documents already", "allow_existing_documents"),
    }
    for name, (stage, cause, next_step) in expected.items():
        error = found[name]["error"]
        assert error["stage"] == stage
        assert cause in error["detail"]
        assert next_step in error["next_step"]
    assert not container_exists(user, "mixed", "nowhere")
    assert not container_exists(user, "mixed", "unrecoverable")
    assert user.documents("mixed", "other-key") == []
    assert user.documents("mixed", "occupied") == [{"id": "here", "pk": "before"}]
    assert user.throughput("mixed", "occupied") == 500
    assert len(user.documents("mixed", "fine")) == len(ITEMS)
    report = user.report("mixed")
    assert [part["state"] for part in report["tables"]].count("failed") == 4


def test_rules_mended_after_a_failed_assess_are_retried_even_with_another_partition_key(user):
    user.create_table("Mended", ITEMS)
    rules = {"partition_key": ["tenant"]}
    user.start(plan("mended", {"table": "Mended", "container": "mended", "rules": rules}))
    assert failed_table(user, "mended", "Mended")["error"]["stage"] == "assess"
    assert not container_exists(user, "mended", "mended")
    tables = [{"table": "Mended", "rules": {"partition_key": ["pk"]}}]
    assert user.http.post(f"{API}/mended/retry", json={"tables": tables}).status_code == 202
    assert user.ended("mended")["state"] == "succeeded"
    container = user.cosmos.get_database_client("mended").get_container_client("mended").read()
    assert container["partitionKey"]["paths"] == ["/pk"]
    assert len(user.documents("mended", "mended")) == len(ITEMS)


def test_a_container_that_a_cluster_does_not_wait_for_is_loaded_by_a_second_run(user):
    user.create_table("Patient", ITEMS)
    try:
        with mock.patch.dict(os.environ, {"D2C_CLUSTER_WAITS_SECONDS": "0"}):
            user.restart("functions_host")
        user.start(plan("patient", {"table": "Patient", "container": "patient"}))
        status = user.ended("patient")
    finally:
        user.restart("functions_host")
    assert status["state"] == "succeeded", status
    part = user.report("patient")["tables"][0]
    stages = [stage["stage"] for stage in part["stages"]]
    assert stages == ["export", "copy", "prepare", "assess", "load", "verify", "report"]
    assert (part["verification"]["actual"], part["census"] is not None) == (len(ITEMS), True)
    runs = "migrations/patient/tables/Patient/start-0"
    assert user.lake.get_blob_client(f"{runs}-second-1/result.json").exists()
    assert not user.lake.get_blob_client(f"{runs}-2/request.json").exists()


def test_data_files_are_streamed_from_a_volume_and_refused_after_their_last_line(user):
    for table in ("Streamed", "StreamedFlipped"):
        user.create_table(table, ITEMS)
    tables = [{"table": "Streamed", "container": "streamed"}, {"table": "StreamedFlipped"}]
    try:
        with mock.patch.dict(os.environ, {"D2C_LAKE_VOLUME": names.EXPORTS_VOLUME}):
            user.restart("functions_host")
        (told,) = (
            one for one in user.check(plan("streamed", tables[0]))["checks"] if one["check"] == "data files"
        )
        with user.held_export():
            user.start(plan("streamed", *tables))
            flipped = wait_until(lambda: largest_data_file(user, "StreamedFlipped"))
            change_object(user, flipped, flip_a_byte)
        first = failed_table(user, "streamed", "StreamedFlipped")["error"]
        user.fail("databricks", {"operation": "volume-open", "status": 403, "count": 100})
        assert user.http.post(f"{API}/streamed/retry", json={"tables": tables[1:]}).status_code == 202
        second = failed_table(user, "streamed", "StreamedFlipped")["error"]
    finally:
        user.fail("databricks")
        user.restart("functions_host")
    assert (told["thing"], told["state"]) == (names.EXPORTS_VOLUME, "ok")
    assert len(user.documents("streamed", "streamed")) == len(ITEMS)
    assert (first["stage"], f"{flipped.rpartition('/')[2]} has the MD5" in first["detail"]) == (
        "assess",
        True,
    )
    assert (second["stage"], second["title"]) == ("assess", "A data file cannot be opened")
    assert f"{names.EXPORTS_VOLUME}/streamed/" in second["detail"]
    assert "READ VOLUME" in second["next_step"]
    assert not container_exists(user, "streamed", "StreamedFlipped")


def largest_data_file(user, table):
    """Return the key of the largest data file of an export that is whole, or None."""
    keys = export_objects(user, table)
    if not any(key.endswith("manifest-summary.md5") for key in keys):
        return None
    answer = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET)
    sizes = {entry["Key"]: entry["Size"] for entry in answer["Contents"] if entry["Key"] in keys}
    return max((key for key in keys if key.endswith(".gz")), key=sizes.__getitem__)


def test_a_bucket_that_is_not_there_is_named(user):
    user.create_table("Homeless", ITEMS)
    kept = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET).get("Contents", ())
    for entry in kept:
        user.s3.delete_object(Bucket=names.EXPORT_BUCKET, Key=entry["Key"])
    user.s3.delete_bucket(Bucket=names.EXPORT_BUCKET)
    try:
        user.start(plan("homeless", {"table": "Homeless", "container": "homeless"}))
        error = failed_table(user, "homeless", "Homeless")["error"]
    finally:
        place = {"LocationConstraint": names.AWS_REGION}
        user.s3.create_bucket(Bucket=names.EXPORT_BUCKET, CreateBucketConfiguration=place)
    assert names.EXPORT_BUCKET in error["detail"]
    assert "D2C_EXPORT_BUCKET" in error["next_step"]


def change_object(user, key, change):
    content = user.s3.get_object(Bucket=names.EXPORT_BUCKET, Key=key)["Body"].read()
    user.s3.put_object(Bucket=names.EXPORT_BUCKET, Key=key, Body=change(content))


def flip_a_byte(content):
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    return bytes(flipped)


def test_damaged_files_of_an_export_are_named_and_nothing_is_written(user):
    def keys(table, ending):
        return [key for key in export_objects(user, table) if key.endswith(ending)]

    tables = ("Flipped", "Truncated")
    for table in tables:
        user.create_table(table, ITEMS)
    with user.held_export():
        user.start(plan("damaged", *({"table": table, "container": table.lower()} for table in tables)))
        wait_until(lambda: all(keys(table, "manifest-summary.md5") for table in tables))
        sizes = {
            entry["Key"]: entry["Size"]
            for entry in user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET)["Contents"]
        }
        flipped = max(keys("Flipped", ".gz"), key=sizes.__getitem__)
        change_object(user, flipped, flip_a_byte)
        change_object(user, *keys("Truncated", "manifest-summary.json"), lambda content: content[:-20])

    error = failed_table(user, "damaged", "Flipped")["error"]
    assert (error["stage"], flipped.rpartition("/")[2] in error["detail"]) == ("assess", True)
    assert "MD5" in error["detail"]
    # Nothing is created before assess has passed.
    assert not container_exists(user, "damaged", "flipped")

    # A manifest is read before anything is copied.
    error = failed_table(user, "damaged", "Truncated")["error"]
    assert (error["stage"], "manifest-summary.json" in error["detail"]) == ("export", True)
    assert "MD5" in error["detail"]
    assert list(user.lake.list_blobs(name_starts_with="exports/damaged/Truncated/")) == []
    assert not container_exists(user, "damaged", "truncated")


def test_services_that_fail_for_a_while_only_delay_a_migration(user):
    user.create_table("Shaken", ITEMS)
    user.fail(
        "aws",
        {"operation": "DescribeTable", "status": 500, "count": 5},
        {"operation": "ExportTableToPointInTime", "reset": True, "count": 4},
        {"operation": "DescribeExport", "status": 500, "count": 4},
        {"operation": "GetObject", "status": 503, "code": "SlowDown", "count": 3},
    )
    user.fail(
        "management",
        {"operation": "CreateRun", "status": 500, "count": 4},
        {"operation": "GetRun", "reset": True, "count": 3},
    )
    user.fail(
        "databricks",
        {"operation": "submit", "status": 503, "count": 3},
        {"operation": "get", "reset": True, "count": 3},
    )
    user.fail(
        "cosmos",
        {
            "scope": "item",
            "operation": "Upsert",
            "status": 429,
            "sub_status": 3200,
            "retry_after_ms": 5,
            "count": 20,
        },
        {"scope": "drop_after", "operation": "POST", "count": 1},
    )
    user.start(plan("shaken", {"table": "Shaken", "container": "shaken"}))
    status = user.ended("shaken")
    for service in ("aws", "management", "databricks", "cosmos"):
        user.fail(service)
    assert status["state"] == "succeeded", status
    assert [document["value"] for document in user.documents("shaken", "shaken")].count(7) == 1
    assert len(user.documents("shaken", "shaken")) == len(ITEMS)


def test_every_fault_of_a_plan_is_told_at_once(user):
    answer = user.http.post(
        API, json={"name": "bad name", "tables": [{"table": "T", "contianer": "c"}], "region": "Mars"}
    )
    body = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert len(body["faults"]) >= 4
    assert any("contianer" in fault for fault in body["faults"])


def test_a_second_plan_under_the_name_of_a_running_one_is_a_conflict(user):
    user.create_table("Twice", ITEMS)
    user.fail("aws", {"operation": "DescribeExport", "status": 500, "count": 1000})
    first = plan("twice", {"table": "Twice", "container": "twice"})
    user.start(first)
    again = user.start(first)
    other = user.http.post(API, json={**first, "verify": "counts"})
    assert again["state"] in ("pending", "running")
    assert other.status_code == 409
    user.http.post(f"{API}/twice/cancel")
    user.fail("aws")
    assert user.ended("twice")["state"] == "cancelled"
