import json
import urllib.request
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from d2c.export_format import read_export_manifest, read_lines
from d2c.export_format.manifest import md5_base64
from localcloud.cloud.identity import owner_key_id
from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import AWS_ACCOUNT
from tests.contract.polling import wait_until

SECRET = "a secret access key for tests only"
ENVIRONMENT = {"LOCALCLOUD_AWS_SECRET_KEY": SECRET}
ITEMS = [
    {
        "Artist": {"S": f"artist#{n}/"},
        "Song": {"N": str(n)},
        "Price": {"N": "1.50"},
        "Tags": {"SS": ["a", "b"]},
    }
    for n in range(30)
]


def clients(url):
    config = Config(retries={"total_max_attempts": 1})
    common = {
        "endpoint_url": url,
        "region_name": "eu-west-1",
        "aws_access_key_id": owner_key_id(AWS_ACCOUNT),
        "aws_secret_access_key": SECRET,
        "config": config,
    }
    return boto3.client("dynamodb", **common), boto3.client("s3", **common)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = start_service(
        "aws", tmp_path_factory.mktemp("aws"), arguments=["--export-seconds", "0.1"], environment=ENVIRONMENT
    )
    yield running
    stop_service(running)


@pytest.fixture(scope="module")
def dynamodb(service):
    return clients(service.url)[0]


@pytest.fixture(scope="module")
def s3(service):
    client = clients(service.url)[1]
    client.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def create_table(dynamodb, name, recovery=True):
    dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "Artist", "KeyType": "HASH"},
            {"AttributeName": "Song", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "Artist", "AttributeType": "S"},
            {"AttributeName": "Song", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item}} for item in ITEMS[:25]]})
    dynamodb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item}} for item in ITEMS[25:]]})
    if recovery:
        recovery_on = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery_on)
    return dynamodb.describe_table(TableName=name)["Table"]["TableArn"]


@pytest.fixture(scope="module")
def table_arn(dynamodb, s3):
    return create_table(dynamodb, "Music")


def export(dynamodb, table_arn, **changes):
    request = {"TableArn": table_arn, "S3Bucket": "exports", "S3Prefix": "p/q", **changes}
    return dynamodb.export_table_to_point_in_time(**request)["ExportDescription"]


def ended(dynamodb, arn):
    def look():
        found = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
        return found if found["ExportStatus"] != "IN_PROGRESS" else None

    return wait_until(look)


def code_of(call):
    with pytest.raises(ClientError) as failed:
        call()
    return failed.value.response["Error"]["Code"]


def test_a_table_is_described_with_its_items_and_bytes_as_they_are(dynamodb, s3):
    create_table(dynamodb, "Growing")
    before = dynamodb.describe_table(TableName="Growing")["Table"]
    dynamodb.put_item(TableName="Growing", Item={**ITEMS[0], "Song": {"N": "99"}, "Text": {"S": "x" * 1000}})
    after = dynamodb.describe_table(TableName="Growing")["Table"]
    assert (before["ItemCount"], after["ItemCount"]) == (30, 31)
    assert before["TableSizeBytes"] + 1000 < after["TableSizeBytes"] < before["TableSizeBytes"] + 2000


def test_an_export_lies_in_s3_as_the_service_writes_it(dynamodb, s3, table_arn):
    started = export(dynamodb, table_arn, ExportType="FULL_EXPORT")
    assert started["ExportStatus"] == "IN_PROGRESS"
    assert "ItemCount" not in started
    done = ended(dynamodb, started["ExportArn"])
    assert (done["ExportStatus"], done["ItemCount"], done["ExportType"]) == ("COMPLETED", 30, "FULL_EXPORT")
    folder = done["ExportManifest"].rpartition("/")[0]
    assert folder == f"p/q/AWSDynamoDB/{done['ExportArn'].rpartition('/')[2]}"

    def read(name):
        return s3.get_object(Bucket="exports", Key=f"{folder}/{name}")["Body"].read()

    manifest = read_export_manifest(read, export_arn=done["ExportArn"], table_arn=table_arn)
    assert len(manifest.files) >= 4
    assert any(file.item_count == 0 for file in manifest.files)
    read_items = []
    for file in manifest.files:
        content = read(f"data/{file.name}")
        assert md5_base64(content) == file.md5
        lines = list(read_lines(content, file.name))
        assert len(lines) == file.item_count
        read_items += [json.loads(line)["Item"] for line in lines]
    expected = [{**item, "Price": {"N": "1.5"}} for item in ITEMS]
    for item in read_items:
        item["Tags"]["SS"].sort()
    assert sorted(read_items, key=str) == sorted(expected, key=str)
    assert read("_started") == b""


@pytest.mark.parametrize(
    ("asked", "told"),
    [({}, "AES256"), ({"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "alias/exports"}, "aws:kms")],
)
def test_every_object_of_an_export_is_encrypted_as_the_export_was_asked_to(
    dynamodb, s3, table_arn, asked, told
):
    done = ended(dynamodb, export(dynamodb, table_arn, **asked)["ExportArn"])
    folder = done["ExportManifest"].rpartition("/")[0]
    objects = s3.list_objects_v2(Bucket="exports", Prefix=folder)["Contents"]
    heads = [s3.head_object(Bucket="exports", Key=one["Key"]) for one in objects]
    assert {head["ServerSideEncryption"] for head in heads} == {told}
    assert {head.get("SSEKMSKeyId") for head in heads} == {asked.get("S3SseKmsKeyId")}


def test_a_client_token_starts_one_export_and_conflicts_with_other_parameters(dynamodb, table_arn):
    first = export(dynamodb, table_arn, ClientToken="token-1")
    assert export(dynamodb, table_arn, ClientToken="token-1")["ExportArn"] == first["ExportArn"]
    assert export(dynamodb, table_arn, ClientToken="token-2")["ExportArn"] != first["ExportArn"]
    conflict = lambda: export(dynamodb, table_arn, ClientToken="token-1", S3Prefix="other")  # noqa: E731
    assert code_of(conflict) == "ExportConflictException"


def test_an_export_says_with_which_key_it_is_encrypted(dynamodb, s3, table_arn):
    key = "arn:aws:kms:eu-west-1:123456789012:key/3b1a7419-d170-49d4-9a64-59dee41e3eea"
    started = export(dynamodb, table_arn, S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    done = ended(dynamodb, started["ExportArn"])
    assert (done["S3SseAlgorithm"], done["S3SseKmsKeyId"]) == ("KMS", key)
    summary = json.loads(s3.get_object(Bucket="exports", Key=done["ExportManifest"])["Body"].read())
    assert (summary["s3SseAlgorithm"], summary["s3SseKmsKeyId"]) == ("KMS", key)


def test_a_bucket_that_does_not_exist_is_found_out_later(dynamodb, table_arn):
    started = export(dynamodb, table_arn, S3Bucket="nowhere-at-all")
    done = ended(dynamodb, started["ExportArn"])
    assert (done["ExportStatus"], done["FailureCode"]) == ("FAILED", "S3NoSuchBucket")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ExportTime": datetime.now(UTC) + timedelta(hours=1)}, "InvalidExportTimeException"),
        ({"ExportTime": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidExportTimeException"),
        ({"ExportFormat": "ION"}, "ValidationException"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "ValidationException"),
        ({"ExportType": "PARTIAL_EXPORT"}, "ValidationException"),
        ({"S3Prefix": ""}, "ValidationException"),
        ({"S3BucketOwner": ""}, "ValidationException"),
        ({"S3BucketOwner": "not-an-account"}, "ValidationException"),
        ({"ClientToken": ""}, "ValidationException"),
        ({"S3SseKmsKeyId": "alias/aws/s3"}, "ValidationException"),
        ({"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "not a key"}, "ValidationException"),
        ({"ClientToken": "a$b"}, "ValidationException"),
        ({"S3Bucket": "arn:aws:s3:::exports"}, "ValidationException"),
        ({"TableArn": "Music-table-by-its-name-alone-not-an-arn"}, "ValidationException"),
        ({"TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Nothing"}, "TableNotFoundException"),
        ({"TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/Music"}, "TableNotFoundException"),
        ({"TableArn": "arn:aws:dynamodb:eu-west-1:210987654321:table/Music"}, "AccessDeniedException"),
    ],
)
def test_what_the_service_refuses_is_refused(dynamodb, table_arn, changes, code):
    assert code_of(lambda: export(dynamodb, changes.pop("TableArn", table_arn), **changes)) == code


def test_a_table_without_point_in_time_recovery_cannot_be_exported(dynamodb, s3):
    arn = create_table(dynamodb, "Unprotected", recovery=False)
    assert code_of(lambda: export(dynamodb, arn)) == "PointInTimeRecoveryUnavailableException"


def test_the_latest_restorable_time_moves_and_can_be_exported_as_of(dynamodb, table_arn):
    def latest():
        answer = dynamodb.describe_continuous_backups(TableName="Music")["ContinuousBackupsDescription"]
        return answer["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]

    first = latest()
    wait_until(lambda: latest() > first)
    assert export(dynamodb, table_arn, ExportTime=latest())["ExportStatus"] == "IN_PROGRESS"


def test_exports_are_listed_newest_first_in_pages(dynamodb, table_arn):
    arns = [export(dynamodb, table_arn)["ExportArn"] for _ in range(3)]
    page = dynamodb.list_exports(TableArn=table_arn, MaxResults=2)
    assert [summary["ExportArn"] for summary in page["ExportSummaries"]] == arns[:0:-1]
    following = dynamodb.list_exports(TableArn=table_arn, MaxResults=2, NextToken=page["NextToken"])
    assert following["ExportSummaries"][0]["ExportArn"] == arns[0]


def test_an_export_nobody_started_is_not_found(dynamodb, table_arn):
    assert (
        code_of(lambda: dynamodb.describe_export(ExportArn=f"{table_arn}/export/01-x"))
        == "ExportNotFoundException"
    )


def set_faults(service, faults):
    request = urllib.request.Request(
        f"{service.url}/_localcloud/faults", json.dumps(faults).encode(), method="POST"
    )
    urllib.request.urlopen(request).read()


def test_faults_come_on_demand_so_many_times(service, dynamodb, table_arn):
    set_faults(
        service, [{"operation": "ListExports", "status": 500, "code": "InternalServerError", "count": 1}]
    )
    assert code_of(lambda: dynamodb.list_exports(TableArn=table_arn)) == "InternalServerError"
    assert dynamodb.list_exports(TableArn=table_arn)["ExportSummaries"]
    set_faults(service, [{"operation": "ListExports", "reset": True, "count": 1}])
    with pytest.raises(ConnectionClosedError):
        dynamodb.list_exports(TableArn=table_arn)


def test_state_survives_a_restart(tmp_path):
    first = start_service("aws", tmp_path, arguments=["--export-seconds", "60"], environment=ENVIRONMENT)
    dynamodb, s3 = clients(first.url)
    s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    arn = export(dynamodb, create_table(dynamodb, "Music"))["ExportArn"]
    stop_service(first)
    second = start_service("aws", tmp_path, arguments=["--export-seconds", "0.1"], environment=ENVIRONMENT)
    try:
        dynamodb, s3 = clients(second.url)
        assert dynamodb.scan(TableName="Music")["Count"] == 30
        assert ended(dynamodb, arn)["ItemCount"] == 30
    finally:
        stop_service(second)


def test_an_export_holds_every_type_as_it_was_written(dynamodb, s3):
    arn = create_table(dynamodb, "Typed")
    binary = b"\x00\xff\xfe"
    values = {
        "bytes": {"B": binary},
        "binaries": {"BS": [binary, b"x"]},
        "numbers": {"NS": ["1", "-0.5"]},
        "flag": {"BOOL": False},
        "nothing": {"NULL": True},
        "nested": {"M": {"list": {"L": [{"B": binary}, {"M": {}}, {"BS": [binary]}, {"N": "9" * 38}]}}},
    }
    dynamodb.put_item(TableName="Typed", Item={"Artist": {"S": "typed"}, "Song": {"N": "-7"}, **values})
    done = ended(dynamodb, export(dynamodb, arn)["ExportArn"])
    assert done["ExportStatus"] == "COMPLETED"
    folder = done["ExportManifest"].rpartition("/")[0]
    keys = [
        entry["Key"] for entry in s3.list_objects_v2(Bucket="exports", Prefix=f"{folder}/data/")["Contents"]
    ]
    contents = [s3.get_object(Bucket="exports", Key=key)["Body"].read() for key in keys]
    lines = [json.loads(line)["Item"] for content in contents for line in read_lines(content, "a file")]
    (typed,) = [item for item in lines if item["Artist"] == {"S": "typed"}]
    text = "AP/+"
    assert typed == {
        "Artist": {"S": "typed"},
        "Song": {"N": "-7"},
        **values,
        "bytes": {"B": text},
        "binaries": {"BS": [text, "eA=="]},
        "nested": {"M": {"list": {"L": [{"B": text}, {"M": {}}, {"BS": [text]}, {"N": "9" * 38}]}}},
    }
