"""Role assignments in infra/, the page on permissions and the calls of the clients say the same."""

import json
import re

import pytest

from d2c.clients.azure.factory_definitions import COLLECTIONS

from ..pages import codes, table_rows, text_of
from .bicep import FILES, INFRA, Bicep

PAGE = text_of("install/permissions.md")
ROLES = {key: role["name"] for key, role in json.loads((INFRA / "roles.json").read_text()).items()}
MODULES = {path.stem: Bicep(path) for path in FILES}
SECTIONS = {
    "appPrincipalId": "## The app in Azure",
    "factoryPrincipalId": "## Data Factory",
    "sparkPrincipalId": "## Spark",
    "connectorPrincipalId": "## Spark",
}
# Scopes by module and symbol, in the words of the page.
PLACES = {
    ("lake", "account::blobs::files"): "the lake's file system",
    ("lake", "account"): "the lake's account",
    ("host_storage", "account"): "the host's storage account",
    ("data_factory", "factory"): "the data factory",
    ("key_vault", "vault"): "the vault",
    ("cosmos", "account"): "the Cosmos DB account",
    ("durable_task", "scheduler::hub"): "the task hub",
    ("monitoring", "insights"): "Application Insights",
}
CUSTOM = "d2c runs copies"
DATA_PLANE = {
    "dataReader": "Cosmos DB Built-in Data Reader (data plane)",
    "dataContributor": "Cosmos DB Built-in Data Contributor (data plane)",
}
ASSIGNMENT = re.compile(r"resource \w+ '([\w./]+)@[^']+' = (?:\[for|if|\{).*?^\}", re.MULTILINE | re.DOTALL)


def assignments():
    """Return who gets which role on what, as the modules assign them."""
    found = set()
    for module, bicep in MODULES.items():
        for match in ASSIGNMENT.finditer(bicep.text):
            if not match[1].lower().endswith("roleassignments"):
                continue
            body = match[0]
            principal = re.search(r"principalId: (\w+)", body)[1]
            if match[1].endswith("sqlRoleAssignments"):
                role, scope = DATA_PLANE[re.search(r"sqlRoleDefinitions/\$\{(\w+)\}", body)[1]], "account"
                found.add((SECTIONS[principal], role, PLACES[module, scope]))
                continue
            scope = re.search(r"^  scope: ([\w:]+)$", body, re.MULTILINE)[1]
            for role in roles_in(body, bicep.text):
                found.add((SECTIONS[principal], role, PLACES[module, scope]))
    return found


def roles_in(body, text):
    definition = re.search(r"roleDefinitionId: (.+)", body)[1]
    if "runsCopies" in definition:
        return [CUSTOM]
    if "roles." in definition:
        return [ROLES[re.search(r"roles\.(\w+)\.id", definition)[1]]]
    # Several at once: the list that the loop goes through.
    listed = re.search(r"^var appRoleIds = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)[1]
    return [ROLES[key] for key in re.findall(r"roles\.(\w+)\.id", listed)]


def rows_of_page():
    found = set()
    for section in dict.fromkeys(SECTIONS.values()):
        for cells in table_rows(PAGE, section):
            if len(cells) != 3 or "`" in cells[0] or cells[0] == "READ":
                continue
            role = cells[0].removesuffix(" (custom role)")
            place = re.split(r" with the secret|, or its database", cells[1])[0]
            found.add((section, role, place))
    return found


def test_the_roles_that_are_assigned_are_those_on_the_page():
    assert assignments() == rows_of_page()


def test_every_role_has_one_id_and_is_used():
    content = json.loads((INFRA / "roles.json").read_text())
    ids = [role["id"] for role in content.values()]
    assert len(set(ids)) == len(ids)
    used = {key for bicep in MODULES.values() for key in re.findall(r"roles\.(\w+)\.id", bicep.text)}
    assert used == set(content)


def test_no_module_names_a_role_by_an_id_of_its_own():
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    found = {match for bicep in MODULES.values() for match in uuid.findall(bicep.text)}
    assert found == {"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"}


def allowed_actions():
    text = MODULES["data_factory"].text
    listed = re.search(r"^ +actions: \[(.*?)\]", text, re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"'([^']+)'", listed))


FACTORY = "Microsoft.DataFactory/factories"


def action_of(method, path):
    """Return the action that Azure Resource Manager asks for, given what follows the factory's name in a path."""
    kinds = [part for part in path.lower().split("/") if part and not part.startswith("{")]
    verb = {"GET": "read", "PUT": "write", "DELETE": "delete", "POST": "action"}[method]
    return "/".join([FACTORY, *kinds, verb])


def calls_of_the_app():
    """Return the actions of the calls on the page of outside calls, which a test holds to the clients' source."""
    found = set()
    for call, request, *_ in table_rows(text_of("develop/outside-calls.md"), "## Data Factory"):
        method, path = re.search(r"`(\w+) …/factories/\{name\}([^`]*)`", request).groups()
        if call.startswith("`azure.data_factory:"):
            found.add(action_of(method, path))
    # The check looks at every kind of a definition; only whoever deploys writes them.
    return found | {action_of("GET", f"/{collection}/{{name}}") for collection in COLLECTIONS.values()}


def test_the_apps_own_role_allows_the_calls_that_the_app_makes_and_no_other():
    # The service asks for the read beside the action; nothing else is called so.
    assert allowed_actions() == calls_of_the_app() | {f"{FACTORY}/querypipelineruns/read"}


def test_the_page_lists_the_actions_of_the_apps_own_role():
    rows = [cells for cells in table_rows(PAGE, "## The app in Azure") if len(cells) == 2]
    assert {action for cells in rows for action in codes(cells[0])} == allowed_actions()


# Cosmos DB Operator has Microsoft.DocumentDB/databaseAccounts/* but for these.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/databases#cosmos-db-operator
NOT_OF_OPERATOR = (
    "readonlykeys",
    "regeneratekey",
    "listkeys",
    "listconnectionstrings",
    "sqlroledefinitions",
    "sqlroleassignments",
)


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        (row[0], row[1])
        for row in table_rows(text_of("develop/outside-calls.md"), "## Cosmos DB")
        if row[0].startswith("`cosmos_management:")
    ],
)
def test_cosmos_db_operator_allows_every_call_to_the_management_plane(call, request_):
    method, path = re.fullmatch(r"`(\w+) …/(.+)`", request_).groups()
    assert path.startswith("databaseAccounts/{name}"), call
    assert method in ("GET", "PUT", "POST")
    assert not [part for part in path.lower().split("/") if part in NOT_OF_OPERATOR]
