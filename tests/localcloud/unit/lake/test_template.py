"""The roles of the local lake, against those that infra/ assigns and docs/ describes."""

import json
import re

from localcloud.common.principals import APP, FACTORY, PLAN_WRITER, SPARK
from localcloud.lake.access.rights import ASSIGNED, BUILT_IN
from tests.unit.infra.bicep import INFRA
from tests.unit.pages import text_of

TABLE = json.loads((INFRA / "roles.json").read_text())
TEMPLATE = (INFRA / "modules" / "lake.bicep").read_text()
NAMES = {APP: "app", FACTORY: "factory", SPARK: "spark"}
# With it Unity Catalog reaches the lake in Spark's place; a user is given a role by hand.
NOT_HERE, BY_HAND = "connector", {PLAN_WRITER}


def test_the_local_lake_assigns_the_roles_that_the_template_assigns():
    in_template = {
        (
            re.search(r"principalId: (\w+)PrincipalId", each)[1],
            re.search(r"roles\.(\w+)\.id", each)[1],
            "" if "scope: account\n" in each else "lake",
            next(iter(re.findall(r"pathConditions \? (\w+)Condition", each)), ""),
        )
        for each in re.findall(
            r"resource \w+ 'Microsoft\.Authorization/roleAssignments@.*?\n}\n", TEMPLATE, re.DOTALL
        )
    }
    here = {
        (NAMES[each.principal], each.role, each.scope, each.condition)
        for each in ASSIGNED
        if each.principal not in BY_HAND
    }
    assert here == {each for each in in_template if each[0] != NOT_HERE}


def test_every_condition_is_set_by_the_template_or_told_to_whoever_gives_the_role():
    page = text_of("install/permissions.md")
    for name in TABLE["lakeConditions"]:
        assert f"join(tables.lakeConditions.{name}, ' ')" in TEMPLATE or f".lakeConditions.{name} " in page


def test_the_roles_are_those_of_the_table():
    assert BUILT_IN.keys() <= TABLE["builtIn"].keys()
