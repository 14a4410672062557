import json
import re

from localcloud.common.checkout import CHECKOUT
from localcloud.common.principals import APP, SPARK
from localcloud.cosmos.data_plane.rights import ASSIGNED, ROLES, Assignment

INFRA = CHECKOUT / "infra"
ASSIGNMENT = re.compile(
    r"principalId: (\w+)\n +roleDefinitionId: '\$\{account\.id\}/sqlRoleDefinitions/\$\{(\w+)\}'\n +scope: (\S+)\n"
)
IDENTITIES = {"appPrincipalId": APP, "sparkPrincipalId": SPARK}
SCOPES = {"account.id": "/"}


def test_the_assignments_are_those_of_the_deployment():
    found = ASSIGNMENT.findall((INFRA / "modules" / "cosmos.bicep").read_text())
    deployed = [
        Assignment(IDENTITIES[who].object_id, ROLES[role], SCOPES[scope]) for who, role, scope in found
    ]
    assert deployed == list(ASSIGNED)


def test_the_roles_are_those_that_the_deployment_names():
    assert json.loads((INFRA / "roles.json").read_text())["dataPlane"].keys() == ROLES.keys()
