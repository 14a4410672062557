import json

import pytest
from azure.cosmos import PartitionKey

from localcloud.common.names import NOTEBOOK_PATH
from tests.localcloud.contract.cosmos_account import CosmosAccount
from tests.localcloud.contract.databricks.conftest import CONNECTOR, EXISTING, WHEEL
from tests.localcloud.contract.databricks.exported import put_export, put_request, put_request_list

ITEMS = [
    {"Artist": {"S": f"Artist {number % 7}"}, "Song": {"S": f"Song/{number}#"}, "Plays": {"N": str(number)}}
    for number in range(500)
]


def run(workspace, key, request, libraries=(WHEEL,)):
    return workspace.submit(NOTEBOOK_PATH, key, {"request": request}, EXISTING, libraries)


def result_of(lake, folder):
    return json.loads(lake.download_blob(f"{folder}/load-1/result.json").readall())


@pytest.fixture
def account(tmp_path):
    running = CosmosAccount(tmp_path)
    yield running
    running.stop()


def test_the_notebook_assesses_an_export_in_the_lake(workspace, lake):
    put_export(lake, "assessed", ITEMS)
    request = put_request_list(lake, "assessed", [put_request(lake, "assessed")])
    assert workspace.result(run(workspace, "assessed", request)) == {"Music": "succeeded"}
    result = result_of(lake, "assessed")
    assert result["files"] == {"listed": 4, "verified": 4}
    assert (result["assessed"]["lines"], result["assessed"]["documents"]) == (500, 500)
    assert lake.get_blob_client("assessed/load-1/rejected/_SUCCESS").exists()


def test_a_census_of_all_files_is_taken_and_a_logical_partition_over_the_plans_limit_stops_the_load(
    workspace, lake
):
    put_export(lake, "limited", ITEMS)
    request = put_request(lake, "limited", stages=("assess", "load"), max_logical_partition_bytes=10_000)
    assert workspace.result(run(workspace, "limited", put_request_list(lake, "limited", [request])))
    result = result_of(lake, "limited")
    assert (result["state"], result["error"]["stage"]) == ("failed", "assess")
    assert result["error"]["title"] == "A logical partition is too large"
    assert "the plan allows 10,000" in result["error"]["detail"]
    assert "rules.partition_key" in result["error"]["next_step"]
    assert [stage["stage"] for stage in result["stages"]] == ["assess"]
    census = result["census"]
    assert [(entry["name"], entry["types"]) for entry in census["attributes"]] == [
        ("Artist", {"S": 500}),
        ("Plays", {"N": 500}),
        ("Song", {"S": 500}),
    ]
    largest = census["logical_partitions"]["largest"]
    assert sorted(entry["partition_key"] for entry in largest) == [[f"Artist {one}"] for one in range(7)]
    assert sum(entry["at_least_bytes"] for entry in largest) == census["document_bytes"]["total"] + 500 * 200


def test_tables_that_share_a_run_are_loaded_one_after_another_whatever_becomes_of_each(
    workspace, lake, account
):
    database = account.database()
    containers = {
        table: database.create_container(table.lower(), PartitionKey("/Artist"))
        for table in ("Music", "Users")
    }
    requests = []
    for table, items, changes in [
        ("Music", ITEMS[:40], {}),
        ("Orders", ITEMS, {"max_logical_partition_bytes": 10_000}),
        ("Broken", None, {}),
        ("Left", None, {}),
        ("Users", ITEMS[40:100], {"rules_history": ({"drop": ["Plays"]},)}),
    ]:
        if items:
            put_export(lake, f"shared/{table}", items)
        asked = {"table": table, "container": table.lower(), "database": database.id, **changes}
        asked |= {
            "stages": ("assess", "load", "verify"),
            "cosmos_endpoint": account.url,
            "secret_scope": "cosmos",
        }
        requests.append(put_request(lake, f"shared/{table}", **asked))
    request = put_request_list(lake, "shared", requests, [{"table": "Left"}])

    states = workspace.result(run(workspace, "shared", request, [WHEEL, CONNECTOR]))

    assert states == {"Music": "succeeded", "Orders": "failed", "Broken": "failed", "Users": "succeeded"}
    found = {table: result_of(lake, f"shared/{table}") for table in states}
    assert {table: [stage["stage"] for stage in result["stages"]] for table, result in found.items()} == {
        "Music": ["assess", "load", "verify"],
        "Orders": ["assess"],
        "Broken": ["assess"],
        "Users": ["assess", "load", "verify"],
    }
    for table, count in (("Music", 40), ("Users", 60)):
        verified = {"expected": count, "actual": count, "missing": 0, "unexpected": 0, "different": 0}
        assert found[table]["verification"] == {**verified, "method": "full"}
        assert found[table]["loaded"]["documents"] == len(list(containers[table].read_all_items())) == count
    assert found["Orders"]["error"]["title"] == "A logical partition is too large"
    assert found["Broken"]["error"]["title"] == "Unexpected error"
    assert "Broken: AnalysisException: [PATH_NOT_FOUND]" in found["Broken"]["error"]["detail"]
    assert [entry["name"] for entry in found["Users"]["census"]["attributes"]] == ["Artist", "Song"]
    assert [blob.name for blob in lake.list_blobs("shared/Left/")] == ["shared/Left/load-1/request.json"]
