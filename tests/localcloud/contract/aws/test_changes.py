"""Exports of the past and of changes, as botocore asks for them: the table's state at a time, and windows of writes."""

import json
import os
import signal
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from d2c.export_format import read_lines
from localcloud.cloud.processes import start_service, stop_service
from tests.contract.polling import wait_until
from tests.localcloud.contract.aws.test_exports import ENVIRONMENT, clients, create_table, ended, export

BUCKET = {"Bucket": "exports", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
MINUTE = 60


class Aws:
    """A service of its own, whose clock the tests move."""

    def __init__(self, folder, seconds="0.1"):
        self._folder, self._seconds = folder, seconds
        self.start()
        self.s3.create_bucket(**BUCKET)

    def start(self):
        self.service = start_service(
            "aws", self._folder, arguments=["--export-seconds", self._seconds], environment=ENVIRONMENT
        )
        self.dynamodb, self.s3 = clients(self.service.url)

    def kill(self):
        os.kill(self.service.process.pid, signal.SIGKILL)
        self.service.process.wait()
        stop_service(self.service)

    def after(self, seconds):
        """Move the clock forward, and return the whole second that has begun then."""
        body = json.dumps({"seconds": seconds + 1}).encode()
        request = urllib.request.Request(f"{self.service.url}/_localcloud/clock", body, method="POST")
        return int(json.load(urllib.request.urlopen(request))["now"])

    def put(self, table, key, **attributes):
        item = {"Artist": {"S": key}, "Song": {"N": "1"}, **attributes}
        self.dynamodb.put_item(TableName=table, Item=item)
        return item

    def delete(self, table, key):
        self.dynamodb.delete_item(TableName=table, Key=self.key(key))

    def key(self, key):
        return {"Artist": {"S": key}, "Song": {"N": "1"}}

    def records(self, table_arn, **asked):
        """Export, and return the description and the records by the first key."""
        done = ended(self.dynamodb, export(self.dynamodb, table_arn, **asked)["ExportArn"])
        assert done["ExportStatus"] == "COMPLETED", done
        folder = done["ExportManifest"].rpartition("/")[0]
        listed = self.read(f"{folder}/manifest-files.json").splitlines()
        keys = [json.loads(line)["dataFileS3Key"] for line in listed]
        lines = [json.loads(line) for key in keys for line in read_lines(self.read(key), key)]
        assert len(lines) == done["ItemCount"]
        return done, {(line.get("Keys") or line["Item"])["Artist"]["S"]: line for line in lines}

    def read(self, key):
        return self.s3.get_object(Bucket="exports", Key=key)["Body"].read()

    def changes(self, table_arn, start, end, view="NEW_AND_OLD_IMAGES", **asked):
        window = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
        return self.records(
            table_arn, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window, **asked
        )


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    running = Aws(tmp_path_factory.mktemp("aws"))
    yield running
    stop_service(running.service)


@pytest.fixture(scope="module")
def history(aws):
    """A table with a window of writes; its ARN, and the window's first second and the first after it."""
    arn = create_table(aws.dynamodb, "History")
    before = {
        name: aws.put("History", name, V={"S": "old"}) for name in ("same", "changed", "deleted", "twice")
    }
    start = aws.after(MINUTE)
    aws.put("History", "same", V={"S": "old"})
    aws.put("History", "new", V={"N": "1.50"}, B={"B": b"\x00\xff"})
    aws.dynamodb.update_item(
        TableName="History",
        Key=aws.key("changed"),
        UpdateExpression="SET V = :v",
        ExpressionAttributeValues={":v": {"S": "new"}},
    )
    aws.delete("History", "deleted")
    aws.put("History", "twice", V={"S": "between"})
    aws.put("History", "gone", V={"S": "x"})
    aws.after(20 * MINUTE)
    aws.delete("History", "gone")
    aws.dynamodb.batch_write_item(
        RequestItems={"History": [{"PutRequest": {"Item": {**aws.key("twice"), "V": {"S": "last"}}}}]}
    )
    end = aws.after(MINUTE)
    aws.put("History", "late", V={"S": "after the window"})
    aws.delete("History", "new")
    return arn, start, end, before


def test_a_window_holds_the_net_change_of_each_item_with_both_images(aws, history):
    arn, start, end, before = history
    done, found = aws.changes(arn, start, end, S3Prefix="windows/1")
    assert found.keys() == {"new", "changed", "deleted", "twice"}
    images = {name: (line.get("OldImage"), line.get("NewImage")) for name, line in found.items()}
    new = {**aws.key("new"), "V": {"N": "1.5"}, "B": {"B": "AP8="}}
    assert images == {
        "new": (None, new),
        "changed": (before["changed"], {**before["changed"], "V": {"S": "new"}}),
        "deleted": (before["deleted"], None),
        "twice": (before["twice"], {**before["twice"], "V": {"S": "last"}}),
    }
    for name, line in found.items():
        assert line["Keys"] == aws.key(name)
        assert start <= int(line["Metadata"]["WriteTimestampMicros"]["N"]) / 1e6 < end
    assert done["BilledSizeBytes"] == 10_000_000
    assert "ExportTime" not in done


def test_the_other_view_holds_new_images_and_of_what_was_deleted_the_key_alone(aws, history):
    arn, start, end, _ = history
    _, found = aws.changes(arn, start, end, "NEW_IMAGE", S3Prefix="windows/2")
    assert found.keys() == {"new", "changed", "deleted", "twice"}
    assert found["deleted"].keys() == {"Metadata", "Keys"}
    assert found["changed"].keys() == {"Metadata", "Keys", "NewImage"}


def test_the_data_files_of_all_windows_under_a_prefix_are_in_one_folder_and_the_manifests_are_not(
    aws, history
):
    arn, start, end, _ = history
    exports = [aws.changes(arn, start, end, S3Prefix="windows/shared")[0] for _ in range(2)]
    listed = aws.s3.list_objects_v2(Bucket="exports", Prefix="windows/shared/")["Contents"]
    data = [entry["Key"] for entry in listed if "/data/" in entry["Key"]]
    assert len(data) == 8
    assert {key.rpartition("/")[0] for key in data} == {"windows/shared/AWSDynamoDB/data"}
    for done in exports:
        export_id = done["ExportArn"].rpartition("/")[2]
        assert export_id.partition("-")[0].endswith("000")
        assert done["ExportManifest"] == f"windows/shared/AWSDynamoDB/{export_id}/manifest-summary.json"
        summary = json.loads(aws.read(done["ExportManifest"]))
        assert list(summary) == [
            "version", "exportArn", "startTime", "endTime", "tableArn", "tableId", "exportFromTime", "exportToTime",
            "s3Bucket", "s3Prefix", "s3SseAlgorithm", "s3SseKmsKeyId", "manifestFilesS3Key", "billedSizeBytes",
            "itemCount", "outputFormat", "outputView", "exportType",
        ]  # fmt: skip
        assert (summary["version"], summary["exportType"]) == ("2023-08-01", "INCREMENTAL_EXPORT")
        assert summary["exportFromTime"] == f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def test_a_full_export_and_the_windows_after_it_add_up_to_the_table(aws, history):
    arn, start, end, _ = history
    _, base = aws.records(arn, ExportTime=datetime.fromtimestamp(start, UTC))
    _, window = aws.changes(arn, start, end)
    state = {name: line["Item"] for name, line in base.items()}
    for name, line in window.items():
        state.pop(name, None)
        if "NewImage" in line:
            state[name] = line["NewImage"]
    _, then = aws.records(arn, ExportTime=datetime.fromtimestamp(end, UTC))
    assert state == {name: line["Item"] for name, line in then.items()}
    assert "late" not in then
    assert "new" in then


def test_an_export_of_the_present_holds_what_was_written_just_before_it(aws, history):
    arn, *_ = history
    aws.put("History", "just now")
    latest = aws.dynamodb.describe_continuous_backups(TableName="History")["ContinuousBackupsDescription"]
    time = latest["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]
    assert "just now" in aws.records(arn, ExportTime=time)[1]


def test_a_transaction_that_fails_leaves_no_change(aws):
    arn = create_table(aws.dynamodb, "Transactions")
    start = aws.after(0)
    put = {"Put": {"TableName": "Transactions", "Item": aws.key("in")}}
    refused = {
        "Put": {
            "TableName": "Transactions",
            "Item": aws.key("artist#1/"),
            "ConditionExpression": "attribute_exists(Nothing)",
        }
    }
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        aws.dynamodb.transact_write_items(TransactItems=[put, refused])
    aws.dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "Transactions", "Item": aws.key("kept")}}]
    )
    _, found = aws.changes(arn, start, aws.after(20 * MINUTE))
    assert found.keys() == {"kept"}


def test_a_window_without_its_end_ends_now_and_shows_both_images(aws):
    arn = create_table(aws.dynamodb, "Quiet")
    start = aws.after(0)
    now = aws.after(20 * MINUTE)
    window = {"ExportFromTime": start}
    done, found = aws.records(
        arn, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window, ClientToken="quiet"
    )
    assert (done["ItemCount"], done["BilledSizeBytes"], found) == (0, 10_000_000, {})
    told = done["IncrementalExportSpecification"]
    assert told["ExportViewType"] == "NEW_AND_OLD_IMAGES"
    assert now <= told["ExportToTime"].timestamp() < now + MINUTE
    aws.after(MINUTE)
    again = export(
        aws.dynamodb,
        arn,
        ExportType="INCREMENTAL_EXPORT",
        IncrementalExportSpecification=window,
        ClientToken="quiet",
    )
    assert again["ExportArn"] == done["ExportArn"]
    listed = aws.dynamodb.list_exports(TableArn=arn)["ExportSummaries"]
    assert [summary["ExportType"] for summary in listed] == ["INCREMENTAL_EXPORT"]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (-300 * MINUTE, -10 * MINUTE, "from time cannot be less than the table creation time"),
        (-20 * MINUTE, 5 * MINUTE, "to time cannot be greater than the current time"),
        (-10 * MINUTE, -20 * MINUTE, "should not be greater or equal"),
        (-10 * MINUTE, -10 * MINUTE, "should not be greater or equal"),
        (
            -14 * MINUTE,
            0,
            "Difference between export period from time and export period to time is less than 15",
        ),
        (-30 * MINUTE, -10 * MINUTE, "not within the point in time recovery window"),
    ],
)
def test_a_window_that_cannot_be_is_refused_as_the_service_does(aws, young, start, end, words):
    arn, now = young
    with pytest.raises(ClientError, match=f"InvalidExportTimeException.*{words}"):
        aws.changes(arn, now + start, now + end)


@pytest.fixture(scope="module")
def young(aws):
    """A table that is four hours old, whose recovery was switched on 25 minutes ago; its ARN, and the time."""
    arn = create_table(aws.dynamodb, "Young", recovery=False)
    aws.after(215 * MINUTE)
    recovery = {"PointInTimeRecoveryEnabled": True}
    aws.dynamodb.update_continuous_backups(TableName="Young", PointInTimeRecoverySpecification=recovery)
    return arn, aws.after(25 * MINUTE)


def test_a_window_of_more_than_a_day_is_refused(aws):
    arn = create_table(aws.dynamodb, "Old")
    start = aws.after(0)
    end = aws.after(25 * 60 * MINUTE)
    with pytest.raises(ClientError, match=r"InvalidExportTimeException.*greater than 24 hours"):
        aws.changes(arn, start, end)
    assert aws.changes(arn, end - 24 * 60 * MINUTE, end)[1] == {}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"IncrementalExportSpecification": {"ExportFromTime": 1}}, "expected to be Incremental Export"),
        (
            {"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": {"ExportFromTime": 1}},
            "When Export Type is Full Export",
        ),
        (
            {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {}},
            "ExportFromTime must be provided",
        ),
        (
            {
                "ExportType": "INCREMENTAL_EXPORT",
                "IncrementalExportSpecification": {"ExportFromTime": 1, "ExportViewType": "NEW_IMAGES"},
            },
            "exportViewType",
        ),
    ],
)
def test_a_type_and_a_window_that_do_not_fit_are_refused(aws, history, asked, words):
    with pytest.raises(ClientError, match=f"ValidationException.*{words}"):
        export(aws.dynamodb, history[0], **asked)


def test_an_export_outlives_its_table(tmp_path):
    slow = Aws(tmp_path, seconds="3")
    try:
        arn = create_table(slow.dynamodb, "Gone")
        started = export(slow.dynamodb, arn)
        slow.dynamodb.delete_table(TableName="Gone")
        assert ended(slow.dynamodb, started["ExportArn"])["ItemCount"] == 30
    finally:
        stop_service(slow.service)


def test_a_table_of_the_same_name_is_another_table(aws):
    arn = create_table(aws.dynamodb, "Twice")
    aws.records(arn)
    before = aws.dynamodb.describe_table(TableName="Twice")["Table"]["TableId"]
    aws.dynamodb.delete_table(TableName="Twice")
    assert create_table(aws.dynamodb, "Twice") == arn
    assert aws.dynamodb.describe_table(TableName="Twice")["Table"]["TableId"] != before
    assert aws.dynamodb.list_exports(TableArn=arn)["ExportSummaries"] == []


def test_writes_that_were_answered_survive_a_kill(tmp_path):
    aws = Aws(tmp_path)
    try:
        arn = create_table(aws.dynamodb, "Killed")
        wait_until(lambda: (tmp_path / "aws.pickle").exists())
        start = aws.after(0)
        aws.put("Killed", "kept", V={"S": "x"})
        aws.delete("Killed", "artist#1/")
        aws.kill()
        aws.start()
        found = aws.dynamodb.get_item(TableName="Killed", Key=aws.key("kept"))
        assert found["Item"]["V"] == {"S": "x"}
        _, changes = aws.changes(arn, start, aws.after(20 * MINUTE))
        assert changes.keys() == {"kept", "artist#1/"}
    finally:
        stop_service(aws.service)


def test_export_times_outside_the_recovery_window_are_refused(aws):
    arn = create_table(aws.dynamodb, "Times")
    now = datetime.fromtimestamp(aws.after(MINUTE), UTC)
    for time in (now + timedelta(hours=1), now - timedelta(hours=1)):
        with pytest.raises(ClientError, match=r"InvalidExportTimeException.*Export Time is invalid"):
            export(aws.dynamodb, arn, ExportTime=time)
