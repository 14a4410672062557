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
