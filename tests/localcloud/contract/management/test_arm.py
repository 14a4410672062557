import json
import shutil

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.mgmt.datafactory import DataFactoryManagementClient

from d2c.clients.azure.cosmos.management import connect_cosmos_management
from d2c.clients.azure.data_factory import connect_data_factory
from d2c.errors import PermanentError, TransientError
from localcloud.cloud.processes import ServiceFailedError
from localcloud.common.names import COSMOS_ACCOUNT, DATA_FACTORY, RESOURCE_GROUP, SUBSCRIPTION_ID
from tests.localcloud.contract.management.conftest import (
    ADF,
    Management,
    arguments_of,
    connected,
    factory_path,
    group_path,
    settings,
)

VERSION = "?api-version=2018-06-01"
WINDOW = {"lastUpdatedAfter": "2020-01-01T00:00:00Z", "lastUpdatedBefore": "2100-01-01T00:00:00Z"}
COSMOS_PATH = f"{group_path()}/Microsoft.DocumentDB/databaseAccounts/{COSMOS_ACCOUNT}/sqlDatabases"


def test_a_wrong_token_is_refused_by_both_services(management):
    wrong = settings(management.service.url, "another token")
    with pytest.raises(PermanentError, match="rejected the app's identity"):
        connected(connect_data_factory, wrong).get_run("any")
    with pytest.raises(PermanentError, match="rejected the app's identity"):
        connected(connect_cosmos_management, wrong).create_database("any")
    client = DataFactoryManagementClient(**arguments_of(wrong))
    with pytest.raises(ClientAuthenticationError, match="InvalidAuthenticationToken"):
        client.pipeline_runs.get(RESOURCE_GROUP, DATA_FACTORY, "any")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/subscriptions/0/resourceGroups/{RESOURCE_GROUP}", 400, "NotSupportedHere"),
        ("GET", f"{factory_path()}/pipelineruns/x", 404, "PipelineRunNotFound"),
        (
            "GET",
            f"{factory_path().replace(SUBSCRIPTION_ID, '0')}/pipelineruns/x",
            404,
            "SubscriptionNotFound",
        ),
        (
            "GET",
            f"{factory_path().replace('/local/', '/other/')}/pipelineruns/x",
            404,
            "ResourceGroupNotFound",
        ),
        ("GET", f"{factory_path()}-other/pipelineruns/x", 404, "ResourceNotFound"),
        ("GET", f"{factory_path()}/triggers", 400, "NotSupportedHere"),
        ("GET", COSMOS_PATH.replace(COSMOS_ACCOUNT, "other"), 404, "ResourceNotFound"),
        ("DELETE", f"{COSMOS_PATH}/shop", 400, "NotSupportedHere"),
        ("GET", f"{COSMOS_PATH}/nowhere", 404, "NotFound"),
    ],
)
def test_what_is_not_here_is_refused_in_the_shape_of_resource_manager(management, method, path, status, code):
    answer = management.http.request(method, path + VERSION)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=2017-01-01", "?api-version=new"])
def test_a_call_needs_a_known_api_version(management, query):
    answer = management.http.get(f"{factory_path()}/pipelineruns/x{query}")
    assert answer.status_code == 400
    assert "ApiVersionParameter" in answer.json()["error"]["code"]


def test_a_call_without_a_token_is_not_answered(management):
    answer = management.http.get(f"{factory_path()}/pipelineruns/x{VERSION}", headers={"Authorization": ""})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {**WINDOW, "lastUpdatedAfter": "yesterday"},
        {**WINDOW, "colour": "red"},
        {**WINDOW, "continuationToken": "not one of ours"},
        {**WINDOW, "orderBy": [{"orderBy": "RunEnd", "order": "ASC"}]},
        {**WINDOW, "filters": [{"operand": "TriggerName", "operator": "Equals", "values": ["x"]}]},
        {**WINDOW, "filters": [{"operand": "PipelineName", "operator": "Like", "values": ["x"]}]},
        {**WINDOW, "filters": [{"operand": "PipelineName", "operator": "Equals", "values": []}]},
    ],
)
def test_a_query_for_runs_that_is_not_understood_is_refused(management, query):
    answer = management.http.post(f"{factory_path()}/queryPipelineRuns{VERSION}", json=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("PipelineName", "Equals", ["copy_export"])], True),
        ([("PipelineName", "NotIn", ["copy_export"])], False),
        ([("Status", "In", ["Failed", "Queued"]), ("PipelineName", "Equals", ["copy_export"])], True),
        ([("Status", "NotEquals", ["Failed"])], False),
    ],
)
def test_runs_are_filtered(management, filters, found):
    run_id = management.start_copy("filtered", "p/nothing-to-filter")
    management.ended(run_id)
    query = {
        **WINDOW,
        "filters": [
            {"operand": operand, "operator": operator, "values": values}
            for operand, operator, values in [*filters, ("RunGroupId", "Equals", [run_id])]
        ],
    }
    answer = management.http.post(f"{factory_path()}/queryPipelineRuns{VERSION}", json=query).json()
    assert [run["runId"] for run in answer["value"]] == ([run_id] if found else [])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 500}, TransientError),
        ({"reset": True}, TransientError),
        ({"status": 403, "code": "AuthorizationFailed"}, PermanentError),
    ],
)
def test_a_fault_comes_on_demand_so_many_times(management, fault, error):
    management.set_faults({"operation": "GetRun", "count": 10, **fault})
    with pytest.raises(error):
        management.factory.get_run("any")
    management.set_faults({"operation": "GetRun", "count": 1, "status": 503})
    with pytest.raises(PermanentError, match="no pipeline run"):
        management.factory.get_run("any")


def test_a_fault_that_is_not_understood_is_refused(management):
    answer = management.http.post("/_localcloud/faults", json=[{"operation": "GetNothing"}])
    assert "CreateRun" in answer.json()["error"]["message"]


def test_definitions_that_cannot_be_carried_out_keep_the_service_from_starting(tmp_path, around):
    folder = tmp_path / "adf"
    shutil.copytree(ADF, folder)
    path = folder / "pipeline" / "copy_export.json"
    pipeline = json.loads(path.read_text())
    pipeline["properties"]["activities"][0]["typeProperties"]["source"]["storeSettings"]["prefix"] = "x"
    path.write_text(json.dumps(pipeline))
    with pytest.raises(ServiceFailedError, match=r"source\.storeSettings\.prefix is not supported here"):
        Management(tmp_path / "state", around, adf=folder)
