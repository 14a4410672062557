"""Whatever a service answers, a client returns a small value of its own type or ends in one of the app's errors."""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import httpx
from azure.core.pipeline.policies import RetryPolicy
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from databricks.sdk.service.jobs import Run, RunOutput
from hypothesis import strategies as st
from pydantic import TypeAdapter

from d2c.clients.answers import MOST_TEXT_CHARACTERS
from d2c.clients.aws.dynamodb import DynamoDB
from d2c.clients.azure.cosmos.management import CosmosManagement
from d2c.clients.azure.cosmos.metrics import MOST_COUNTED, Metrics
from d2c.clients.azure.data_factory import DataFactory
from d2c.clients.azure.sign_in import management_arguments
from d2c.clients.databricks.jobs import Databricks
from d2c.clients.webhook import Webhook
from d2c.errors import PermanentError, TransientError
from tests.fuzz.fuzzing import fuzzed, odd_texts, spoilt, within_bounds
from tests.unit.arrived import table_arn
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.settings import local_settings

SINCE = datetime(2026, 6, 1, tzinfo=UTC)
LONGEST_MESSAGE = 2 * MOST_TEXT_CHARACTERS
RUN = {
    "runId": "r",
    "status": "InProgress",
    "message": "",
    "pipelineName": "copy_export",
    "parameters": {"runKey": "k"},
}
ACTIVITY = {
    "activityName": "CopyFiles",
    "activityType": "Copy",
    "activityRunStart": "2026-06-01T12:00:00Z",
    "status": "InProgress",
    "output": {"filesWritten": 3, "dataWritten": 300},
    "error": {"errorCode": "", "message": ""},
}
RUNS = {"value": [RUN], "continuationToken": "t"}
ACTIVITIES = {"value": [ACTIVITY, {**ACTIVITY, "error": {"message": "no"}}]}
CONTAINER = {
    "properties": {
        "resource": {
            "id": "c",
            "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2},
            "defaultTtl": -1,
        }
    }
}
THROUGHPUT = {
    "properties": {
        "resource": {"throughput": 400, "minimumThroughput": "400", "offerReplacePending": "false"}
    }
}
METRICS = {
    "value": [
        {
            "name": {"value": "TotalRequestUnits"},
            "timeseries": [
                {
                    "metadatavalues": [{"name": {"value": "operationtype"}, "value": "Batch"}],
                    "data": [{"timeStamp": "2026-06-01T12:00:00Z", "total": 5.5, "maximum": 99}],
                }
            ],
        }
    ]
}
NOTEBOOK_RUN = {
    "run_id": 17,
    "tasks": [{"run_id": 18, "task_key": "load"}],
    "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "no"},
    "status": {
        "state": "TERMINATED",
        "termination_details": {"code": "CLUSTER_ERROR", "type": "CLOUD_FAILURE"},
    },
}
OUTPUT = {"error": "no", "error_trace": ""}
TABLE = {
    "TableName": "Music",
    "TableArn": table_arn(),
    "TableStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "N"}],
    "ItemCount": 7,
    "TableSizeBytes": 700,
}
DYNAMODB = {
    "DescribeTable": {"Table": TABLE},
    "DescribeTimeToLive": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}},
    "DescribeContinuousBackups": {
        "ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": {
                "PointInTimeRecoveryStatus": "ENABLED",
                "LatestRestorableDateTime": 1780000000,
            }
        }
    },
    "DescribeExport": {
        "ExportDescription": {
            "ExportArn": f"{table_arn()}/export/1",
            "ExportStatus": "FAILED",
            "FailureCode": "S3NoSuchBucket",
            "FailureMessage": "no",
            "ClientToken": "k",
            "EndTime": 1780000000,
        }
    },
    "ListExports": {"ExportSummaries": [{"ExportArn": f"{table_arn()}/export/1"}]},
}
statuses = st.sampled_from((200, 200, 200, 200, 202, 204, 301, 400, 404, 409, 429, 500))


def told(call, *arguments, **named):
    """Return what a call returned, or None if it ended in an error of the app that somebody reads."""
    with within_bounds():
        try:
            return call(*arguments, **named)
        except (PermanentError, TransientError) as error:
            message = str(error)
    assert len(message) <= LONGEST_MESSAGE, message
    return None


def is_typed(value):
    """Return whether every field of a client's value has the type that it declares."""
    if value is None:
        return True
    text = json.dumps(asdict(value), default=lambda moment: moment.isoformat())
    return TypeAdapter(type(value)).validate_json(text, strict=True) is not None


class _Azure:
    """Management clients whose requests end at an answer that a test sets, of all calls or by the path's last part."""

    def __init__(self):
        self.answer, self.answers = Answer(), {}
        service = StubService(lambda call: self.answers.get(call.path.rpartition("/")[2], self.answer))
        arguments = {
            **management_arguments(local_settings()),
            "retry_policy": RetryPolicy(retry_total=0),
            "transport": service.transport,
        }
        self.factory = DataFactory(DataFactoryManagementClient(**arguments), "group", "factory")
        account = CosmosDBManagementClient(**arguments)
        self.cosmos = CosmosManagement(account, "group", "account")
        self.metrics = Metrics(account, "sub", "group", "account")


class _Aws:
    """DynamoDB whose requests end at answers that a test sets, by the names of the operations."""

    def __init__(self):
        self.answers = {}
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
        client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}), **keys)
        client.meta.events.register_first("before-send", self._answer)
        self.dynamodb = DynamoDB(client, "eu-west-1")

    def _answer(self, request, **_):
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        response = AWSResponse(request.url, 200, {}, None)
        response._content = json.dumps(self.answers[operation]).encode()
        return response


AZURE, AWS = _Azure(), _Aws()


@fuzzed(statuses, spoilt(st.just(RUN)), spoilt(st.just(RUNS)), spoilt(st.just(ACTIVITIES)))
def test_what_data_factory_says_of_runs(status, run, runs, activities):
    AZURE.answer = Answer(status, run)
    found = told(AZURE.factory.get_run, "r")
    assert is_typed(found)
    assert found is None or len(found.status + found.message) <= LONGEST_MESSAGE
    AZURE.answer = Answer(status, runs)
    assert isinstance(told(AZURE.factory.find_run, ["copy_export"], "k", since=SINCE), str | None)
    AZURE.answer = Answer(status, activities)
    progress = told(AZURE.factory.get_copy_progress, "r", since=SINCE)
    assert is_typed(progress)
    if progress:
        assert min(progress.files, progress.size_bytes) >= 0
        assert len(progress.error) <= LONGEST_MESSAGE


@fuzzed(statuses, spoilt(st.just(CONTAINER)), spoilt(st.just(THROUGHPUT)))
def test_what_cosmos_db_says_of_a_container(status, container, throughput):
    AZURE.answer = Answer(status, container)
    assert is_typed(told(AZURE.cosmos.find_container, "d", "c"))
    AZURE.answer = Answer(status, throughput)
    assert is_typed(told(AZURE.cosmos.find_throughput, "d", "c"))
    database = told(AZURE.cosmos.find_database, "d")
    assert is_typed(database and database.throughput)


@fuzzed(statuses, spoilt(st.just(METRICS)))
def test_what_azure_monitor_counts(status, metrics):
    AZURE.answer = Answer(status, metrics)
    counts = told(AZURE.metrics.written_ru, "d", "c", SINCE, SINCE)
    highest = told(AZURE.metrics.highest_use, "d", "c", SINCE, SINCE)
    values = [*(counts or {}).values(), *([] if highest is None else [highest])]
    assert all(isinstance(value, float) and 0 <= value <= MOST_COUNTED for value in values)
    assert sum((SINCE - minute).total_seconds() * 0 for minute in counts or {}) == 0


def databricks(run, output):
    """Return Databricks whose answers are these."""
    jobs = SimpleNamespace(
        get_run=lambda _: Run.from_dict(run), get_run_output=lambda _: RunOutput.from_dict(output)
    )
    return Databricks(SimpleNamespace(jobs=jobs))


@fuzzed(spoilt(st.just(NOTEBOOK_RUN)), spoilt(st.just(OUTPUT)))
def test_what_databricks_says_of_a_run(run, output):
    found = told(databricks(run, output).get_run, 17)
    assert is_typed(found)
    assert found is None or len(found.message) <= LONGEST_MESSAGE


@fuzzed(st.fixed_dictionaries({name: spoilt(st.just(answer)) for name, answer in DYNAMODB.items()}))
def test_what_dynamodb_says_of_a_table_and_its_exports(answers):
    AWS.answers = answers
    assert is_typed(told(AWS.dynamodb.describe_table, "Music"))
    assert is_typed(told(AWS.dynamodb.recovery_window, "Music"))
    state = told(AWS.dynamodb.describe_export, f"{table_arn()}/export/1")
    assert is_typed(state)
    assert state is None or len(state.failure) <= LONGEST_MESSAGE
    assert isinstance(told(AWS.dynamodb.find_export, table_arn(), "k"), str | None)


@fuzzed(st.integers(100, 999), odd_texts, st.binary(max_size=64))
def test_of_a_webhooks_answer_the_status_counts_alone(status, header, body):
    def answer(_):
        headers = {"location": header.encode("utf-8", "replace")}
        return httpx.Response(status, headers=headers, content=body)

    async def send():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await Webhook(client, "https://example.com/hook", "whsec_c2VjcmV0").send("evt_1", b"{}")
        return "sent"

    assert (told(asyncio.run, send()) == "sent") == (200 <= status < 300)
