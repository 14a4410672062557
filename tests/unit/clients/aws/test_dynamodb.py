from datetime import UTC, datetime

import pytest

from d2c.clients.aws.dynamodb import DynamoDB, ExportState, TableDescription
from d2c.errors import BusyError, PermanentError, TransientError
from d2c.mapping.indexing import TableIndex
from tests.unit.clients.aws.stubs import REGION, stubbed_client
from tests.unit.clients.errors import error_of

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/Music"
TIME = datetime(2026, 6, 1, 12, tzinfo=UTC)
TABLE = {
    "TableArn": TABLE_ARN,
    "TableStatus": "ACTIVE",
    "KeySchema": [
        {"AttributeName": "Song", "KeyType": "RANGE"},
        {"AttributeName": "Artist", "KeyType": "HASH"},
    ],
    "ItemCount": 7,
    "TableSizeBytes": 700,
}


def arn(number):
    return f"{TABLE_ARN}/export/0178000000{number:04d}-a1b2c3d4"


@pytest.fixture
def service():
    client, stubber = stubbed_client("dynamodb")
    with stubber:
        yield DynamoDB(client, REGION), stubber
    stubber.assert_no_pending_responses()


def describe(stubber, table, time_to_live):
    stubber.add_response("describe_table", {"Table": table}, {"TableName": "Music"})
    stubber.add_response("describe_time_to_live", {"TimeToLiveDescription": time_to_live})


class TestDescribeTable:
    def test_a_table_has_keys_a_size_and_its_ttl_attribute(self, service):
        dynamodb, stubber = service
        describe(stubber, TABLE, {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"})
        assert dynamodb.describe_table("Music") == TableDescription(
            TABLE_ARN, "Artist", "Song", 7, 700, "expires"
        )

    def test_its_keys_that_are_numbers_are_named_and_other_attributes_are_not(self, service):
        dynamodb, stubber = service
        types = {"Song": "N", "Artist": "S", "of_an_index": "N"}
        definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]
        describe(stubber, {**TABLE, "AttributeDefinitions": definitions}, {})
        assert dynamodb.describe_table("Music").number_keys == ("Song",)

    def test_its_secondary_indexes_have_up_to_four_attributes_in_each_part_of_their_keys(self, service):
        dynamodb, stubber = service

        def index(name, hash_keys, range_keys):
            parts = [*((key, "HASH") for key in hash_keys), *((key, "RANGE") for key in range_keys)]
            return {
                "IndexName": name,
                "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in parts],
            }

        indexes = {
            "GlobalSecondaryIndexes": [index("wide", "abcd", "efgh")],
            "LocalSecondaryIndexes": [index("local", ["Artist"], ["Year"])],
            "AttributeDefinitions": [{"AttributeName": "Year", "AttributeType": "N"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7},
        }
        describe(stubber, {**TABLE, **indexes}, {})
        described = dynamodb.describe_table("Music")
        assert described.indexes == (
            TableIndex("wide", "GSI", tuple("abcd"), tuple("efgh"), ("S",) * 8),
            TableIndex("local", "LSI", ("Artist",), ("Year",), ("S", "N")),
        )
        assert described.index_keys == (*"abcdefgh", "Artist", "Year")
        assert (described.read_units, described.write_units) == (5, 7)

    @pytest.mark.parametrize(
        ("time_to_live", "attribute"),
        [
            ({"TimeToLiveStatus": "ENABLING", "AttributeName": "expires"}, "expires"),
            ({"TimeToLiveStatus": "DISABLING", "AttributeName": "expires"}, None),
            ({"TimeToLiveStatus": "DISABLED"}, None),
            ({}, None),
        ],
    )
    def test_only_time_to_live_that_is_on_counts(self, service, time_to_live, attribute):
        dynamodb, stubber = service
        describe(stubber, TABLE, time_to_live)
        assert dynamodb.describe_table("Music").ttl_attribute == attribute

    def test_a_table_may_lack_a_sort_key_and_sizes(self, service):
        dynamodb, stubber = service
        bare = {key: TABLE[key] for key in ("TableArn", "TableStatus")}
        describe(stubber, {**bare, "KeySchema": TABLE["KeySchema"][1:]}, {})
        assert dynamodb.describe_table("Music") == TableDescription(TABLE_ARN, "Artist", None, 0, 0, None)

    def test_a_table_that_is_not_there_is_named_with_its_region(self, service):
        dynamodb, stubber = service
        stubber.add_client_error(
            "describe_table", "ResourceNotFoundException", "Requested resource not found"
        )
        error = error_of(lambda: dynamodb.describe_table("Music"))
        assert type(error) is PermanentError
        assert "DynamoDB table Music in eu-west-1" in error.detail
        assert "table's name" in error.next_step

    def test_a_table_that_is_being_deleted_is_refused(self, service):
        dynamodb, stubber = service
        describe(stubber, {**TABLE, "TableStatus": "DELETING"}, {})
        assert "is DELETING" in error_of(lambda: dynamodb.describe_table("Music")).detail


class TestLatestRestorableTime:
    def answer(self, stubber, recovery):
        stubber.add_response(
            "describe_continuous_backups",
            {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", **recovery}},
            {"TableName": "Music"},
        )

    def test_it_is_what_dynamodb_says_and_not_the_clock(self, service):
        dynamodb, stubber = service
        recovery = {"PointInTimeRecoveryStatus": "ENABLED", "LatestRestorableDateTime": TIME}
        self.answer(stubber, {"PointInTimeRecoveryDescription": recovery})
        assert dynamodb.latest_restorable_time("Music") == TIME

    @pytest.mark.parametrize(
        "recovery",
        [
            {},
            {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}},
            {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}},
        ],
    )
    def test_a_table_without_point_in_time_recovery_is_refused_with_the_command_that_turns_it_on(
        self, service, recovery
    ):
        dynamodb, stubber = service
        self.answer(stubber, recovery)
        error = error_of(lambda: dynamodb.latest_restorable_time("Music"))
        assert type(error) is PermanentError
        assert "update-continuous-backups --region eu-west-1 --table-name Music" in error.next_step


class TestFindExport:
    def page(self, stubber, exports, token=None, following=None, kind=None):
        summaries = [
            {"ExportArn": arn(number), "ExportStatus": "COMPLETED", **({"ExportType": kind} if kind else {})}
            for number, _ in exports
        ]
        asked = {"TableArn": TABLE_ARN, "MaxResults": 25, **({"NextToken": token} if token else {})}
        answer = {"ExportSummaries": summaries, **({"NextToken": following} if following else {})}
        stubber.add_response("list_exports", answer, asked)

    def description(self, stubber, number, token):
        export = {"ExportArn": arn(number), "ExportStatus": "IN_PROGRESS"}
        export |= {"ClientToken": token} if token else {}
        stubber.add_response("describe_export", {"ExportDescription": export}, {"ExportArn": arn(number)})

    def test_an_export_is_found_by_its_token_on_a_later_page(self, service):
        dynamodb, stubber = service
        self.page(stubber, [(1, "a"), (2, None)], following="more")
        self.description(stubber, 1, "a")
        self.description(stubber, 2, None)
        self.page(stubber, [(3, "mine")], token="more")
        self.description(stubber, 3, "mine")
        assert dynamodb.find_export(TABLE_ARN, "mine") == arn(3)

    def test_no_export_is_found_once_every_page_was_seen(self, service):
        dynamodb, stubber = service
        self.page(stubber, [(1, "a")], following="more")
        self.description(stubber, 1, "a")
        self.page(stubber, [], token="more")
        assert dynamodb.find_export(TABLE_ARN, "mine") is None

    def test_incremental_exports_are_passed_over_without_a_call_for_each(self, service):
        dynamodb, stubber = service
        self.page(stubber, [(1, None)], kind="INCREMENTAL_EXPORT")
        assert dynamodb.find_export(TABLE_ARN, "mine") is None

    def test_an_export_that_ages_out_while_it_is_looked_for_is_passed_over(self, service):
        dynamodb, stubber = service
        self.page(stubber, [(1, None), (2, "mine")], kind="FULL_EXPORT")
        stubber.add_client_error("describe_export", "ExportNotFoundException", http_status_code=400)
        self.description(stubber, 2, "mine")
        assert dynamodb.find_export(TABLE_ARN, "mine") == arn(2)

    def test_a_service_that_slows_down_is_asked_again_later(self, service):
        dynamodb, stubber = service
        stubber.add_client_error("list_exports", "ThrottlingException", "Rate exceeded")
        assert type(error_of(lambda: dynamodb.find_export(TABLE_ARN, "mine"))) is TransientError


class TestStartExport:
    def start(self, dynamodb, bucket_owner="", kms_key=""):
        return dynamodb.start_export(
            TABLE_ARN,
            bucket="exports",
            bucket_owner=bucket_owner,
            kms_key=kms_key,
            prefix="d2c/m/Music",
            time=TIME,
            client_token="key",
        )

    @pytest.mark.parametrize(
        ("owner", "key"), [("", ""), ("444455556666", "arn:aws:kms:eu-west-1:444455556666:key/k")]
    )
    def test_it_is_a_full_export_at_the_given_time_and_what_is_not_set_is_not_sent(self, service, owner, key):
        dynamodb, stubber = service
        stubber.add_response(
            "export_table_to_point_in_time",
            {"ExportDescription": {"ExportArn": arn(1), "ExportStatus": "IN_PROGRESS"}},
            {
                "TableArn": TABLE_ARN,
                "S3Bucket": "exports",
                "S3Prefix": "d2c/m/Music",
                "ExportTime": TIME,
                "ExportFormat": "DYNAMODB_JSON",
                "ExportType": "FULL_EXPORT",
                "ClientToken": "key",
                **({"S3BucketOwner": owner} if owner else {}),
                **({"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": key} if key else {}),
            },
        )
        assert self.start(dynamodb, owner, key) == arn(1)

    @pytest.mark.parametrize(
        ("code", "kind", "words"),
        [
            ("PointInTimeRecoveryUnavailableException", PermanentError, "Turn on point-in-time recovery"),
            ("InvalidExportTimeException", PermanentError, "point-in-time recovery was not turned off"),
            ("ExportConflictException", PermanentError, "export settings"),
            ("AccessDeniedException", PermanentError, "docs/install/permissions.md"),
            ("LimitExceededException", BusyError, "until the quota allows it"),
            ("InternalServerError", TransientError, "Retrying"),
        ],
    )
    def test_what_dynamodb_refuses_is_told_with_what_to_do(self, service, code, kind, words):
        dynamodb, stubber = service
        stubber.add_client_error("export_table_to_point_in_time", code, "no")
        error = error_of(lambda: self.start(dynamodb))
        assert type(error) is kind
        assert TABLE_ARN in error.detail
        assert words in error.next_step


class TestDescribeExport:
    def describe(self, service, **export):
        dynamodb, stubber = service
        stubber.add_response("describe_export", {"ExportDescription": {"ExportArn": arn(1), **export}})
        return dynamodb.describe_export(arn(1))

    def test_what_is_known_only_after_the_end_is_empty_before(self, service):
        assert self.describe(service, ExportStatus="IN_PROGRESS") == ExportState(
            arn(1), "IN_PROGRESS", "", "", "", None
        )

    def test_a_complete_export_has_its_manifest_and_its_end(self, service):
        export = self.describe(
            service, ExportStatus="COMPLETED", ExportManifest="p/manifest-summary.json", EndTime=TIME
        )
        assert (export.manifest_key, export.ended_at) == ("p/manifest-summary.json", TIME)

    @pytest.mark.parametrize(
        ("fields", "failure"),
        [
            ({"FailureCode": "S3NoSuchBucket", "FailureMessage": "gone"}, "S3NoSuchBucket: gone"),
            ({"FailureCode": "S3NoSuchBucket"}, "S3NoSuchBucket"),
            ({"FailureMessage": "gone"}, "gone"),
            ({}, ""),
        ],
    )
    def test_a_failure_is_told_by_what_there_is_of_code_and_message(self, service, fields, failure):
        assert self.describe(service, ExportStatus="FAILED", **fields).failure == failure

    def test_an_export_that_is_not_there_is_named(self, service):
        dynamodb, stubber = service
        stubber.add_client_error("describe_export", "ExportNotFoundException", "not found")
        assert arn(1) in error_of(lambda: dynamodb.describe_export(arn(1))).detail
