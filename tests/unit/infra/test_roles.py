"""The table of roles in infra/, the page on permissions and the calls of the clients say the same."""

import json
import re

from d2c.clients.azure.factory_definitions import COLLECTIONS

from ..pages import codes, table_rows, text_of
from .bicep import FILES, INFRA

PAGE = text_of("install/permissions.md")
ROLES = json.loads((INFRA / "roles.json").read_text())
FACTORY = "Microsoft.DataFactory/factories"
ACCOUNT = "Microsoft.DocumentDB/databaseAccounts"
OF_WHOEVER_DEPLOYS = "azure.factory_definitions"
# The service asks for the result's right beside that of the action; nothing else is called so.
# https://learn.microsoft.com/azure/role-based-access-control/permissions/analytics#microsoftdatafactory
READS_OF_RESULTS = {
    f"{FACTORY}/querypipelineruns/read",
    f"{FACTORY}/pipelineruns/queryactivityruns/read",
    f"{FACTORY}/pipelineruns/activityruns/read",
}


def test_every_role_has_one_id_and_is_used():
    roles = {**ROLES["builtIn"], **ROLES["dataPlane"]}
    ids = [role["id"] for role in roles.values()]
    assert len(set(ids)) == len(ids)
    used = {name for path in FILES for name in re.findall(r"\.(\w+)\.id\b", path.read_text())}
    assert roles.keys() <= used


def test_no_module_names_a_role_by_an_id_of_its_own():
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    assert [path.name for path in FILES if uuid.search(path.read_text())] == []


def action_of(provider, method, path):
    """Return the action that Azure Resource Manager asks for, given what follows a resource's name in a path."""
    # What extends a resource has a provider of its own.
    provider = "Microsoft.Insights" if "/providers/microsoft.insights/" in path else provider
    path = path.removeprefix("/providers/microsoft.insights")
    kinds = [part for part in path.split("/") if part and part != "default" and not part.startswith("{")]
    verb = {"GET": "read", "PUT": "write", "DELETE": "delete", "POST": "action"}[method]
    return "/".join([provider, *kinds, verb])


def calls(heading, provider):
    """Return the actions of the app's calls on the page of outside calls, which a test holds to the clients' source."""
    pattern = re.compile(rf"`(\w+) …/{provider.rpartition('/')[2]}/\{{name\}}([^`]*)`")
    requests = {
        request
        for call, request, *_ in table_rows(text_of("develop/outside-calls.md"), heading)
        if not call.startswith(f"`{OF_WHOEVER_DEPLOYS}:")
    }
    return {action_of(provider, *match.groups()) for match in map(pattern.match, requests) if match}


def test_the_role_in_the_factory_allows_the_calls_that_the_app_makes_and_no_other():
    called = {action.lower() for action in calls("## Data Factory", FACTORY)}
    # The check looks at every kind of a definition; only whoever deploys writes them.
    called |= {f"{FACTORY}/{collection}/read".lower() for collection in COLLECTIONS.values()}
    allowed = {action.lower() for action in ROLES["custom"]["runsCopies"]["actions"]}
    assert allowed == called | {action.lower() for action in READS_OF_RESULTS}


def test_the_role_in_the_account_allows_the_calls_that_the_app_makes_and_no_other():
    called = calls("## Cosmos DB", ACCOUNT)
    # Changes go on after the call that asks for them.
    results = {
        action.replace("/write", "/operationResults/read") for action in called if action.endswith("/write")
    }
    listings = {f"{ACCOUNT}/sqlDatabases/containers/read"}
    assert set(ROLES["custom"]["managesContainers"]["actions"]) == called | results | listings


def test_no_role_of_ours_deletes_anything_or_reads_a_key():
    actions = [action for role in ROLES["custom"].values() for action in role["actions"]]
    assert [action for action in actions if re.search(r"delete|key|\*|connectionstring", action, re.I)] == []


def test_the_page_lists_the_actions_of_both_roles():
    rows = [cells for cells in table_rows(PAGE, "## The app in Azure") if len(cells) == 2]
    listed = {action for cells in rows for action in codes(cells[0])}
    assert listed == {action for role in ROLES["custom"].values() for action in role["actions"]}
