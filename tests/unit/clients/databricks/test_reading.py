"""The calls by which a check looks: at the wire, against documented answers."""

from datetime import UTC, datetime

import pytest
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from botocore.stub import ANY
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import NotFound, PermissionDenied

from d2c.clients.aws.dynamodb import DynamoDB
from d2c.clients.aws.s3 import Bucket, Encryption
from d2c.clients.azure.cosmos.management import CosmosManagement
from d2c.clients.azure.data_factory import DataFactory
from d2c.clients.databricks.reading import WorkspaceReading
from d2c.errors import PermanentError
from tests.unit.clients.aws.stubs import REGION, stubbed_client
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.management import management_client, refusal

ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/Music"
NOT_FOUND = Answer(404, refusal("NotFound"))


class TestDynamoDB:
    def dynamodb(self):
        client, stubber = stubbed_client("dynamodb")
        return DynamoDB(client, REGION), stubber

    @pytest.mark.parametrize(
        "code", ["InvalidExportTimeException", "PointInTimeRecoveryUnavailableException"]
    )
    def test_an_export_that_is_refused_for_its_time_shows_the_right(self, code):
        dynamodb, stubber = self.dynamodb()
        expected = {"TableArn": ARN, "S3Bucket": "exports", "ExportTime": ANY}
        stubber.add_client_error("export_table_to_point_in_time", code, expected_params=expected)
        dynamodb.try_exporting(ARN, "exports")
        stubber.assert_no_pending_responses()

    def test_an_export_that_is_refused_for_the_right_tells_so(self):
        dynamodb, stubber = self.dynamodb()
        stubber.add_client_error(
            "export_table_to_point_in_time", "AccessDeniedException", "User is not authorized"
        )
        with pytest.raises(PermanentError, match="AccessDeniedException"):
            dynamodb.try_exporting(ARN, "exports")

    def test_an_export_of_2001_that_is_taken_on_is_told_and_not_hidden(self):
        dynamodb, stubber = self.dynamodb()
        stubber.add_response(
            "export_table_to_point_in_time",
            {"ExportDescription": {"ExportArn": f"{ARN}/export/01601671299117-a1b2c3d4"}},
        )
        with pytest.raises(PermanentError, match="accepted an export as of 2001-01-01"):
            dynamodb.try_exporting(ARN, "exports")

    def test_the_recovery_window_is_empty_where_recovery_is_off(self):
        dynamodb, stubber = self.dynamodb()
        off = {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }
        earliest, latest = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
        on = {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {
                "PointInTimeRecoveryStatus": "ENABLED",
                "EarliestRestorableDateTime": earliest,
                "LatestRestorableDateTime": latest,
            },
        }
        for answer in (off, on):
            stubber.add_response("describe_continuous_backups", {"ContinuousBackupsDescription": answer})
        assert dynamodb.recovery_window("Music").latest is None
        window = dynamodb.recovery_window("Music")
        assert (window.earliest, window.latest) == (earliest, latest)


class TestBucket:
    def test_region_encryption_and_listing_are_read(self):
        client, stubber = stubbed_client("s3")
        stubber.add_response("head_bucket", {"BucketRegion": "eu-west-1"}, {"Bucket": "exports"})
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-west-1:1:key/k"}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]}
        stubber.add_response("get_bucket_encryption", {"ServerSideEncryptionConfiguration": rules})
        stubber.add_response("list_objects_v2", {}, {"Bucket": "exports", "Prefix": "d2c/", "MaxKeys": 1})
        bucket = Bucket(client, "exports")
        assert bucket.region() == "eu-west-1"
        assert bucket.encryption() == Encryption("aws:kms", "arn:aws:kms:eu-west-1:1:key/k")
        bucket.try_listing("d2c/")
        stubber.assert_no_pending_responses()

    def test_a_bucket_without_a_rule_is_encrypted_by_s3_itself(self):
        client, stubber = stubbed_client("s3")
        stubber.add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
        assert Bucket(client, "exports").encryption() == Encryption("AES256", "")


class TestCosmosAccount:
    def management(self, *answers):
        self.service = StubService(*answers)
        client = management_client(CosmosDBManagementClient, self.service)
        return CosmosManagement(client, "group", "account")

    @pytest.mark.parametrize(
        ("properties", "expected"),
        [
            ({}, (False, False, None, True)),
            ({"capacity": {"totalThroughputLimit": -1}}, (False, False, None, True)),
            ({"capacity": {"totalThroughputLimit": 4000}, "enableFreeTier": True}, (False, True, 4000, True)),
            ({"capabilities": [{"name": "EnableServerless"}]}, (True, False, None, True)),
            ({"publicNetworkAccess": "Disabled"}, (False, False, None, False)),
        ],
    )
    def test_an_accounts_limits_are_read(self, properties, expected):
        places = [{"locationName": "West Europe", "failoverPriority": 0}]
        body = {"kind": "GlobalDocumentDB", "properties": {"writeLocations": places, **properties}}
        found = self.management(Answer(body=body)).describe_account()
        assert (found.is_serverless, found.is_free_tier, found.throughput_limit, found.is_public) == expected
        assert found.regions == ("West Europe",)
        assert self.service.calls[0].path.endswith("/databaseAccounts/account")

    def test_all_containers_of_all_databases_are_listed(self):
        databases = {"value": [{"name": "shop"}, {"name": "empty"}]}
        management = self.management(
            Answer(body=databases), Answer(body={"value": [{"name": "music"}]}), Answer(body={"value": []})
        )
        assert management.list_containers() == [("shop", "music")]


class TestDataFactory:
    def factory(self, *answers):
        client = management_client(DataFactoryManagementClient, StubService(*answers))
        return DataFactory(client, "group", "factory")

    def test_global_parameters_are_read_with_their_values(self):
        parameters = {"lakeUrl": {"type": "String", "value": "https://lake"}}
        body = {"name": "factory", "properties": {"globalParameters": parameters}}
        assert self.factory(Answer(body=body)).global_parameters() == {"lakeUrl": "https://lake"}
        assert self.factory(Answer(body={"name": "factory", "properties": {}})).global_parameters() == {}

    def test_a_pipelines_parameters_are_read_and_none_where_there_is_no_such_pipeline(self):
        body = {
            "name": "copy_export",
            "properties": {"activities": [], "parameters": {"bucket": {"type": "String"}}},
        }
        assert self.factory(Answer(body=body)).find_pipeline_parameters("copy_export") == {"bucket"}
        assert self.factory(NOT_FOUND).find_pipeline_parameters("copy_export") is None

    def test_a_linked_service_is_there_or_not(self):
        body = {"name": "lake", "properties": {"type": "AzureBlobFS", "typeProperties": {}}}
        assert self.factory(Answer(body=body)).has_linked_service("lake")
        assert not self.factory(NOT_FOUND).has_linked_service("lake")
        with pytest.raises(PermanentError):
            self.factory(Answer(403, refusal("AuthorizationFailed"))).has_linked_service("lake")


class TestWorkspace:
    @pytest.fixture
    def workspace(self, monkeypatch):
        monkeypatch.setattr(Config, "_resolve_host_metadata", lambda self: None, raising=False)
        client = WorkspaceClient(
            config=Config(host="https://adb.example.com", token="t", auth_type="pat", retry_timeout_seconds=1)
        )
        asked = []

        def answer(value):
            def do(method, path, **options):
                asked.append((method, path, options.get("query")))
                if isinstance(value, Exception):
                    raise value
                return value

            monkeypatch.setattr(client.api_client, "do", do)
            return WorkspaceReading(client), asked

        return answer

    def test_what_is_at_a_path_is_told_and_nothing_where_nothing_is(self, workspace):
        reading, asked = workspace({"object_type": "NOTEBOOK", "path": "/Shared/x"})
        assert reading.kind_of_object("/Shared/x") == "NOTEBOOK"
        assert asked == [("GET", "/api/2.0/workspace/get-status", {"path": "/Shared/x"})]
        reading, _ = workspace(NotFound("no"))
        assert reading.kind_of_object("/Shared/x") is None

    def test_a_file_is_looked_for_where_its_path_says(self, workspace):
        reading, asked = workspace({})
        assert reading.has_file("/Volumes/main/d2c/d2c.whl")
        assert asked[0][:2] == ("HEAD", "/api/2.0/fs/files/Volumes/main/d2c/d2c.whl")
        reading, asked = workspace({"object_type": "FILE"})
        assert reading.has_file("/Workspace/Shared/d2c.whl")
        assert asked[-1][2] == {"path": "/Shared/d2c.whl"}

    def test_a_cluster_is_told_with_the_most_workers_that_it_may_have(self, workspace):
        spec = {"cluster_id": "c", "state": "RUNNING", "autoscale": {"min_workers": 1, "max_workers": 6}}
        found = workspace(spec)[0].find_cluster("c")
        assert (found.state, found.workers) == ("RUNNING", 6)
        assert workspace(NotFound("no"))[0].find_cluster("c") is None

    def test_secrets_are_told_by_name_only(self, workspace):
        reading, asked = workspace({"secrets": [{"key": "tenant-id", "last_updated_timestamp": 1}]})
        assert reading.secret_names("d2c") == {"tenant-id"}
        assert asked == [("GET", "/api/2.0/secrets/list", {"scope": "d2c"})]

    def test_a_refusal_is_an_error_and_not_an_absence(self, workspace):
        for look in ("has_policy", "has_pool", "secret_names", "find_cluster", "kind_of_object"):
            reading, _ = workspace(PermissionDenied("no"))
            with pytest.raises(PermanentError):
                getattr(reading, look)("x")
