"""The clients' calls as the product makes them, each through its real SDK, for the shapes in ``shapes/``."""

import dataclasses
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from azure.cosmos import CosmosClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from azure.storage.blob import BlobServiceClient
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config as AwsConfig
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.aws.dynamodb import DynamoDB
from d2c.clients.aws.s3 import Bucket
from d2c.clients.aws.sign_in import WebIdentity
from d2c.clients.azure.cosmos.data_plane import has_documents, index_percent
from d2c.clients.azure.cosmos.management import CosmosManagement
from d2c.clients.azure.cosmos.metrics import Metrics
from d2c.clients.azure.data_factory import DataFactory
from d2c.clients.azure.data_lake import connect_data_lake
from d2c.clients.azure.identity import AppIdentity
from d2c.clients.azure.lake import Lake
from d2c.clients.databricks.jobs import Databricks

from .outside import SignedIn

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-demo"
EXPORT_ARN = f"{TABLE_ARN}/export/01780000000123-a1b2c3d4"
ROLE_ARN = "arn:aws:iam::111122223333:role/d2c"
RUN_ID = "0a1b2c3d-0000-4000-8000-000000000001"
SINCE = datetime(2026, 5, 28, 1, tzinfo=UTC)
KEY = "k" * 64


class Wire:
    """Ends every request of a boto3 client at a list of answers, and remembers it as it would have gone out."""

    def __init__(self, exchanges: list[Any]) -> None:
        self._exchanges = list(exchanges)
        self.requests: list[dict[str, Any]] = []

    def client(self, service: str, **options: Any) -> Any:
        keys = {} if options else {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}
        made = boto3.client(service, region_name="eu-west-1", **keys, **options)
        made.meta.events.register_first("before-send", self._answer)
        return made

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        # An object's content is wrapped, to have its checksum at the end.
        wrapped = getattr(request.body, "_raw", None)
        body = wrapped.read() if wrapped else request.body
        self.requests.append(seen(request.method, request.url, request.headers, body))
        reply = self._exchanges.pop(0)["reply"]
        content = reply["body"] if isinstance(reply["body"], str) else json.dumps(reply["body"])

        class Raw(io.BytesIO):
            def stream(self, **_: Any) -> Any:
                yield self.read()

        return AWSResponse(request.url, reply["status"], reply.get("headers", {}), Raw(content.encode()))


def seen(method: str, url: str, headers: Any, body: Any) -> dict[str, Any]:
    """Return a request as a shape tells it: only what is documented of it."""
    parts = urlsplit(url)
    told: dict[str, Any] = {"method": method, "path": parts.path}
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if query:
        told["query"] = query
    target = headers.get("X-Amz-Target")
    if target:
        told["target"] = target.decode() if isinstance(target, bytes) else target
    conditions = {
        name: headers[name]
        for name in ("If-Match", "If-None-Match", "x-ms-blob-type", "x-ms-range")
        if name in headers
    }
    if conditions:
        told["headers"] = conditions
    text = body.decode() if isinstance(body, bytes) else body
    if text:
        told["body"] = json.loads(text) if text[:1] in "{[" else dict(parse_qsl(text)) or text
    return told


def dynamodb(wire: Wire) -> DynamoDB:
    return DynamoDB(wire.client("dynamodb"), "eu-west-1")


def bucket(wire: Wire) -> Bucket:
    return Bucket(wire.client("s3"), "demo-ddb-exports")


def lake() -> Lake:
    url = "https://lakedemo.blob.core.windows.net"
    service = BlobServiceClient(url, credential=SignedIn(), retry_total=0)
    return Lake(service.get_container_client("lake"), connect_data_lake(url, SignedIn()))


def factory() -> DataFactory:
    return DataFactory(DataFactoryManagementClient(SignedIn(), "sub", retry_total=0), "rg-demo", "adf-demo")


def _cosmos_client() -> CosmosDBManagementClient:
    address = "https://management.azure.com"
    return CosmosDBManagementClient(SignedIn(), "sub", address, retry_total=0, polling_interval=0)


def cosmos() -> CosmosManagement:
    return CosmosManagement(_cosmos_client(), "rg-demo", "acct-demo")


def _container(**arguments: Any) -> None:
    cosmos().create_container(
        "shop",
        "orders",
        partition_key_paths=["/tenant", "/pk"],
        default_ttl=-1,
        ru_per_second=4000,
        indexing_policy={
            "indexingMode": "consistent",
            "automatic": True,
            "includedPaths": [{"path": "/pk/?"}, {"path": "/sk/?"}],
            "excludedPaths": [{"path": "/*"}],
        },
        **arguments,
    )


def account(transport: Any) -> CosmosClient:
    return CosmosClient(
        "https://acct-demo.documents.azure.com:443/", SignedIn(), retry_total=0, transport=transport
    )


def workspace() -> WorkspaceClient:
    config = Config(
        host="https://adb-1.azuredatabricks.net",
        token="t",
        auth_type="pat",
        retry_timeout_seconds=1,
    )
    return WorkspaceClient(config=config)


def _submit() -> int:
    cluster = {"spark_version": "17.3.x-scala2.13", "node_type_id": "Standard_D4ds_v5", "num_workers": 2}
    return Databricks(workspace()).start_run(
        name="d2c run-42 orders-demo",
        run_key=KEY,
        notebook_path="/Shared/d2c/load_table",
        parameters={"request": "abfss://lake@lakedemo.dfs.core.windows.net/r.json"},
        cluster={**cluster, "data_security_mode": "SINGLE_USER"},
        libraries=[{"maven": {"coordinates": "g:a:1"}}, {"whl": "/Volumes/main/d2c/libs/d2c.whl"}],
        timeout_seconds=604_800,
        viewers="operators",
    )


def _take_on(wire: Wire) -> Any:
    sts = wire.client("sts", config=AwsConfig(signature_version=UNSIGNED))
    found = WebIdentity(sts, SignedIn(), "api://d2c-aws").take_on(
        ROLE_ARN, session_name="d2c-app", seconds=3600
    )
    return {**dataclasses.asdict(found), "secret_access_key": "kept", "session_token": "kept"}


AWS: dict[str, Callable[[Wire], Any]] = {
    "aws.dynamodb: list_tables": lambda wire: dynamodb(wire).list_tables(),
    "aws.dynamodb: describe_table": lambda wire: dynamodb(wire).describe_table("orders-demo"),
    "aws.dynamodb: describe_continuous_backups": lambda wire: dynamodb(wire).latest_restorable_time(
        "orders-demo"
    ),
    "aws.dynamodb: list_exports": lambda wire: dynamodb(wire).find_export(TABLE_ARN, KEY),
    "aws.dynamodb: describe_export": lambda wire: dynamodb(wire).describe_export(EXPORT_ARN),
    "aws.dynamodb: export_table_to_point_in_time": lambda wire: dynamodb(wire).start_export(
        TABLE_ARN,
        bucket="demo-ddb-exports",
        bucket_owner="111122223333",
        kms_key="",
        prefix="d2c/run-42/orders-demo",
        time=SINCE,
        client_token=KEY,
    ),
    "aws.s3: get_object": lambda wire: bucket(wire).read("d2c/run-42/manifest-summary.json", 2**20),
    "aws.s3: put_object": lambda wire: bucket(wire).write("d2c/run-42.lists/0-1-1.txt", b"data/a.json.gz"),
    "aws.s3: list_objects_v2": lambda wire: bucket(wire).sizes("d2c/run-42/"),
    "aws.sign_in: assume_role_with_web_identity": _take_on,
}
AZURE: dict[str, Callable[[], Any]] = {
    "azure.identity: get_token": lambda: (
        AppIdentity().get_token("https://management.azure.com/.default").token[:3]
    ),
    "azure.lake: upload_blob": lambda: lake().create("migrations/m/plan.json", b'{"plan": 1}'),
    "azure.lake: download_blob": lambda: lake().read_version("migrations/m/plan.json"),
    "azure.lake: append_block": lambda: lake().append("migrations/m/ended.jsonl", {"table": "a"}),
    "azure.lake: create_append_blob": lambda: lake().append("migrations/m/new.jsonl", {"table": "a"}),
    "azure.lake: delete_blob": lambda: lake().delete("migrations/open/m", version='"0x1"'),
    "azure.lake: exists": lambda: lake().exists("migrations/m/pause"),
    "azure.lake: list_blobs": lambda: lake().sizes("exports/m"),
    "azure.lake: list_blob_names": lambda: lake().page("migrations/index/", 2, None),
    "azure.data_factory: pipelines.create_run": lambda: factory().start_run(
        "copy_export", {"runKey": KEY, "bucket": "b"}
    ),
    "azure.data_factory: pipeline_runs.get": lambda: factory().get_run(RUN_ID),
    "azure.data_factory: pipeline_runs.query_by_factory": lambda: factory().find_run(
        ["copy_export", "copy_export_session"], KEY, since=SINCE
    ),
    "azure.data_factory: pipeline_runs.cancel": lambda: factory().cancel_run(RUN_ID),
    "azure.data_factory: activity_runs.query_by_pipeline_run": lambda: factory().get_copy_progress(
        RUN_ID, since=SINCE
    ),
    "azure.cosmos.management: get_sql_database": lambda: cosmos().create_database("shop"),
    "azure.cosmos.management: get_sql_database_throughput": lambda: cosmos().find_database("shared"),
    "azure.cosmos.management: begin_create_update_sql_database": lambda: cosmos().create_database("new"),
    "azure.cosmos.management: get_sql_container": lambda: cosmos().find_container("shop", "orders"),
    "azure.cosmos.management: begin_create_update_sql_container": _container,
    "azure.cosmos.management: get_sql_container_throughput": lambda: cosmos().find_throughput(
        "shop", "orders"
    ),
    "azure.cosmos.management: begin_update_sql_container_throughput": lambda: cosmos().change_throughput(
        "shop", "orders", 4000, autoscale=False
    ),
    "azure.cosmos.metrics: send_request": lambda: list(
        Metrics(_cosmos_client(), "sub", "rg-demo", "acct-demo")
        .written_ru("shop", "o'clock", SINCE, SINCE + timedelta(minutes=3))
        .items()
    ),
    "databricks.sign_in: Config": lambda: workspace() and None,
    "databricks.jobs: submit": _submit,
    "databricks.jobs: get_run": lambda: Databricks(workspace()).get_run(455644833),
    "databricks.jobs: get_run_output": lambda: Databricks(workspace()).get_run(455644833),
    "databricks.jobs: list_runs": lambda: Databricks(workspace()).active_runs(),
    "databricks.jobs: cancel_run": lambda: Databricks(workspace()).cancel_run(455644833),
}

# A thread of the SDK's looks whether the regions are well, now and then, so these come in no fixed order.
COSMOS: dict[str, Callable[[Any], Any]] = {
    "azure.cosmos.data_plane: CosmosClient": lambda transport: (
        account(transport).get_database_client("shop").id
    ),
    "azure.cosmos.data_plane: query_items": lambda transport: has_documents(
        account(transport), "shop", "orders", {"kind": "song"}
    ),
    "azure.cosmos.data_plane: read": lambda transport: index_percent(account(transport), "shop", "orders"),
}


def readable(value: Any) -> Any:
    """Return what a client made of an answer, as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, bytes):
        value = value.decode()
    return json.loads(json.dumps(value, default=str))
