import json

import pytest
from azure.cosmos import PartitionKey

from d2c.load_run.told.result import parse_result
from localcloud.aws.api import export_files
from localcloud.common.names import NOTEBOOK_PATH
from tests.localcloud.contract.cosmos_account import CosmosAccount
from tests.localcloud.contract.databricks.conftest import CONNECTOR, EXISTING, LAKE, WHEEL
from tests.localcloud.contract.databricks.exported import put_export, put_request, put_request_list

ITEMS = [
    {"Artist": {"S": f"Artist {number % 7}"}, "Song": {"S": f"Song/{number}#"}, "Plays": {"N": str(number)}}
    for number in range(500)
]


def run(workspace, key, request, libraries=(WHEEL,)):
    return workspace.submit(NOTEBOOK_PATH, key, {"request": request}, EXISTING, libraries)


def result_of(lake, folder):
    """Return a result as the app takes it, which declares all of it but the moment of assess."""
    content = lake.download_blob(f"{folder}/load-1/result.json").readall()
    result = parse_result(content, folder)
    assert json.loads(content).keys() - result.keys() <= {"assessed_at"}
    return result


@pytest.fixture
def account(tmp_path):
    running = CosmosAccount(tmp_path)
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("assessed", "assessed"),
        ("odd", "their team/[prod] {a,b}*"),
        ("signs", "a+b c/x+y;z ~1"),
        ("letters", "Über/日本 é+è/😀"),
        ("percent", "100% of it/50%/a%41b%2Fc%zz+d"),
        ("both", "ü%41/%C3%BC%2F+ñ"),
    ],
)
def test_the_notebook_assesses_an_export_in_the_lake(workspace, lake, name, folder):
    """Spark's readers take a path as a pattern, and Hadoop fails at a neighbour with a colon when it looks for it."""
    put_export(lake, folder, ITEMS)
    lake.upload_blob("their team/a:b/file", b"", overwrite=True)
    asked = put_request(lake, name, export_folder=f"{LAKE}/{folder}/export")
    request = put_request_list(lake, name, [asked])
    assert workspace.result(run(workspace, name, request)) == {"Music": "succeeded"}
    result = result_of(lake, name)
    assert result["files"] == {"listed": 4, "verified": 4}
    assert (result["assessed"]["lines"], result["assessed"]["documents"]) == (500, 500)
    assert lake.get_blob_client(f"{name}/load-1/rejected/_SUCCESS").exists()


def test_an_export_without_data_files_is_loaded_and_verified_as_an_empty_table(
    workspace, lake, account, monkeypatch
):
    monkeypatch.setattr(export_files, "_parts", lambda lines: iter(()))
    put_export(lake, "empty", [])
    assert not list(lake.list_blobs("empty/export/data/"))
    database = account.database()
    database.create_container("music", PartitionKey("/Artist"))
    asked = {
        "database": database.id,
        "stages": ("assess", "load", "verify"),
        "cosmos_endpoint": account.url,
        "secret_scope": "cosmos",
    }
    request = put_request_list(lake, "empty", [put_request(lake, "empty", **asked)])
    states = workspace.result(run(workspace, "empty", request, [WHEEL, CONNECTOR]))
    result = result_of(lake, "empty")
    assert states == {"Music": "succeeded"}, result["error"]
    assert (result["files"], result["loaded"]["documents"]) == ({"listed": 0, "verified": 0}, 0)
    assert (result["verification"]["expected"], result["verification"]["actual"]) == (0, 0)


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


def test_tables_that_share_a_run_are_loaded_side_by_side_whatever_becomes_of_each(workspace, lake, account):
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
    # The second table began before the first one had ended.
    assert found["Orders"]["stages"][0]["started_at"] < found["Music"]["stages"][-1]["started_at"]
    for table, count in (("Music", 40), ("Users", 60)):
        verified = {"expected": count, "actual": count, "missing": 0, "unexpected": 0, "different": 0}
        assert found[table]["verification"] == {**verified, "method": "full"}
        assert found[table]["loaded"]["documents"] == len(list(containers[table].read_all_items())) == count
    assert found["Orders"]["error"]["title"] == "A logical partition is too large"
    assert found["Broken"]["error"]["title"] == "Unexpected error"
    assert "Broken: AnalysisException: [PATH_NOT_FOUND]" in found["Broken"]["error"]["detail"]
    assert [entry["name"] for entry in found["Users"]["census"]["attributes"]] == ["Artist", "Song"]
    assert [blob.name for blob in lake.list_blobs("shared/Left/")] == ["shared/Left/load-1/request.json"]


def test_a_key_for_which_the_export_has_two_lines_is_told(workspace, lake, account):
    database = account.database()
    container = database.create_container("twice", PartitionKey("/Artist"))
    put_export(lake, "twice", [*ITEMS[:5], ITEMS[0], {**ITEMS[1], "Plays": {"N": "99"}}])
    asked = {"container": "twice", "database": database.id, "cosmos_endpoint": account.url}
    asked |= {"secret_scope": "cosmos", "stages": ("assess", "load", "verify")}
    request = put_request_list(lake, "twice", [put_request(lake, "twice", **asked)])
    states = workspace.result(run(workspace, "twice", request, [WHEEL, CONNECTOR]))
    result = result_of(lake, "twice")
    assert (states, result["error"]["stage"]) == ({"Music": "failed"}, "verify")
    assert result["error"]["title"] == "The export has a key twice"
    assert "each of 2 keys" in result["error"]["detail"]
    assert "for 1 of them with different values" in result["error"]["detail"]
    verification = result["verification"]
    assert verification["expected"] == verification["actual"] == len(list(container.read_all_items())) == 5
    assert (verification["missing"], verification["unexpected"], verification["different"]) == (0, 0, 1)
    (mismatch,) = result["mismatches"]
    assert (mismatch["kind"], mismatch["properties"]) == ("different", ["Plays"])


def test_a_data_file_without_bytes_is_named_before_anything_is_read(workspace, lake):
    put_export(lake, "no-bytes", ITEMS)
    name = next(blob.name for blob in lake.list_blobs("no-bytes/export/data/"))
    lake.upload_blob(name, b"", overwrite=True)
    request = put_request_list(lake, "no-bytes", [put_request(lake, "no-bytes")])
    workspace.result(run(workspace, "no-bytes", request))
    error = result_of(lake, "no-bytes")["error"]
    assert f"(of 0 bytes, which no gzip has: {name.rpartition('/')[2]})" in error["detail"]
    assert "Copy the export again" in error["next_step"]


def test_a_manifest_that_is_too_large_is_named_and_not_read(workspace, lake):
    put_export(lake, "too-large", ITEMS)
    lake.upload_blob("too-large/export/manifest-summary.json", b" " * (2**20 + 1), overwrite=True)
    request = put_request_list(lake, "too-large", [put_request(lake, "too-large")])
    workspace.result(run(workspace, "too-large", request))
    error = result_of(lake, "too-large")["error"]
    assert "manifest-summary.json has 1,048,577 bytes" in error["detail"]
    assert "no more than 1,048,576 are read" in error["detail"]


def test_what_seems_wrong_is_compared_again_and_then_told(workspace, lake, account):
    database = account.database()
    container = database.create_container("damaged", PartitionKey("/Artist"))
    asked = {"container": "damaged", "database": database.id, "cosmos_endpoint": account.url}
    asked |= {"secret_scope": "cosmos"}
    put_export(lake, "damaged/first", ITEMS[:30])
    first = put_request(lake, "damaged/first", **asked, stages=("assess", "load"))
    loaded = put_request_list(lake, "damaged/first", [first])
    assert workspace.result(run(workspace, "damaged-first", loaded, [WHEEL, CONNECTOR])) == {
        "Music": "succeeded"
    }
    documents = sorted(container.read_all_items(), key=lambda document: document["id"])
    container.delete_item(documents[0]["id"], documents[0]["Artist"])
    container.upsert_item({**documents[1], "Plays": -1})
    container.upsert_item({"id": "another's", "Artist": "x"})
    requests = []
    for table, method in (("Whole", "full"), ("Counted", "counts")):
        put_export(lake, f"damaged/{table}", ITEMS[:30])
        since = {"load_started_at": 1, "documents_written": 30}
        more = {"table": table, "stages": ("verify",), "verify": method, **since}
        requests.append(put_request(lake, f"damaged/{table}", **asked, **more))
    compared = put_request_list(lake, "damaged", requests)
    assert workspace.result(run(workspace, "damaged", compared, [WHEEL, CONNECTOR])) == {
        "Whole": "succeeded",
        "Counted": "succeeded",
    }
    whole, counted = (result_of(lake, f"damaged/{table}") for table in ("Whole", "Counted"))
    assert whole["verification"] == {
        "expected": 30,
        "actual": 30,
        "missing": 1,
        "unexpected": 1,
        "different": 1,
        "method": "full",
    }
    found = {(one["kind"], *one["properties"]) for one in whole["mismatches"]}
    assert found == {("missing",), ("unexpected",), ("different", "Plays")}
    assert (counted["verification"]["expected"], counted["verification"]["actual"]) == (30, 30)


def test_a_table_whose_container_is_not_there_in_time_is_loaded_by_a_second_run(workspace, lake, account):
    put_export(lake, "later", ITEMS[:40])
    database = account.database()
    asked = {
        "export_folder": f"{LAKE}/later/export",
        "database": database.id,
        "cosmos_endpoint": account.url,
        "secret_scope": "cosmos",
    }
    first = put_request(lake, "later", stages=("assess", "load", "verify"), go_within_seconds=0, **asked)
    states = workspace.result(run(workspace, "later-1", put_request_list(lake, "later", [first])))
    assert states == {"Music": "assessed"}
    result = result_of(lake, "later")
    assert ([stage["stage"] for stage in result["stages"]], "loaded" in result) == (["assess"], False)

    database.create_container("music", PartitionKey("/Artist"))
    asked |= {"stages": ("load", "verify"), "assessed_by": f"{LAKE}/later/load-1/assessed.json"}
    second = put_request_list(lake, "second", [put_request(lake, "second", **asked)])
    states = workspace.result(run(workspace, "later-2", second, [WHEEL, CONNECTOR]))
    found = result_of(lake, "second")
    assert states == {"Music": "succeeded"}, found["error"]
    assert [stage["stage"] for stage in found["stages"]] == ["load", "verify"]
    assert (found["census"], found["assessed"]) == (result["census"], result["assessed"])
    assert (found["loaded"]["documents"], found["verification"]["actual"]) == (40, 40)

    put_export(lake, "later", ITEMS[:41])
    changed = put_request_list(lake, "changed", [put_request(lake, "changed", **asked)])
    assert workspace.result(run(workspace, "later-3", changed, [WHEEL, CONNECTOR])) == {"Music": "failed"}
    assert result_of(lake, "changed")["error"]["title"] == "The export has changed"
