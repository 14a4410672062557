import json
from pathlib import Path

import pytest
from azure.mgmt.datafactory import DataFactoryManagementClient

from d2c.clients.azure.factory_definitions import FactoryDefinitions
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.management import management_client, refusal

PATH = "/subscriptions/s/resourceGroups/group/providers/Microsoft.DataFactory/factories/factory"
PIPELINE = json.loads((Path(__file__).parents[4] / "adf/pipeline/copy_export.json").read_text())["properties"]
FACTORY = {
    "name": "factory",
    "id": PATH,
    "type": "Microsoft.DataFactory/factories",
    "eTag": "tag-1",
    "location": "westeurope",
    "tags": {"team": "data"},
    "identity": {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"},
    "properties": {
        "provisioningState": "Succeeded",
        "createTime": "2026-06-01T00:00:00Z",
        "version": "2018-06-01",
        "publicNetworkAccess": "Disabled",
        "repoConfiguration": {"type": "FactoryGitHubConfiguration"},
        "globalParameters": {
            "theirs": {"type": "Int", "value": 3},
            "lakeUrl": {"type": "String", "value": "old"},
        },
    },
}


def definitions(*answers):
    service = StubService(*answers)
    client = management_client(DataFactoryManagementClient, service)
    return FactoryDefinitions(client, "s", "group", "factory"), service


def test_a_definition_travels_as_it_is_in_both_directions():
    here, service = definitions(Answer(200, {}), Answer(200, {"properties": PIPELINE}))
    here.put("pipeline", "copy_export", PIPELINE)
    assert here.find("pipeline", "copy_export") == PIPELINE
    put, get = service.calls
    assert (put.method, put.path, put.query) == (
        "PUT",
        f"{PATH}/pipelines/copy_export",
        {"api-version": "2018-06-01"},
    )
    assert put.json == {"properties": PIPELINE}
    assert (get.method, get.path) == ("GET", put.path)


def test_what_is_not_there_is_none():
    here, _ = definitions(Answer(404, refusal("EntityNotFound")), Answer(200, FACTORY))
    assert here.find("dataset", "lake_folder") is None


def test_a_factory_that_is_not_there_is_told_and_not_taken_for_an_empty_one():
    here, _ = definitions(
        Answer(404, refusal("ResourceNotFound", "no factory")), Answer(404, refusal("ResourceNotFound"))
    )
    with pytest.raises(PermanentError, match="Data Factory factory, dataset lake_folder"):
        here.find("dataset", "lake_folder")


def test_global_parameters_are_merged_and_all_else_of_the_factory_is_written_back():
    here, service = definitions(Answer(200, FACTORY), Answer(200, FACTORY))
    here.set_global_parameters(here.get_factory(), {"lakeUrl": "new", "keyVaultUrl": "v"})
    put = service.calls[1]
    assert put.headers["If-Match"] == "tag-1"
    assert put.json == {
        "location": "westeurope",
        "tags": {"team": "data"},
        "identity": FACTORY["identity"],
        "properties": {
            "publicNetworkAccess": "Disabled",
            "repoConfiguration": {"type": "FactoryGitHubConfiguration"},
            "globalParameters": {
                "theirs": {"type": "Int", "value": 3},
                "lakeUrl": {"type": "String", "value": "new"},
                "keyVaultUrl": {"type": "String", "value": "v"},
            },
        },
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentError),
        (403, PermanentError),
        (412, PermanentError),
        (429, TransientError),
        (503, TransientError),
    ],
)
def test_a_refusal_names_the_definition_and_the_cause(status, kind):
    here, _ = definitions(*[Answer(status, refusal("BadRequest", "invalid reference 'x'"))] * 3)
    with pytest.raises(kind, match="Data Factory factory, pipeline copy_export") as refused:
        here.put("pipeline", "copy_export", PIPELINE)
    assert "invalid reference 'x'" in str(refused.value) or status in (403, 429)
