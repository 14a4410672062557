"""The lake with tokens, by the SDK: who signs in how, and what each identity may do."""

import hashlib
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.storage.blob import ContainerClient

from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError
from localcloud.common.names import TENANT_ID
from localcloud.common.principals import APP, DEPLOYER, FACTORY, PLAN_WRITER, SPARK
from localcloud.entra.tokens import new_signing_key
from localcloud.lake import ACCOUNT
from localcloud.lake.access.operations import BLOBS
from localcloud.lake.gateway import ACTIONS_PATH
from tests.localcloud.contract.token_lake import KEY, running_account

EXPORT, PLAN, RESULT = (
    "exports/m/T/1/data/a b+ä.json.gz",
    "plans/music.json",
    "migrations/m/tables/T/start-0-1/result.json",
)


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with running_account(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture
def filled(account):
    """The account with a file in each of three folders, put there with the key."""
    for path in (EXPORT, PLAN, RESULT):
        account.plain.upload_blob(path, b"{}", overwrite=True)
    return account


CALLS: dict[str, Callable[[ContainerClient, str], Any]] = {
    "read": lambda files, path: files.download_blob(path).readall(),
    "look": lambda files, path: files.get_blob_client(path).get_blob_properties(),
    "list": lambda files, path: list(files.list_blobs(name_starts_with=path.rpartition("/")[0] + "/")),
    "write": lambda files, path: files.upload_blob(path, b"[]", overwrite=True),
    "stage": lambda files, path: files.get_blob_client(path).stage_block("01", b"part"),
    "log": lambda files, path: files.get_blob_client(f"{path}.log").create_append_blob(),
    "mark": lambda files, path: files.get_blob_client(path).set_blob_metadata({"hdi_isfolder": "true"}),
    "delete": lambda files, path: files.delete_blob(path),
}
READS = ("read", "look", "list")


def allowed(call, files, path):
    try:
        CALLS[call](files, path)
    except HttpResponseError as error:
        return (error.status_code, error.error_code) != (403, "AuthorizationPermissionMismatch")
    return True


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("caller", "reads", "writes"),
    [
        (APP, {EXPORT, PLAN, RESULT}, {EXPORT, PLAN, RESULT}),
        (FACTORY, {EXPORT}, {EXPORT}),
        (SPARK, {EXPORT, PLAN, RESULT}, {RESULT}),
        (PLAN_WRITER, {PLAN}, {PLAN}),
        (DEPLOYER, set(), set()),
    ],
)
def test_each_identity_does_by_path_what_its_role_and_its_condition_allow(
    filled, call, caller, reads, writes
):
    files = filled.files(caller)
    found = {path for path in (EXPORT, PLAN, RESULT) if allowed(call, files, path)}
    assert found == (reads if call in READS else writes)


def test_a_listing_needs_a_prefix_below_the_condition(filled):
    files = filled.files(FACTORY)
    for prefix in (None, "exp", "plans/"):
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            list(files.list_blobs(name_starts_with=prefix))
    assert EXPORT in [blob.name for blob in files.list_blobs(name_starts_with="exports/m")]


def test_what_was_refused_has_changed_nothing(filled):
    with pytest.raises(HttpResponseError):
        filled.files(FACTORY).upload_blob(PLAN, b"x" * 2**20, overwrite=True)
    assert filled.plain.download_blob(PLAN).readall() == b"{}"


def test_a_copy_within_the_lake_needs_the_right_to_its_source(filled):
    def copy(caller, source, target):
        files = filled.files(caller)
        files.get_blob_client(target).start_copy_from_url(files.get_blob_client(source).url)

    copy(SPARK, EXPORT, RESULT)
    for caller, source, target in ((FACTORY, PLAN, EXPORT), (SPARK, RESULT, PLAN)):
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            copy(caller, source, target)


def test_a_large_file_passes_in_both_directions_unchanged(account):
    content = bytes(range(256)) * 2**15
    files = account.files(FACTORY)
    files.upload_blob(EXPORT, content, overwrite=True, max_concurrency=2)
    files.upload_blob("exports/empty", b"", overwrite=True)
    found = files.download_blob(EXPORT).readall()
    assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest()
    assert files.download_blob("exports/empty").readall() == b""


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"audience": "https://management.azure.com"}, "Audience validation failed"),
        ({"exp": 1}, "Lifetime validation failed"),
        ({"iss": "https://sts.windows.net/another/"}, "Issuer validation failed"),
        ({"signing_key": new_signing_key()}, "Signature validation failed"),
    ],
)
def test_a_token_that_is_not_accepted_is_answered_with_the_cause_and_where_to_get_one(account, given, cause):
    with pytest.raises(ClientAuthenticationError) as refused:
        list(account.files(APP, **given).list_blobs(name_starts_with="plans/"))
    error = refused.value
    assert (error.status_code, error.error_code) == (401, "InvalidAuthenticationInfo")
    assert cause in str(error)
    challenge = error.response.headers["WWW-Authenticate"]
    assert f"/{TENANT_ID}/" in challenge
    assert challenge.endswith("resource_id=https://storage.azure.com")


@pytest.mark.parametrize(
    ("credential", "status", "code"),
    [
        ({"account_name": ACCOUNT, "account_key": KEY}, 403, "KeyBasedAuthenticationNotPermitted"),
        (None, 401, "NoAuthenticationInformation"),
        ("sv=2024-08-04&sp=r&sig=c2lnbmVk", 403, "KeyBasedAuthenticationNotPermitted"),
    ],
)
def test_where_tokens_are_taken_no_key_is(filled, credential, status, code):
    files = filled.service(credential).get_container_client("lake")
    with pytest.raises(HttpResponseError) as refused:
        files.download_blob(PLAN).readall()
    assert (refused.value.status_code, refused.value.error_code) == (status, code)


def test_the_account_tells_nothing_to_roles_on_its_file_system(account):
    for call in (
        account.files(APP).get_account_information,
        lambda: list(account.service(account.files(APP).credential).list_containers()),
        lambda: account.service(account.files(APP).credential).create_container("more"),
    ):
        with pytest.raises(HttpResponseError) as refused:
            call()
        assert refused.value.status_code == 403


def test_the_app_empties_the_queue_of_failed_events_and_others_do_not_see_it(account):
    queue = account.queue(APP)
    queue.create_queue()
    queue.send_message("event")
    (message,) = queue.receive_messages(max_messages=2)
    queue.update_message(message, visibility_timeout=0)
    (message,) = queue.receive_messages()
    queue.delete_message(message)
    assert list(queue.peek_messages()) == []
    for caller in (FACTORY, SPARK, PLAN_WRITER):
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            list(account.queue(caller).receive_messages())


def test_the_apps_client_uses_no_more_than_reading_writing_and_deleting(account):
    lake = Lake(account.files(APP))
    lake.write("own/a.json", b"1")
    lake.create("own/a.json", b"2")
    value, version = lake.read_version("own/a.json")
    assert value == 1
    assert lake.replace("own/a.json", b"3", version)
    lake.append("own/log.jsonl", {"number": 1})
    lake.append("own/log.jsonl", {"number": 2})
    assert [entry["number"] for entry in lake.read_log("own/log.jsonl")] == [1, 2]
    assert lake.read_range("own/a.json", 0, 1) == b"3"
    assert lake.read("own/none") is None
    assert not lake.exists("own/none")
    assert lake.sizes("own").keys() == {"a.json", "log.jsonl"}
    lake.delete("own/a.json")
    answer = httpx.get(
        account.blob_url.removesuffix(f"/{ACCOUNT}") + ACTIONS_PATH,
        verify=ssl.create_default_context(cafile=account.authority),
    )
    asked = [
        each for each in answer.json()["actions"] if each["object_id"] == APP.object_id and each["allowed"]
    ]
    used = {action for each in asked for action in each["actions"]}
    assert {action for action in used if action.startswith(BLOBS)} == {
        f"{BLOBS}/{end}" for end in ("read", "write", "delete")
    }


def test_the_apps_refusal_names_the_file_the_identity_and_the_next_step(account):
    with pytest.raises(PermanentError) as refused:
        Lake(account.files(FACTORY)).write(PLAN, b"{}")
    for words in (PLAN, FACTORY.client_id, FACTORY.object_id, "lacks the data role"):
        assert words in refused.value.detail
    assert "docs/install/permissions.md" in refused.value.next_step
