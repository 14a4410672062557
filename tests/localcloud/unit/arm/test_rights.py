import json
import re

import pytest

from localcloud.arm.errors import ArmError
from localcloud.arm.rights import ACCOUNT, FACTORY, Rights
from localcloud.cloud.services import ROLES
from localcloud.common.principals import APP, DEPLOYER, OWNER, Principal

STRANGER = Principal("client", "object")


def refusal(rights, caller, operation, path):
    with pytest.raises(ArmError) as refused:
        rights.check(caller, operation, path)
    assert (refused.value.status, refused.value.code) == (403, "AuthorizationFailed")
    return str(refused.value)


@pytest.mark.parametrize(
    ("caller", "operation", "path"),
    [
        (APP, "CreateRun", f"{FACTORY}/pipelines/copy_export/createRun"),
        (APP, "GetFactory", FACTORY.upper()),
        (APP, "PutThroughput", f"{ACCOUNT}/sqlDatabases/d/containers/c/throughputSettings/default"),
        (DEPLOYER, "PutFactory", FACTORY),
        (DEPLOYER, "PutLinkedService", f"{FACTORY}/linkedservices/lake"),
        (OWNER, "PutDatabaseThroughput", f"{ACCOUNT}/sqlDatabases/d/throughputSettings/default"),
        (
            STRANGER,
            "GetOperation",
            "/subscriptions/s/providers/Microsoft.DocumentDB/locations/l/operationsStatus/o",
        ),
    ],
)
def test_each_identity_may_do_what_its_roles_allow(caller, operation, path):
    Rights(ROLES).check(caller, operation, path)


@pytest.mark.parametrize(
    ("caller", "operation", "path"),
    [
        (APP, "PutLinkedService", f"{FACTORY}/linkedservices/lake"),
        (APP, "GetFactory", f"{FACTORY}-other"),
        (APP, "PutDatabaseThroughput", f"{ACCOUNT}/sqlDatabases/d/throughputSettings/default"),
        (DEPLOYER, "GetAccount", ACCOUNT),
        (STRANGER, "GetFactory", FACTORY),
    ],
)
def test_and_nothing_else(caller, operation, path):
    assert caller.object_id in refusal(Rights(ROLES), caller, operation, path)


def test_a_refusal_has_the_words_of_resource_manager():
    path = f"{FACTORY}/pipelines/copy_export"
    assert refusal(Rights(ROLES), APP, "PutPipeline", path) == (
        f"The client '{APP.client_id}' with object id '{APP.object_id}' does not have authorization to perform action "
        f"'Microsoft.DataFactory/factories/pipelines/write' over scope '{path}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials."
    )


def test_it_is_remembered_who_asked_for_what_and_each_once():
    rights = Rights(ROLES)
    for _ in range(2):
        rights.check(APP, "GetAccount", ACCOUNT)
        refusal(rights, DEPLOYER, "GetAccount", ACCOUNT)
    action = "Microsoft.DocumentDB/databaseAccounts/read"
    assert rights.asked == [
        {"object_id": APP.object_id, "action": action, "allowed": True},
        {"object_id": DEPLOYER.object_id, "action": action, "allowed": False},
    ]


@pytest.mark.parametrize(
    ("role", "module", "resource"),
    [("runsCopies", "data_factory.bicep", "factory"), ("managesContainers", "cosmos.bicep", "account")],
)
def test_the_deployment_assigns_the_apps_roles_on_the_same_resources(role, module, resource):
    text = (ROLES.parent / "modules" / module).read_text()
    assert f"custom.{role}" in text
    assert re.findall(r"roleAssignments@\S+ = \{\s+name: .*\s+scope: (\w+)", text) == [resource]


def test_a_change_of_a_role_takes_effect_at_once(tmp_path):
    path = tmp_path / "roles.json"
    table = json.loads(ROLES.read_text())
    path.write_text(json.dumps(table))
    rights = Rights(path)
    rights.check(APP, "GetAccount", ACCOUNT)
    table["custom"]["managesContainers"]["actions"] = []
    path.write_text(json.dumps(table))
    refusal(rights, APP, "GetAccount", ACCOUNT)
