"""Who may do what: the roles, to whom they are assigned on which resource, and the check of a call against them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.operations import NEEDS, action_of, scope_of
from localcloud.common.assignments import Assignment, remember
from localcloud.common.names import COSMOS_ACCOUNT, DATA_FACTORY, RESOURCE_GROUP, SUBSCRIPTION_ID
from localcloud.common.principals import APP, DEPLOYER, OWNER, Principal

SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
PROVIDERS = f"{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers"
FACTORY = f"{PROVIDERS}/Microsoft.DataFactory/factories/{DATA_FACTORY}"
ACCOUNT = f"{PROVIDERS}/Microsoft.DocumentDB/databaseAccounts/{COSMOS_ACCOUNT}"
# What they allow of the calls that are here.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/analytics#data-factory-contributor
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged#owner
BUILT_IN = {"Data Factory Contributor": ("Microsoft.DataFactory/factories/*",), "Owner": ("*",)}
# The app's as infra/modules/data_factory.bicep and cosmos.bicep assign them, the deployer's as
# docs/install/permissions.md demands.
ASSIGNED = (
    (APP, "runsCopies", FACTORY),
    (APP, "managesContainers", ACCOUNT),
    (DEPLOYER, "Data Factory Contributor", FACTORY),
    (OWNER, "Owner", SUBSCRIPTION),
)


class Rights:
    """Checks calls.

    Args:
        roles: the file with the custom roles that the deployment makes. It is read at each call, so that a change of a
            role takes effect at once.
    """

    def __init__(self, roles: Path) -> None:
        self._roles = roles
        self.asked: list[dict[str, Any]] = []

    def check(self, caller: Principal, operation: str, path: str) -> None:
        """Refuse a call that the caller's roles do not allow, and remember what it asked for.

        Raises:
            ArmError: 403, with the first action that is missing.
        """
        self._check(caller, NEEDS[operation].actions, path)

    def check_other(self, caller: Principal, method: str, path: str) -> None:
        """Refuse a call that only Azure answers, such as one that deletes, if the caller's roles do not allow it.

        Raises:
            ArmError: 403, with the action that is missing.
        """
        if "/providers/" in path:
            self._check(caller, [action_of(method, path)], path)

    def _check(self, caller: Principal, actions: Iterable[str], path: str) -> None:
        scope, assignments = scope_of(path), self._assignments()
        for action in actions:
            allowed = any(each.allows(caller.object_id, action, scope.lower()) for each in assignments)
            remember(self.asked, object_id=caller.object_id, action=action, allowed=allowed)
            if not allowed:
                raise _refusal(caller, action, scope)

    def _assignments(self) -> list[Assignment]:
        custom = json.loads(self._roles.read_bytes())["custom"]
        actions: dict[str, Iterable[str]] = {name: role["actions"] for name, role in custom.items()}
        return [
            Assignment(principal.object_id, tuple((BUILT_IN | actions)[role]), scope.lower())
            for principal, role, scope in ASSIGNED
        ]


def _refusal(caller: Principal, action: str, scope: str) -> ArmError:
    """Return the answer to a call that is not allowed.

    https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    """
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
    )
