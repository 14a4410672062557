"""Whole migrations, as a user sees them."""

import time

import pytest

from tests.end_to_end.user import API, plan

DAY = 86_400
STAGES = ["export", "copy", "prepare", "assess", "load", "verify", "report"]


@pytest.fixture(scope="module")
def moved(user):
    """The report of a migration of three tables with different keys."""
    now = int(time.time())
    user.create_table(
        "Plain",
        [{"pk": {"S": f"k{n}"}, "n": {"N": f"{n}.50"}, "id": {"S": "own"}} for n in range(60)],
    )
    user.create_table(
        "Sorted",
        [
            {"who": {"N": "7"}, "what": {"S": f"a#{n}/b?"}, "big": {"N": "12345678901234567890"}}
            for n in range(30)
        ],
        keys=("who", "N", "what", "S"),
    )
    user.create_table(
        "Fading",
        [
            {"pk": {"S": "gone"}, "until": {"N": str(now - DAY)}},
            {"pk": {"S": "stays"}, "until": {"N": str(now + DAY)}},
            {"pk": {"S": "forever"}},
        ],
        ttl="until",
    )
    user.start(
        plan(
            "moved",
            {"table": "Plain", "container": "plain"},
            {"table": "Sorted", "container": "sorted", "rules": {"partition_key": ["who", "what"]}},
            {
                "table": "Fading",
                "container": "fading",
                "throughput": {"kind": "shared"},
                "apply_indexing": "after_load",
            },
            max_parallel_tables=2,
        )
    )
    status = user.ended("moved")
    assert status["state"] == "succeeded", status
    return user.report("moved")


def report_of(report, table):
    return next(entry for entry in report["tables"] if entry["table"] == table)


def test_every_item_is_a_document_with_its_values(user, moved):
    documents = user.documents("moved", "plain")
    assert {document["pk"] for document in documents} == {f"k{n}" for n in range(60)}
    chosen = next(document for document in documents if document["pk"] == "k7")
    assert chosen == {"id": "k7", "pk": "k7", "n": 7.5, "dynamodb_id": "own"}


def test_keys_that_no_document_id_may_hold_are_escaped_and_kept(user, moved):
    assert {
        "id": "7|a~2312~2Fb~3F",
        "who": 7,
        "what": "a#12/b?",
        "big": "12345678901234567890",
    } in user.documents("moved", "sorted")


def test_what_has_expired_is_counted_and_not_written(user, moved):
    documents = {document["id"]: document for document in user.documents("moved", "fading")}
    assert documents.keys() == {"stays", "forever"}
    assert DAY - 300 < documents["stays"]["ttl"] <= DAY
    assert "ttl" not in documents["forever"]
    assert report_of(moved, "Fading")["items"] == {"exported": 3, "written": 2, "rejected": 0, "expired": 1}


@pytest.mark.parametrize(("table", "items"), [("Plain", 60), ("Sorted", 30), ("Fading", 3)])
def test_the_report_accounts_for_every_file_and_item(moved, table, items):
    part = report_of(moved, table)
    counts, files, found = part["items"], part["files"], part["verification"]
    assert counts["exported"] == items
    assert counts["written"] + counts["rejected"] + counts["expired"] == items
    assert files["listed"] == files["verified"] > 1
    assert found["expected"] == found["actual"] == counts["written"]
    assert (found["missing"], found["unexpected"], found["different"]) == (0, 0, 0)
    late = ["index"] if table == "Fading" else []
    assert [stage["stage"] for stage in part["stages"]] == [*STAGES[:-1], *late, STAGES[-1]]
    assert {stage["state"] for stage in part["stages"]} == {"succeeded"}
    assert all(stage["seconds"] >= 0 for stage in part["stages"])


def test_what_azure_monitor_counted_of_the_load_is_beside_its_estimate(moved):
    found = report_of(moved, "Plain")["request_units"]
    assert found["counted_ru"] == pytest.approx(found["estimated"], rel=0.02)
    assert 0 < found["highest_use_percent"] <= 100


def test_throughput_is_put_back_and_told(user, moved):
    assert report_of(moved, "Plain")["throughput"] == {
        "before_ru_per_second": None,
        "peak_ru_per_second": 6_000,
        "after_ru_per_second": 1000,
        "shared_ru_per_second": None,
        "verify_ru_per_second": None,
    }
    assert {user.throughput("moved", container) for container in ("plain", "sorted")} == {1000}


def test_a_container_may_share_its_databases_throughput(user, moved):
    assert report_of(moved, "Fading")["throughput"]["shared_ru_per_second"] == 400
    assert user.throughput("moved", "fading") is None
    assert user.cosmos.get_database_client("moved").get_throughput().offer_throughput == 400


def test_a_container_gets_its_indexes_after_its_load_and_the_report_says_so(user, moved):
    assert report_of(moved, "Plain")["indexing"] is None
    found = report_of(moved, "Fading")["indexing"]
    assert (found["percent"], found["seconds"] > 0, found["estimated_ru"] > 0) == (100, True, True)
    fading = user.cosmos.get_database_client("moved").get_container_client("fading")
    policy = fading.read()["indexingPolicy"]
    assert {each["path"] for each in policy["includedPaths"]} == {"/pk/?", "/ttl/?"}


def test_the_census_tells_what_the_table_holds(moved):
    census = report_of(moved, "Sorted")["census"]
    assert census["attributes"] == [
        {"name": "big", "types": {"N": 30}, "inexact_numbers": 30},
        {"name": "what", "types": {"S": 30}, "inexact_numbers": 0},
        {"name": "who", "types": {"N": 30}, "inexact_numbers": 0},
    ]
    sizes, partitions = census["document_bytes"], census["logical_partitions"]["largest"]
    assert 60 < sizes["p50"] <= sizes["p99"] <= sizes["max"] < 120
    assert sizes["max"] * 30 >= sizes["total"] > 60 * 30
    assert census["longest_document_id_bytes"] == len("7|a~2329~2Fb~3F")
    assert {partition["partition_key"][0] for partition in partitions} == {7}
    assert len(partitions) == 20
    assert all(partition["at_least_bytes"] == partition["at_most_bytes"] for partition in partitions)
    # 5 RU for each document, and 5 % more for the index of each of its two keys.
    assert census["write_ru"] == 165
    assert {"ru_per_second": 6_000, "seconds": 1, "planned": True} in census["load_estimate"]


def test_the_report_is_a_page_for_who_asks_for_one(user, moved):
    answer = user.http.get(f"{API}/moved/report", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Sorted" in answer.text


def test_a_migration_that_has_ended_is_not_started_again(user, moved):
    answer = user.http.post(API, json=moved["plan"])
    assert answer.status_code == 409
    assert "moved" in answer.json()["detail"]
    assert answer.json()["next_step"]


def test_it_is_listed(user, moved):
    (row,) = [row for row in user.http.get(API).json()["migrations"] if row["id"] == "moved"]
    assert row["state"] == "succeeded"
    assert row["started_at"] <= row["finished_at"]
