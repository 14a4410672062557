import base64
import hashlib
import json
import os
import signal
import ssl
from pathlib import Path
from unittest import mock

import boto3
import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient
from botocore.config import Config

from d2c.app.settings import read_settings
from d2c.clients.aws.copy_session import copy_session_policy
from d2c.clients.azure.cosmos.management import connect_cosmos_management
from d2c.clients.azure.cosmos.metrics import connect_metrics
from d2c.clients.azure.data_factory import connect_data_factory
from d2c.clients.azure.sign_in import management_arguments
from d2c.export_format.copy_parts import lists_folder
from localcloud.aws.iam.sessions import Session, Sessions
from localcloud.cloud.app_settings import stack_parameters
from localcloud.cloud.identity import management_token, owner_key_id
from localcloud.cloud.processes import start_service, stop_service
from localcloud.cloud.services import AWS_TEMPLATE, ROLES
from localcloud.common import names
from localcloud.common.certificates import make_certificates
from localcloud.common.ports import free_port
from localcloud.common.principals import APP, DEPLOYER, OWNER
from localcloud.entra.tokens import new_signing_key, public_keys
from localcloud.lake import connection_string
from tests.contract.polling import HANG_SECONDS, wait_until

ADF = Path(__file__).parents[4] / "adf"
KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
SIGNING_KEY = new_signing_key()
TOKEN, APP_TOKEN, DEPLOYER_TOKEN = (
    management_token(SIGNING_KEY, caller) for caller in (OWNER, APP, DEPLOYER)
)
# By the setting that tells the tests' identities apart.
CREDENTIALS = {}
ENDED = ("Succeeded", "Failed", "Cancelled")
SUMMARY = "manifest-summary.json"


class Surroundings:
    """What the management API works on: buckets, the lake and Cosmos DB, each a process of its own."""

    def __init__(self, folder):
        self.certificates = make_certificates(folder / "certificates")
        self.trust = ssl.create_default_context(cafile=self.certificates.authority)
        stack = {**stack_parameters()[names.AWS_ACCOUNT], "ExportBucketName": "exports", "ExportPrefix": "p"}
        self.aws = start_service(
            "aws",
            folder / "aws",
            arguments=["--template", str(AWS_TEMPLATE)],
            environment={
                "LOCALCLOUD_AWS_SECRET_KEY": KEY,
                "LOCALCLOUD_AWS_STACKS": json.dumps({names.AWS_ACCOUNT: stack}),
            },
        )
        self.lake = start_service("lake", folder / "lake", environment={"LOCALCLOUD_LAKE_KEY": KEY})
        self.cosmos = start_service("cosmos", folder / "cosmos", environment={"LOCALCLOUD_COSMOS_KEY": KEY})
        self.lake_connection = connection_string(self.lake.url, KEY)
        self.files = BlobServiceClient.from_connection_string(self.lake_connection).create_container("lake")
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.aws.url,
            region_name=names.AWS_REGION,
            aws_access_key_id=owner_key_id(names.AWS_ACCOUNT),
            aws_secret_access_key=KEY,
            config=Config(s3={"addressing_style": "path"}),
        )
        self.s3.create_bucket(
            Bucket="exports", CreateBucketConfiguration={"LocationConstraint": names.AWS_REGION}
        )

    def stop(self):
        for service in (self.aws, self.lake, self.cosmos):
            stop_service(service)

    def put_export(self, folder, **contents):
        """Put an export of small made-up files into the bucket and return them by their paths."""
        files = {
            "_started": b"",
            "data/aaa.json.gz": b"a" * 1000,
            "data/bbb.json.gz": bytes(range(256)) * 50,
            "data/empty.json.gz": b"",
            "manifest-files.json": b"{}\n",
            "manifest-files.md5": b"files",
            "manifest-summary.md5": b"summary",
            SUMMARY: b'{"itemCount": 2}',
            **contents,
        }
        for path, content in files.items():
            self.s3.put_object(Bucket="exports", Key=f"{folder}/{path}", Body=content)
        self.put_list(folder, *sorted(files.keys() - {"_started", SUMMARY}))
        return files

    def put_list(self, folder, *paths):
        """Put the list of the files that a run copies beside their export."""
        self.s3.put_object(Bucket="exports", Key=list_of(folder), Body="\n".join(paths).encode())

    def copied(self, folder):
        """Return the paths in a folder of the lake with the times at which they were written."""
        blobs = self.files.list_blobs(name_starts_with=f"{folder}/")
        return {blob.name.removeprefix(f"{folder}/"): blob.last_modified for blob in blobs}


class Management:
    """A management service, and the product's clients of it."""

    def __init__(self, folder, around, *arguments, adf=ADF, s3_url=None, roles=ROLES):
        self._folder, self._port = folder, free_port()
        at_first = ["--adf", str(adf)] if adf else []
        # Tests update throughput more often than an account allows, unless they are about that.
        often = ["--throughput-updates", "1000"]
        fixed = ["--cosmos-url", around.cosmos.url, "--roles", str(roles)]
        self._arguments = [*at_first, *fixed, *often, *arguments]
        self._environment = {
            **around.certificates.server_environment(),
            "LOCALCLOUD_TOKEN_KEYS": json.dumps(public_keys(SIGNING_KEY)),
            "LOCALCLOUD_COSMOS_KEY": KEY,
            "LOCALCLOUD_LAKE": around.lake_connection,
            "LOCALCLOUD_VAULT": json.dumps({"aws-secret-access-key": KEY}),
            "LOCALCLOUD_FACTORY_PARAMETERS": json.dumps(
                {
                    "lakeUrl": "https://devstoreaccount1.dfs.core.windows.net",
                    "s3ServiceUrl": s3_url or around.aws.url,
                    "awsAccessKeyId": owner_key_id(names.AWS_ACCOUNT),
                }
            ),
        }
        self.start()
        self.settings = settings(self.service.url, TOKEN)
        self.deployer_settings = settings(self.service.url, DEPLOYER_TOKEN)
        self.app_settings = settings(self.service.url, APP_TOKEN)
        self.factory = connected(connect_data_factory, self.app_settings)
        self.cosmos = connected(connect_cosmos_management, self.app_settings)
        self.metrics = connected(connect_metrics, self.app_settings)
        self.http = httpx.Client(
            base_url=self.service.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=HANG_SECONDS,
            verify=around.trust,
        )

    def start(self):
        self.service = start_service(
            "management",
            self._folder,
            port=self._port,
            arguments=self._arguments,
            environment=self._environment,
        )

    def kill(self):
        os.kill(self.service.process.pid, signal.SIGKILL)
        self.service.process.wait()
        stop_service(self.service)

    def stop(self):
        self.http.close()
        stop_service(self.service)

    def start_copy(self, key, folder, bucket="exports"):
        return self.factory.start_run("copy_export", copy_parameters(key, folder, bucket))

    def ended(self, run_id):
        def look():
            run = self.factory.get_run(run_id)
            return run if run.status in ENDED else None

        return wait_until(look)

    def activity_runs(self, run_id):
        window = {
            "lastUpdatedAfter": "2020-01-01T00:00:00Z",
            "lastUpdatedBefore": "2100-01-01T00:00:00Z",
        }
        answer = self.http.post(
            f"{factory_path()}/pipelineruns/{run_id}/queryActivityruns?api-version=2018-06-01", json=window
        )
        return answer.json()["value"]

    def set_faults(self, *faults):
        answer = self.http.post("/_localcloud/faults", json=list(faults))
        assert answer.status_code == 200, answer.text


def list_of(folder):
    return f"{lists_folder(folder)}/1.txt"


def copy_parameters(key, folder, bucket="exports"):
    return {
        "runKey": key,
        "bucket": bucket,
        "exportFolder": folder,
        "fileList": list_of(folder),
        "isLastPart": True,
        "fileSystem": "lake",
        "lakeFolder": f"copied/{folder}",
    }


def session_parameters(key, folder, seconds=900):
    """Return the parameters of a copy run with temporary credentials for its export, as the app would make them."""
    role = f"arn:aws:iam::{names.AWS_ACCOUNT}:role/{names.AWS_ROLE}"
    session = Session(role, "d2c-copy-tests", copy_session_policy(role, "exports", folder))
    found = Sessions(KEY).issue(session, seconds)
    return {
        **copy_parameters(key, folder),
        "awsAccessKeyId": found["AccessKeyId"],
        "awsSecretAccessKey": found["SecretAccessKey"],
        "awsSessionToken": found["SessionToken"],
    }


class Fixed:
    """A credential with one token."""

    def __init__(self, token):
        self._token = token

    def get_token(self, *_, **__):
        return AccessToken(self._token, 2**31)


def arguments_of(settings):
    """Return the arguments of the app's management clients, signed in as the test wants."""
    return management_arguments(settings, CREDENTIALS[settings.secret_scope])


def connected(connect, settings):
    """Return a client of the app, signed in as the test wants."""
    return connect(settings, CREDENTIALS[settings.secret_scope])


@pytest.fixture(scope="package", autouse=True)
def trusted(around):
    with mock.patch.dict(os.environ, around.certificates.trust_environment()):
        yield


def settings(url, token):
    who = hashlib.sha256(token.encode()).hexdigest()
    CREDENTIALS.setdefault(who, Fixed(token))
    return read_settings(
        {
            "D2C_EXPORT_BUCKET": "exports",
            "D2C_LAKE_FILE_SYSTEM": "lake",
            "D2C_LAKE": "AccountName=devstoreaccount1",
            "AZURE_SUBSCRIPTION_ID": names.SUBSCRIPTION_ID,
            "D2C_RESOURCE_GROUP": names.RESOURCE_GROUP,
            "D2C_DATA_FACTORY": names.DATA_FACTORY,
            "D2C_COSMOS_ACCOUNT": names.COSMOS_ACCOUNT,
            "D2C_COSMOS_ENDPOINT": "http://127.0.0.1:1",
            "DATABRICKS_HOST": "http://127.0.0.1:1",
            "D2C_NOTEBOOK_PATH": "/notebook",
            "D2C_WHEEL_PATH": "/wheel",
            "D2C_CLUSTER": "{}",
            "D2C_MANAGEMENT_ENDPOINT": url,
            "D2C_SECRET_SCOPE": who,
        }
    )


def group_path():
    return f"/subscriptions/{names.SUBSCRIPTION_ID}/resourceGroups/{names.RESOURCE_GROUP}/providers"


def factory_path():
    return f"{group_path()}/Microsoft.DataFactory/factories/{names.DATA_FACTORY}"


@pytest.fixture(scope="package")
def around(tmp_path_factory):
    running = Surroundings(tmp_path_factory.mktemp("around"))
    yield running
    running.stop()


@pytest.fixture(scope="package")
def management(tmp_path_factory, around):
    running = Management(tmp_path_factory.mktemp("management"), around, "--longest-retry-seconds=0")
    yield running
    running.stop()


@pytest.fixture(scope="package")
def slow(tmp_path_factory, around):
    """One whose copies take long enough to be cancelled, and whose containers take a while to grow."""
    running = Management(
        tmp_path_factory.mktemp("slow"),
        around,
        "--copy-seconds-per-file=2",
        "--scale-seconds=3",
        "--operation-seconds=0.5",
    )
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def no_faults_left(request):
    yield
    if "management" in request.fixturenames:
        request.getfixturevalue("management").set_faults()
