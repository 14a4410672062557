import json

from localcloud.names import NOTEBOOK_PATH
from tests.contract.localcloud_databricks.conftest import WHEEL
from tests.contract.localcloud_databricks.exported import put_export, put_request

ITEMS = [
    {"Artist": {"S": f"Artist {number % 7}"}, "Song": {"S": f"Song/{number}#"}, "Plays": {"N": str(number)}}
    for number in range(500)
]


def run(workspace, key, request, libraries=(WHEEL,)):
    return workspace.submit(NOTEBOOK_PATH, key, {"request": request}, libraries=libraries)


def test_the_notebook_assesses_an_export_in_the_lake(workspace, lake):
    put_export(lake, "assessed", ITEMS)
    result = workspace.result(run(workspace, "assessed", put_request(lake, "assessed")))
    assert result["state"] == "succeeded", result
    assert result["files"] == {"listed": 4, "verified": 4}
    assert (result["assessed"]["lines"], result["assessed"]["documents"]) == (500, 500)
    assert json.loads(lake.download_blob("assessed/load-1/result.json").readall()) == result
    assert lake.get_blob_client("assessed/load-1/rejected/_SUCCESS").exists()


def test_a_census_of_all_files_is_taken_and_a_logical_partition_over_the_plans_limit_stops_the_load(
    workspace, lake
):
    put_export(lake, "limited", ITEMS)
    request = put_request(lake, "limited", stages=("assess", "load"), max_logical_partition_bytes=10_000)
    result = workspace.result(run(workspace, "limited", request))
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
