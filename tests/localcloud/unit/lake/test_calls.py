"""Which actions a request needs, and which requests are taken for none that is known."""

import pytest

from localcloud.lake.access.calls import Place, call_of
from localcloud.lake.access.operations import BLOBS, CONTAINERS, MESSAGES, blob_need, queue_need
from localcloud.lake.access.refusals import StorageError

HOME = "/devstoreaccount1"
MESSAGE = f"{HOME}/mail/messages"


def read(method, target, **headers):
    return call_of(method, target, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("method", "target", "operation", "actions"),
    [
        ("GET", "?comp=list", "List Containers", [f"{CONTAINERS}/read"]),
        ("PUT", "/lake?restype=container", "Create Container", [f"{CONTAINERS}/write"]),
        ("HEAD", "/lake?restype=container", "Get Container Properties", [f"{CONTAINERS}/read"]),
        ("GET", "/lake?restype=container&comp=list&prefix=a", "List Blobs", [f"{BLOBS}/read"]),
        ("PUT", "/lake/a/b?timeout=3", "Put Blob", [f"{BLOBS}/write", f"{BLOBS}/add/action"]),
        ("HEAD", "/lake/a/b", "Get Blob", [f"{BLOBS}/read"]),
        ("DELETE", "/lake/a/b", "Delete Blob", [f"{BLOBS}/delete"]),
        ("PUT", "/lake/a/b?comp=block&blockid=MQ%3D%3D", "Put Block", [f"{BLOBS}/write"]),
        ("PUT", "/lake/a?comp=appendblock", "Append Block", [f"{BLOBS}/write", f"{BLOBS}/add/action"]),
    ],
)
def test_a_call_to_blobs_needs_the_actions_of_the_list(method, target, operation, actions):
    need = blob_need(read(method, HOME + target))
    assert (need.operation, [action for (action,) in need.groups]) == (operation, actions)


@pytest.mark.parametrize(
    ("method", "target", "operation", "groups"),
    [
        ("POST", MESSAGE, "Put Message", [["add/action"], ["write"]]),
        ("GET", MESSAGE, "Get Messages", [["process/action"], ["delete", "read"]]),
        ("GET", f"{MESSAGE}?peekonly=true", "Peek Messages", [["read"]]),
        ("DELETE", f"{MESSAGE}/1?popreceipt=x", "Delete Message", [["process/action"], ["delete"]]),
        ("PUT", f"{MESSAGE}/1?popreceipt=x", "Update Message", [["write"]]),
    ],
)
def test_a_call_to_messages_needs_the_actions_of_the_list(method, target, operation, groups):
    need = queue_need(read(method, target))
    found = [[action.removeprefix(f"{MESSAGES}/") for action in group] for group in need.groups]
    assert (need.operation, found) == (operation, groups)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "?restype=account&comp=properties"),
        ("GET", "/lake?restype=account&comp=properties"),
        ("GET", "/lake?restype=container&comp=acl"),
        ("POST", "?comp=batch"),
        ("GET", "/lake/a?comp=tags"),
        ("PATCH", "/lake/a"),
        ("PUT", "/lake?resource=filesystem"),
    ],
)
def test_a_call_that_takes_no_token_or_is_not_known_is_refused(method, target):
    with pytest.raises(StorageError) as refused:
        blob_need(read(method, HOME + target))
    assert (refused.value.status, refused.value.code) == (403, "AuthorizationFailure")


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/lake/a%20b/%C3%A4+.json", Place("lake", "a b/ä+.json")),
        ("/lake%2Fplans/x", Place("lake", "plans/x")),
        ("/lake/exports%5Cx", Place("lake", "exports/x")),
        ("/lake//x", Place("lake", "/x")),
    ],
)
def test_a_path_is_read_as_the_service_behind_reads_it(target, place):
    assert read("GET", HOME + target).place == place


@pytest.mark.parametrize(
    "target",
    [
        "/another/lake/x",
        f"{HOME}/lake/exports/../plans/x",
        f"{HOME}/lake/exports/%2e%2e/plans/x",
        f"{HOME}/lake/exports/..%5Cplans/x",
        f"{HOME}/lake?restype=container&comp=list&prefix=exports/&prefix=plans/",
        f"{HOME}/lake?restype=container&comp=list&PREFIX=plans/",
        f"{HOME}/lake?restype=container&comp=list&prefix[]=plans/",
        f"{HOME}/lake?restype=container&comp=list&{'x=1&' * 1000}prefix=exports/",
        f"/{HOME}/lake/x",
        f"{HOME}/lake/migrations/m/plan.json#/tables/T/start-0-1/x",
    ],
)
def test_what_the_service_behind_could_read_otherwise_is_refused(target):
    with pytest.raises(StorageError) as refused:
        read("GET", target)
    assert refused.value.status == 400


def test_a_copy_has_a_source():
    call = read(
        "PUT", f"{HOME}/lake/b", x_ms_copy_source=f"https://127.0.0.1:1{HOME}/lake/plans/a%20b?snapshot=1"
    )
    assert call.source == Place("lake", "plans/a b")
