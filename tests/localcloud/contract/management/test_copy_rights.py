"""What a copy may do in the lake: as the data factory's identity."""

import threading
from datetime import timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from localcloud.cloud.identity import owner_key_id
from localcloud.common import names
from localcloud.common.principals import FACTORY, SPARK
from localcloud.data_factory.runs.connections import SinkFolder, SourceFolder
from localcloud.data_factory.runs.copy_files import copy_files
from localcloud.data_factory.runs.errors import ActivityError
from localcloud.data_factory.runs.watch import Watch
from localcloud.entra.tokens import issue_token
from localcloud.lake import ACCOUNT
from tests.contract.signed import Signed
from tests.localcloud.contract.management.conftest import KEY
from tests.localcloud.contract.token_lake import SIGNING_KEY, running_account

EVERYTHING = {"source": {"storeSettings": {}}, "sink": {"storeSettings": {}}}


class As:
    """Reaches a lake as an identity."""

    def __init__(self, principal, account):
        self._token = issue_token(SIGNING_KEY, "https://storage.azure.com", principal)
        self._account = account

    def blobs(self, **options):
        return BlobServiceClient(
            self._account.blob_url,
            credential=Signed(self._token),
            connection_verify=self._account.authority,
            **options,
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with running_account(tmp_path_factory.mktemp("lake")) as running:
        yield running


def copy(around, account, principal, folder):
    around.put_export("p/rights")
    source = SourceFolder(around.aws.url, owner_key_id(names.AWS_ACCOUNT), KEY, None, "exports", "p/rights")
    watch = Watch(
        threading.Event(),
        timeout=timedelta(minutes=5),
        seconds_per_file=0,
        report=lambda _: None,
        before_each_file=lambda: None,
    )
    copy_files(source, SinkFolder(ACCOUNT, "lake", folder), EVERYTHING, As(principal, account), watch)


def test_the_factory_copies_exports(around, account):
    copy(around, account, FACTORY, "exports/m/T/1")
    copied = {blob.name for blob in account.plain.list_blobs(name_starts_with="exports/m/T/1/")}
    assert len(copied) == 8


@pytest.mark.parametrize(
    ("principal", "folder"),
    [
        (FACTORY, "plans"),
        (FACTORY, "outbox"),
        (FACTORY, "migrations/m/tables/T/start-0-1"),
        (SPARK, "exports/m"),
    ],
)
def test_a_copy_to_another_place_or_by_another_identity_fails_in_the_words_of_the_service(
    around, account, principal, folder
):
    with pytest.raises(ActivityError) as failed:
        copy(around, account, principal, folder)
    for words in (
        "AdlsGen2OperationFailed",
        "'Forbidden'",
        f"Path: '{folder}'",
        "'AuthorizationPermissionMismatch'",
    ):
        assert words in str(failed.value)
