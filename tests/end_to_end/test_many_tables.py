"""A plan of patterns whose small tables share a load run; what failed in it is retried alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.polling import wait_until
from tests.end_to_end.test_crashes import load_runs
from tests.end_to_end.user import API, plan

ITEMS = 12


@pytest.fixture(scope="module")
def shop(user):
    """Migrate four small tables by a pattern, of which one cannot be exported yet."""
    for name in ("shop-a", "shop-b", "shop-c"):
        user.create_table(name, [{"pk": {"S": f"{name}-{number}"}} for number in range(ITEMS)])
    user.create_table("shop-late", [{"pk": {"S": "late"}}], recovery=False)
    user.create_table("shop-tmp", [{"pk": {"S": "never"}}])
    user.create_table("other", [{"pk": {"S": "never"}}])
    user.start(plan("shop", {"table": "shop-*"}, exclude=["shop-tmp"]))
    return user.ended("shop")


def exports(user):
    return [entry["ExportArn"] for entry in user.dynamodb.list_exports()["ExportSummaries"]]


def test_a_pattern_comes_to_its_tables_and_each_to_a_container_of_its_name(shop, user):
    assert {table["table"] for table in shop["tables"]} == {"shop-a", "shop-b", "shop-c", "shop-late"}
    for name in ("shop-a", "shop-b", "shop-c"):
        assert [document["id"] for document in user.documents("shop", name)] == sorted(
            f"{name}-{number}" for number in range(ITEMS)
        )


def test_the_table_that_failed_stopped_no_other_and_the_counts_tell(shop):
    assert (shop["state"], shop["counts"]["succeeded"], shop["counts"]["failed"]) == ("failed", 3, 1)
    assert shop["items"] == {"exported": 3 * ITEMS, "written": 3 * ITEMS, "rejected": 0, "expired": 0}
    late = next(table for table in shop["tables"] if table["table"] == "shop-late")
    assert (late["stage"], late["error"]["title"]) == ("export", "Point-in-time recovery is off")


def test_tables_are_paged_and_filtered_by_state(shop, user):
    page = user.http.get(f"{API}/shop", params={"state": "succeeded", "top": 2}).json()
    assert (len(page["tables"]), page["counts"]["succeeded"]) == (2, 3)
    rest = user.http.get(f"{API}/shop", params={"state": "succeeded", "top": 2, "token": page["next"]}).json()
    names = [table["table"] for table in page["tables"] + rest["tables"]]
    assert (sorted(names), rest["next"]) == (["shop-a", "shop-b", "shop-c"], None)


def test_small_tables_shared_one_load_run(shop, user):
    assert len([run for run in load_runs(user) if run.run_name.startswith("d2c shop ")]) == 1


def test_a_retry_goes_on_with_what_failed_and_repeats_nothing_else(shop, user):
    before = exports(user)
    user.dynamodb.update_continuous_backups(
        TableName="shop-late", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    assert user.http.post(f"{API}/shop/retry").status_code == 202
    status = user.ended("shop")
    assert (status["state"], status["counts"]["succeeded"]) == ("succeeded", 4)
    assert [document["id"] for document in user.documents("shop", "shop-late")] == ["late"]
    assert len(exports(user)) == len(before) + 1
    assert {part["state"] for part in user.report("shop")["tables"]} == {"succeeded"}
    assert user.http.post(f"{API}/shop/retry").status_code == 409


def test_while_suspended_no_stage_starts_and_one_table_is_cancelled(user):
    for name in ("Kept", "Unwanted"):
        user.create_table(name, [{"pk": {"S": name}}])
    with user.held_export():
        user.start(plan("held", {"table": "Kept"}, {"table": "Unwanted"}))
        assert user.http.post(f"{API}/held/suspend").status_code == 202
        assert user.http.post(f"{API}/held/cancel", json={"tables": ["Unwanted"]}).status_code == 202
    wait_until(lambda: (user.table("held", "Kept")["waiting"] or {}).get("for") == "pause")
    assert user.status("held")["paused"]
    assert user.http.post(f"{API}/held/resume").status_code == 202
    status = user.ended("held")
    assert {table["table"]: table["state"] for table in status["tables"]} == {
        "Kept": "succeeded",
        "Unwanted": "cancelled",
    }
    assert status["state"] == "cancelled"


def test_a_migration_waits_for_its_time_and_can_be_cancelled_before_it(user):
    start_at = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    user.start(plan("tomorrow", {"table": "Later"}, start_at=start_at))
    status = user.status("tomorrow")
    assert datetime.fromisoformat(status["waiting_until"]) == datetime.fromisoformat(start_at)
    assert status["counts"]["pending"] == 1
    assert user.http.post(f"{API}/tomorrow/cancel").status_code == 202
    assert user.ended("tomorrow")["state"] == "cancelled"
