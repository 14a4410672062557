"""The watch finishes what an operator's end by hand leaves behind: Durable ends an orchestration and nothing else."""

from azure.core.exceptions import ResourceNotFoundError

from d2c.state.ids import lane_instance_id, unit_instance_id
from localcloud.common import names
from tests.contract.polling import wait_until
from tests.end_to_end.test_crashes import load_runs
from tests.end_to_end.user import API, plan

INSTANCES = "/runtime/webhooks/durabletask/instances"
ITEMS = [{"pk": {"S": f"k{n}"}} for n in range(40)]


def report_of(user, migration):
    try:
        return user.lake.download_blob(f"migrations/{migration}/report.json").readall()
    except ResourceNotFoundError:
        return None


def test_a_migration_that_was_terminated_is_cleaned_up_after_and_can_be_retried_without_another_export(user):
    name = "terminated"
    user.create_table("Terminated", ITEMS)
    before = {run.run_id for run in load_runs(user)}

    def results():
        mine = [run for run in load_runs(user) if run.run_id not in before]
        return [run.state.result_state and run.state.result_state.value for run in mine]

    with user.held_load():
        user.start(plan(name, {"table": "Terminated", "container": "terminated"}))
        wait_until(results)
        wait_until(lambda: user.throughput(name, "terminated") == 6_000)
        for instance in (
            name,
            lane_instance_id(name, 0, "load", 0),
            unit_instance_id(name, 0, "0-0", "load"),
        ):
            answer = user.http.post(f"{INSTANCES}/{instance}/terminate", params={"reason": "by hand"})
            assert answer.status_code == 202
        wait_until(lambda: report_of(user, name))
        assert results() == ["CANCELED"]
    assert user.throughput(name, "terminated") == 1000
    assert user.report(name)["state"] == "cancelled"
    (told,) = user.status(name)["tables"]
    assert (told["state"], told["items_exported"]) == ("cancelled", 40)
    assert "by hand" in told["error"]["detail"]
    assert (
        list(user.lake.list_blob_names(name_starts_with=f"containers/{names.COSMOS_ACCOUNT}/{name}/")) == []
    )

    # The report is there a moment before the migration counts as cleaned up; until then a retry is refused.
    wait_until(lambda: user.http.post(f"{API}/{name}/retry").status_code == 202)
    assert user.ended(name)["state"] == "succeeded"
    assert len(user.documents(name, "terminated")) == len(ITEMS)
    exports = user.dynamodb.list_exports()["ExportSummaries"]
    assert len([one for one in exports if "/Terminated/" in one["ExportArn"]]) == 1
