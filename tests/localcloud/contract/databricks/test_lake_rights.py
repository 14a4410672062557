"""What a notebook may do in the lake: as Spark's identity, through the protocol that its paths go by."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from azure.storage.blob.aio import BlobServiceClient

from localcloud.common.principals import SPARK
from localcloud.databricks.files.lake_files import LakeFiles
from localcloud.databricks.files.web_hdfs import WebHdfs
from localcloud.entra.tokens import issue_token
from tests.contract.signed import Signed
from tests.localcloud.contract.token_lake import SIGNING_KEY, running_account

SECRET = "secret-of-this-workspace"
HOME = f"/webhdfs/v1/{SECRET}/lake"
FOLDER = "migrations/m/tables/T/start-0-1"
SECOND = "second-step=true"


class SignedOnALoop(Signed):
    """A credential for asynchronous clients."""

    async def get_token(self, *_, **__):
        return super().get_token()

    async def close(self):
        pass


class AsSpark:
    """Reaches a lake as Spark's identity."""

    def __init__(self, account):
        self._account = account
        self.methods = []

    def async_blobs(self, **options):
        options["raw_response_hook"] = lambda answer: self.methods.append(answer.http_request.method)
        credential = SignedOnALoop(issue_token(SIGNING_KEY, "https://storage.azure.com", SPARK))
        authority = self._account.authority
        return BlobServiceClient(
            self._account.blob_url, credential=credential, connection_verify=authority, **options
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with running_account(tmp_path_factory.mktemp("lake")) as running:
        for path in ("exports/m/T/1/a.json.gz", "plans/music.json", f"{FOLDER}/request.json"):
            running.plain.upload_blob(path, b"content")
        yield running


def answers(account, *calls):
    """Return status and content of calls, one after another, each a method and a path with its query."""
    return asked_of(AsSpark(account), *calls)


def asked_of(reach, *calls):
    async def call_all():
        files = LakeFiles(reach)
        app = web.Application()
        WebHdfs(files, SECRET).add_routes(app.router)
        async with TestClient(TestServer(app)) as client:
            found = []
            for method, path in calls:
                async with client.request(
                    method, f"{HOME}/{path}", data=b"x" if "CREATE" in path else None
                ) as answer:
                    found.append((answer.status, await answer.text()))
        await files.close()
        return found

    return asyncio.run(call_all())


def test_a_load_run_reads_exports_and_writes_moves_and_deletes_its_results(account):
    calls = (
        ("GET", f"exports/m/T/1/a.json.gz?op=OPEN&{SECOND}"),
        ("GET", "exports/m/T/1?op=LISTSTATUS"),
        ("PUT", f"{FOLDER}/rejected?op=MKDIRS"),
        ("PUT", f"{FOLDER}/rejected/_temporary/part-0?op=CREATE&{SECOND}"),
        (
            "PUT",
            f"{FOLDER}/rejected/_temporary/part-0?op=RENAME&destination=/{SECRET}/lake/{FOLDER}/rejected/part-0",
        ),
        ("DELETE", f"{FOLDER}/rejected?op=DELETE&recursive=true"),
    )
    assert [status for status, _ in answers(account, *calls)] == [200, 200, 200, 201, 200, 200]


@pytest.mark.parametrize(
    ("method", "path", "status", "calls"),
    [
        ("GET", "exports/m/T/1/a.json.gz?op=OPEN", 200, ["GET"]),
        ("GET", f"exports/m/T/1/a.json.gz?op=OPEN&{SECOND}", 200, ["GET"]),
        ("GET", f"exports/m/T/1/none?op=OPEN&{SECOND}", 404, ["GET"]),
        ("GET", "exports/m/T/1?op=LISTSTATUS", 200, ["GET"]),
        ("PUT", f"{FOLDER}/new.json?op=CREATE&overwrite=true&{SECOND}", 201, ["HEAD", "GET", "PUT"]),
    ],
)
def test_an_operation_on_a_path_without_signs_costs_the_lake_few_calls(account, method, path, status, calls):
    reach = AsSpark(account)
    ((found, _),) = asked_of(reach, (method, path))
    assert (found, reach.methods) == (status, calls)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"plans/evil.json?op=CREATE&{SECOND}"),
        ("PUT", f"plans/music.json?op=CREATE&overwrite=true&{SECOND}"),
        ("PUT", f"outbox/evt_1.json?op=CREATE&{SECOND}"),
        ("PUT", "plans/more?op=MKDIRS"),
        ("PUT", f"{FOLDER}/request.json?op=RENAME&destination=/{SECRET}/lake/plans/moved.json"),
        ("PUT", f"plans/music.json?op=RENAME&destination=/{SECRET}/lake/{FOLDER}/moved.json"),
        ("DELETE", "plans/music.json?op=DELETE"),
        ("DELETE", "exports?op=DELETE&recursive=true"),
    ],
)
def test_it_is_refused_elsewhere_with_an_exception_of_its_own_and_nothing_is_lost(account, method, path):
    ((status, text),) = answers(account, (method, path))
    assert (status, "org.apache.hadoop.security.AccessControlException" in text) == (403, True)
    assert "AuthorizationPermissionMismatch" in text
    for kept in ("exports/m/T/1/a.json.gz", "plans/music.json", f"{FOLDER}/request.json"):
        assert account.plain.download_blob(kept).readall() == b"content"
