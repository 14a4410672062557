"""The actions that each call to blobs and queues needs, by Microsoft's list; a call that is not in it is refused.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-calling-data-operations
"""

from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.lake.access.calls import Call
from localcloud.lake.access.refusals import not_supported

BLOB_SERVICE = "Microsoft.Storage/storageAccounts/blobServices"
CONTAINERS = f"{BLOB_SERVICE}/containers"
BLOBS = f"{CONTAINERS}/blobs"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
MESSAGES = f"{QUEUES}/messages"
LISTING = "Blob.List"


@dataclass(frozen=True)
class Need:
    """What a call needs: all actions of one of these groups.

    Attributes:
        operation: the call's name in the list.
        groups: of actions.
        suboperation: what conditions call it, or empty.
    """

    operation: str
    groups: tuple[tuple[str, ...], ...]
    suboperation: str = ""


def _any(operation: str, *actions: str) -> Need:
    return Need(operation, tuple((action,) for action in actions))


# Whether a blob is there already is not known before the call: whoever may only add could replace one here.
WRITE_OR_ADD = (f"{BLOBS}/write", f"{BLOBS}/add/action")
Key = tuple[str, str, str]
# By method, restype and comp.
OF_BLOB_SERVICE: Mapping[Key, Need] = {
    ("GET", "", "list"): _any("List Containers", f"{CONTAINERS}/read"),
    ("GET", "service", "properties"): _any("Get Blob Service Properties", f"{BLOB_SERVICE}/read"),
    ("POST", "service", "userdelegationkey"): _any(
        "Get User Delegation Key", f"{BLOB_SERVICE}/generateUserDelegationKey/action"
    ),
}
OF_CONTAINER: Mapping[Key, Need] = {
    ("PUT", "container", ""): _any("Create Container", f"{CONTAINERS}/write"),
    ("GET", "container", ""): _any("Get Container Properties", f"{CONTAINERS}/read"),
    ("GET", "container", "metadata"): _any("Get Container Metadata", f"{CONTAINERS}/read"),
    ("PUT", "container", "metadata"): _any("Set Container Metadata", f"{CONTAINERS}/write"),
    ("PUT", "container", "lease"): _any("Lease Container", f"{CONTAINERS}/write"),
    ("DELETE", "container", ""): _any("Delete Container", f"{CONTAINERS}/delete"),
    ("GET", "container", "list"): Need("List Blobs", ((f"{BLOBS}/read",),), LISTING),
}
OF_BLOB: Mapping[Key, Need] = {
    ("PUT", "", ""): _any("Put Blob", *WRITE_OR_ADD),
    ("GET", "", ""): _any("Get Blob", f"{BLOBS}/read"),
    ("DELETE", "", ""): _any("Delete Blob", f"{BLOBS}/delete"),
    ("PUT", "", "properties"): _any("Set Blob Properties", f"{BLOBS}/write"),
    ("GET", "", "metadata"): _any("Get Blob Metadata", f"{BLOBS}/read"),
    ("PUT", "", "metadata"): _any("Set Blob Metadata", f"{BLOBS}/write"),
    ("PUT", "", "lease"): _any("Lease Blob", f"{BLOBS}/write"),
    ("PUT", "", "snapshot"): _any("Snapshot Blob", *WRITE_OR_ADD),
    ("PUT", "", "copy"): _any("Abort Copy Blob", f"{BLOBS}/write"),
    ("PUT", "", "block"): _any("Put Block", f"{BLOBS}/write"),
    ("PUT", "", "blocklist"): _any("Put Block List", f"{BLOBS}/write"),
    ("GET", "", "blocklist"): _any("Get Block List", f"{BLOBS}/read"),
    ("PUT", "", "appendblock"): _any("Append Block", *WRITE_OR_ADD),
}
# https://learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/filesystem/get-properties
FILE_SYSTEM = _any("Get Filesystem Properties", f"{CONTAINERS}/read")
COPIED = _any("Copy Blob, its source", f"{BLOBS}/read")
# An account of queues, by method and comp; queues likewise.
OF_QUEUES: Mapping[Key, Need] = {("GET", "", "list"): _any("List Queues", f"{QUEUES}/read")}
OF_QUEUE: Mapping[Key, Need] = {
    ("PUT", "", ""): _any("Create Queue", f"{QUEUES}/write"),
    ("DELETE", "", ""): _any("Delete Queue", f"{QUEUES}/delete"),
    ("GET", "", "metadata"): _any("Get Queue Metadata", f"{QUEUES}/read"),
    ("PUT", "", "metadata"): _any("Set Queue Metadata", f"{QUEUES}/write"),
}
OF_MESSAGES: Mapping[str, Need] = {
    "POST": _any("Put Message", f"{MESSAGES}/add/action", f"{MESSAGES}/write"),
    "GET": Need(
        "Get Messages", ((f"{MESSAGES}/process/action",), (f"{MESSAGES}/delete", f"{MESSAGES}/read"))
    ),
    "DELETE": _any("Clear Messages", f"{MESSAGES}/delete"),
}
PEEKED = _any("Peek Messages", f"{MESSAGES}/read")
OF_MESSAGE: Mapping[str, Need] = {
    "DELETE": _any("Delete Message", f"{MESSAGES}/process/action", f"{MESSAGES}/delete"),
    "PUT": _any("Update Message", f"{MESSAGES}/write"),
}


def blob_need(call: Call) -> Need:
    """Return what a call to the blob service needs.

    Raises:
        StorageError: 403, if it is none that is known here.
    """
    if call.words == {"resource": "filesystem"} and not call.place.inner and call.method == "GET":
        return FILE_SYSTEM
    inner = OF_BLOB if call.place.inner else OF_CONTAINER
    return _found(inner if call.place.outer else OF_BLOB_SERVICE, call)


def queue_need(call: Call) -> Need:
    """Return what a call to the queue service needs.

    Raises:
        StorageError: 403, if it is none that is known here.
    """
    messages, _, message = call.place.inner.partition("/")
    if not messages:
        return _found(OF_QUEUE if call.place.outer else OF_QUEUES, call)
    if call.words.get("peekonly") == "true":
        return PEEKED
    need = (OF_MESSAGE if message else OF_MESSAGES).get(call.method)
    if messages != "messages" or need is None:
        raise _unknown(call)
    return need


def _found(needs: Mapping[Key, Need], call: Call) -> Need:
    need = needs.get((call.method, call.words.get("restype", ""), call.words.get("comp", "")))
    if need is None:
        raise _unknown(call)
    return need


def _unknown(call: Call) -> Exception:
    words = " ".join(f"{name}={value[:40]}" for name, value in call.words.items())
    return not_supported(f"{call.method} {words} is not available with a token here".replace("  ", " "))
