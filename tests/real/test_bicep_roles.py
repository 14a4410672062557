"""Who gets which role on what, by the compiled templates, and by the page on permissions."""

import json
import re

import pytest

from d2c.state import paths
from tests.real.conftest import COMBINATIONS, GIVEN_CONTAINER_ROLE, GIVEN_COPY_ROLE, SPARK
from tests.real.tools import needs
from tests.unit.infra.bicep import INFRA
from tests.unit.pages import table_rows, text_of

pytestmark = needs("bicep")
ROLES = json.loads((INFRA / "roles.json").read_text())
CUSTOM = {key: role["name"] for key, role in ROLES["custom"].items()}
GIVEN = {GIVEN_COPY_ROLE: CUSTOM["runsCopies"], GIVEN_CONTAINER_ROLE: CUSTOM["managesContainers"]}
NAMES = {role["id"]: role["name"] for role in ROLES["builtIn"].values()} | GIVEN
DATA_PLANE = {role["id"]: f"{role['name']} (data plane)" for role in ROLES["dataPlane"].values()}
APP, FACTORY, CONNECTOR = "/userAssignedIdentities/id-d2c-", "/factories/adf-", "/accessConnectors/dbac-"
# Whose principal id is made of what, and the section of the page with its rights.
SECTIONS = {
    APP: "## The app in Azure",
    FACTORY: "## Data Factory",
    CONNECTOR: "## Spark",
    SPARK["D2C_SPARK_PRINCIPAL_ID"]: "## Spark",
}
# How a scope's id ends, in the words of the page.
PLACES = {
    r"/containers/lake": "the lake's file system",
    r"/storageAccounts/stlake\w+": "the lake's account",
    r"/storageAccounts/sthost\w+": "the host's storage account",
    r"/factories/[\w-]+": "the data factory",
    r"/vaults/[\w-]+": "the vault",
    r"/databaseAccounts/[\w-]+": "the Cosmos DB account",
    r"/taskHubs/\w+": "the task hub",
    r"/components/[\w-]+": "Application Insights",
}
ONLY_WITH = {
    "Durable Task Data Contributor": "D2C_DURABLE_PROVIDER",
    "Key Vault Secrets User": "D2C_AWS_ACCESS_KEY_ID",
}


def of_one(table, text, find):
    (value,) = [value for key, value in table.items() if find(key, text)]
    return value


def section_of(assignment):
    return of_one(SECTIONS, assignment["properties"]["principalId"], lambda key, text: key in text)


def place_of(scope):
    return of_one(PLACES, scope, lambda key, text: re.search(f"{key}$", text))


def assignments(snapshot):
    """Return who gets which role on what."""
    made = {
        each["name"]: each["properties"]["roleName"].partition(" (")[0]
        for each in snapshot.of_type("Microsoft.Authorization/roleDefinitions")
    }
    for each in snapshot.of_type("Microsoft.Authorization/roleAssignments"):
        role = each["properties"]["roleDefinitionId"].rpartition("/")[2]
        scope = each["id"].partition("/providers/Microsoft.Authorization/")[0]
        yield section_of(each), (NAMES | made)[role], place_of(scope)
    for each in snapshot.of_type("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"):
        role = each["properties"]["roleDefinitionId"].rpartition("/")[2]
        yield section_of(each), DATA_PLANE[role], place_of(each["properties"]["scope"])


def rows_of_page():
    for section in dict.fromkeys(SECTIONS.values()):
        for cells in table_rows(text_of("install/permissions.md"), section):
            # Rights in Databricks are no roles.
            if len(cells) == 3 and not cells[0].startswith(("`", "READ")):
                role = re.sub(r" \(custom role\)|, below `.*", "", cells[0])
                yield section, role, re.split(r" with the secret|, or its database", cells[1])[0]


def test_every_role_that_is_assigned_is_on_the_page(snapshot):
    found = list(assignments(snapshot))
    assert set(found) <= set(rows_of_page())
    spark_twice = sum(section == "## Spark" for section, *_ in found)
    assert len(found) - spark_twice == len({each for each in found if each[0] != "## Spark"})


def test_every_role_on_the_page_is_assigned_where_its_part_is_deployed(snapshot_of):
    found = {each for name in COMBINATIONS for each in assignments(snapshot_of(name))}
    assert found == set(rows_of_page())


@pytest.mark.parametrize("role", ONLY_WITH)
def test_a_role_is_assigned_with_its_service_only(role, combination, snapshot):
    has_role = role in {name for _, name, _ in assignments(snapshot)}
    assert has_role == (ONLY_WITH[role] in COMBINATIONS[combination])


def test_the_roles_that_are_created_have_the_actions_of_the_table(combination, snapshot):
    created = {
        each["properties"]["roleName"].partition(" (")[0]: each["properties"]["permissions"]
        for each in snapshot.of_type("Microsoft.Authorization/roleDefinitions")
    }
    table = {
        role["name"]: [
            {"actions": role["actions"], "notActions": [], "dataActions": [], "notDataActions": []}
        ]
        for role in ROLES["custom"].values()
    }
    assert created == ({} if "D2C_COPY_ROLE" in COMBINATIONS[combination] else table)


def conditions(snapshot, principal):
    """Return the conditions of an identity's assignments on the lake's file system."""
    return [
        each["properties"].get("condition")
        for each in snapshot.of_type("Microsoft.Authorization/roleAssignments")
        if principal in each["properties"]["principalId"] and "/containers/lake/" in each["id"]
    ]


def allows(condition, action, path):
    """Return whether a condition lets an action through, with the path of a file or the prefix of a listing."""
    is_listing = action == "list"

    def holds(match):
        pattern = re.escape(match[3]).replace(r"\*", ".*")
        is_like = re.match(pattern + ("$" if match[2] == "StringLike" else ""), path) is not None
        # A listing has no path, and all else no prefix.
        return str(is_like and (match[1] == "prefix") == is_listing)

    text = re.sub(r"SubOperationMatches\{'Blob.List'\}", str(is_listing), condition)
    text = re.sub(
        r"ActionMatches\{'[\w./]+/blobs/([\w/]+)'\}",
        lambda match: str(match[1].removesuffix("/action") == ("read" if is_listing else action)),
        text,
    )
    text = re.sub(r"@\w+\[[\w./]+:(path|prefix)\] (String\w+) '([^']+)'", holds, text)
    for word, python in {"!": " not ", "AND": "and", "OR": "or", "NOT": "not"}.items():
        text = text.replace(word, python)
    assert re.fullmatch(r"[ ()]*((True|False|and|or|not)[ ()]*)+", text)
    return eval(text)


WRITES = ("write", "add", "delete", "move")
EXPORT = f"{paths.export_folder('music-1', 'Song', '1')}/data/a.json.gz"
RESULT = f"{paths.MigrationFiles('music-1').table('Song').load_folder('start-0', 1)}/result.json"
OTHERS = (
    "plans/music.json",
    "outbox/evt_1.json",
    paths.MigrationFiles("music-1").report_page,
    paths.MigrationFiles("music-1").plan,
)


def test_the_factory_writes_exports_and_reads_nothing_else(snapshot_of):
    (condition,) = conditions(snapshot_of("default"), FACTORY)
    for action in (*WRITES, "read", "list"):
        assert allows(condition, action, EXPORT)
        assert [path for path in (*OTHERS, RESULT) if allows(condition, action, path)] == []


@pytest.mark.parametrize("principal", [CONNECTOR, SPARK["D2C_SPARK_PRINCIPAL_ID"]])
def test_spark_writes_results_and_reads_all(snapshot_of, principal):
    (condition,) = conditions(snapshot_of("private networking"), principal)
    for action in WRITES:
        assert allows(condition, action, RESULT)
        assert [path for path in (*OTHERS, EXPORT) if allows(condition, action, path)] == []
    for action in ("read", "list"):
        assert all(allows(condition, action, path) for path in (EXPORT, RESULT))


def test_the_conditions_can_be_left_out_and_are_for_none_but_these(snapshot_of):
    assert conditions(snapshot_of("AWS roles"), FACTORY) == [None]
    assert conditions(snapshot_of("default"), APP) == [None]
