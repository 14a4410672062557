"""The roles of the identities in the lake's account, and the check of a call against them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.common.assignments import remember
from localcloud.common.names import LAKE_FILE_SYSTEM
from localcloud.common.principals import APP, FACTORY, PLAN_WRITER, SPARK, Principal
from localcloud.lake.access.calls import Call, Place
from localcloud.lake.access.conditions import Asked, parse
from localcloud.lake.access.operations import (
    BLOB_SERVICE,
    BLOBS,
    CONTAINERS,
    COPIED,
    LISTING,
    MESSAGES,
    QUEUES,
    Need,
)
from localcloud.lake.access.refusals import not_allowed

ACCOUNT_SCOPE = ""
# Their actions and data actions.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "storageBlobDataContributor": (
        f"{CONTAINERS}/delete",
        f"{CONTAINERS}/read",
        f"{CONTAINERS}/write",
        f"{BLOB_SERVICE}/generateUserDelegationKey/action",
        f"{BLOBS}/delete",
        f"{BLOBS}/read",
        f"{BLOBS}/write",
        f"{BLOBS}/move/action",
        f"{BLOBS}/add/action",
    ),
    "storageQueueDataContributor": (
        f"{QUEUES}/delete",
        f"{QUEUES}/read",
        f"{QUEUES}/write",
        f"{MESSAGES}/delete",
        f"{MESSAGES}/read",
        f"{MESSAGES}/write",
        f"{MESSAGES}/process/action",
    ),
}


@dataclass(frozen=True)
class Assignment:
    """A role that a principal has: its name, the container it is for or the account, and the name of its condition."""

    principal: Principal
    role: str
    scope: str = ACCOUNT_SCOPE
    condition: str = ""


# As infra/modules/lake.bicep assigns them; Spark's is that of its service principal, with which the cluster reaches the
# lake. The plan writer is a user as docs/install/permissions.md describes one.
ASSIGNED = (
    Assignment(APP, "storageBlobDataContributor", LAKE_FILE_SYSTEM),
    Assignment(APP, "storageQueueDataContributor"),
    Assignment(FACTORY, "storageBlobDataContributor", LAKE_FILE_SYSTEM, "factory"),
    Assignment(SPARK, "storageBlobDataContributor", LAKE_FILE_SYSTEM, "spark"),
    Assignment(PLAN_WRITER, "storageBlobDataContributor", LAKE_FILE_SYSTEM, "planWriter"),
)


class Rights:
    """Checks calls.

    Args:
        roles: the file with the conditions that the deployment sets.
        built_in: the actions of the roles.

    Raises:
        ConditionError: if a condition has a form that is not known here.
    """

    def __init__(self, roles: Path, built_in: Mapping[str, tuple[str, ...]] = BUILT_IN) -> None:
        lines: Mapping[str, list[str]] = json.loads(roles.read_bytes())["lakeConditions"]
        self._conditions = {name: parse(" ".join(text)) for name, text in lines.items()}
        self._built_in = built_in
        self.asked: list[dict[str, Any]] = []

    def check(self, caller: Principal, call: Call, need: Need) -> None:
        """Refuse a call that the caller's roles do not allow, and remember what it asked for.

        Raises:
            StorageError: 403.
        """
        self._check(caller, need, call.place, call.words.get("prefix"))
        if call.source:
            self._check(caller, COPIED, call.source, None)

    def _check(self, caller: Principal, need: Need, place: Place, prefix: str | None) -> None:
        is_listing = need.suboperation == LISTING
        path = None if is_listing else place.inner or None

        def allows(action: str) -> bool:
            asked = Asked(action, need.suboperation, path, (prefix or "") if is_listing else None)
            return self._allows(caller, asked, place.outer)

        granted = next((group for group in need.groups if all(map(allows, group))), None)
        remember(
            self.asked,
            object_id=caller.object_id,
            operation=need.operation,
            actions=list(granted or need.groups[0]),
            allowed=granted is not None,
        )
        if granted is None:
            raise not_allowed()

    def _allows(self, caller: Principal, asked: Asked, scope: str) -> bool:
        mine = (each for each in ASSIGNED if each.principal.object_id == caller.object_id)
        return any(self._grants(each, asked, scope) for each in mine)

    def _grants(self, assignment: Assignment, asked: Asked, scope: str) -> bool:
        if assignment.scope not in (ACCOUNT_SCOPE, scope):
            return False
        if asked.action not in self._built_in[assignment.role]:
            return False
        return not assignment.condition or self._conditions[assignment.condition](asked)
