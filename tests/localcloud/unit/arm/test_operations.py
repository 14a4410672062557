import re

import pytest

from localcloud.arm.operations import ACCOUNT_LIST, FACTORY_LIST, METRICS_LIST, NEEDS, action_of, scope_of
from localcloud.cosmos.management_plane.account_calls import AccountCalls
from localcloud.cosmos.management_plane.container_calls import CosmosCalls
from localcloud.cosmos.management_plane.metric_calls import MetricCalls
from localcloud.data_factory.api.definition_calls import DefinitionCalls
from localcloud.data_factory.api.run_calls import FactoryCalls

ROUTES = [
    *AccountCalls(None, "").routes(),
    *CosmosCalls(None, None, None, 0).routes(),
    *DefinitionCalls(None).routes(),
    *FactoryCalls(None, None, None).routes(),
    *MetricCalls(None, 0).routes(),
]
FACTORY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f"
ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DocumentDB/databaseAccounts/a"


def test_it_is_known_of_every_call_and_of_no_other_what_it_needs():
    assert NEEDS.keys() == {route.operation for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_the_table_agrees_with_the_paths(route):
    need = NEEDS[route.operation]
    path = re.sub(r"\(\?P<collection>(\w+)\)", r"\1", route.path)
    if need.actions:
        assert need.actions[0].lower() == action_of(route.method, path).lower()
        lists = {"DataFactory": FACTORY_LIST, "insights": METRICS_LIST, "DocumentDB": ACCOUNT_LIST}
        assert need.source == next(source for name, source in lists.items() if name in route.path)


@pytest.mark.parametrize("operation", [route.operation for route in ROUTES if "Query" in route.operation])
def test_a_query_needs_the_right_to_read_its_result_too(operation):
    query, result = NEEDS[operation].actions
    assert result == query.replace("/action", "/read")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (FACTORY, FACTORY),
        (f"{FACTORY}/pipelines/p/createRun", f"{FACTORY}/pipelines/p"),
        (f"{FACTORY}/queryPipelineRuns", FACTORY),
        (f"{ACCOUNT}/sqlDatabases", ACCOUNT),
        (f"{ACCOUNT}/sqlDatabases/d/containers/c", f"{ACCOUNT}/sqlDatabases/d/containers/c"),
    ],
)
def test_a_call_is_about_the_resource_that_its_path_names_last(path, scope):
    assert scope_of(path) == scope
