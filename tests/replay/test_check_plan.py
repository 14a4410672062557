import pytest

from benchmarks.replaying import orchestrator_functions
from orchestrators import check_plan
from tests.builders import an_error
from tests.replay.world import LostWorkerError, World

ASKED = {"check": "check-shop.0123456789ab", "plan": {"path": "checks/check-shop.0123456789ab/plan.json"}}
SYSTEMS = {"aws", "bucket", "lake", "data_factory", "cosmos_db", "databricks", "deployment", "surroundings"}
ERROR = {"error": an_error(detail="The lake is away.")}


def world(backwards=False, **activities):
    substitutes = {
        "list_checked_tables": lambda asked: {
            "value": {"parts": [{"path": "t0"}, {"path": "t1"}], "result": {"path": "p"}}
        },
        "check_system": lambda asked: {"value": {"path": asked["system"]}},
        "check_tables": lambda asked: {"value": {"path": f"found-{asked['part']}"}},
        "sum_up_check": lambda asked: {
            "value": {"state": "succeeded", "counts": {}, "result": {"path": "r"}}
        },
    }
    return World({**substitutes, **activities}, orchestrator_functions(check_plan), backwards=backwards)


def inline_findings(results):
    return [finding for result in results if "value" in result for finding in result["value"]["findings"]]


def test_every_system_and_every_part_of_the_tables_is_checked_and_summed_up():
    checked = world()
    assert checked.run("check_plan", ASKED) == {"state": "succeeded", "counts": {}, "result": {"path": "r"}}
    assert {call["system"] for call in checked.called("check_system")} == SYSTEMS
    assert [(call["part"], call["tables"]) for call in checked.called("check_tables")] == [
        (0, {"path": "t0"}),
        (1, {"path": "t1"}),
    ]
    (summed,) = checked.called("sum_up_check")
    assert {result["path"] for result in summed["results"]} == SYSTEMS | {"p", "found-0", "found-1"}
    assert summed["plan"] == ASKED["plan"]


def test_progress_counts_the_parts_that_are_done():
    checked = world()
    checked.run("check_plan", ASKED)
    assert checked.statuses[0] == {"done": 0, "total": len(SYSTEMS) + 1}
    assert checked.statuses[-1] == {"done": 10, "total": 10}
    done = [status["done"] for status in checked.statuses]
    assert done == sorted(done)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_part_that_fails_or_loses_its_worker_is_a_finding_and_hides_no_other(backwards):
    def check_system(asked):
        if asked["system"] == "lake":
            return ERROR
        if asked["system"] == "databricks":
            raise LostWorkerError("out of memory")
        return {"value": {"path": asked["system"]}}

    checked = world(backwards, check_system=check_system)
    assert checked.run("check_plan", ASKED)["state"] == "succeeded"
    (summed,) = checked.called("sum_up_check")
    assert {result["path"] for result in summed["results"] if "path" in result} == SYSTEMS - {
        "lake",
        "databricks",
    } | {
        "p",
        "found-0",
        "found-1",
    }
    findings = {finding["thing"]: finding for finding in inline_findings(summed["results"])}
    assert findings.keys() == {"lake", "databricks"}
    assert findings["lake"]["finding"] == "The lake is away."
    assert "out of memory" in findings["databricks"]["finding"]
    assert findings["lake"] == {
        "system": "Check",
        "thing": "lake",
        "check": "whole check",
        "state": "failed",
        "finding": ERROR["error"]["detail"],
        "next_step": ERROR["error"]["next_step"],
    }
    assert findings["databricks"]["next_step"] == "Check again."


def test_a_part_of_the_tables_that_fails_is_named_by_its_number_from_one():
    checked = world(check_tables=lambda asked: ERROR if asked["part"] == 1 else {"value": {"path": "t"}})
    checked.run("check_plan", ASKED)
    (finding,) = inline_findings(checked.called("sum_up_check")[0]["results"])
    assert finding["thing"] == "tables, part 2"


def test_systems_are_checked_although_the_tables_cannot_be_listed():
    checked = world(list_checked_tables=lambda asked: ERROR)
    checked.run("check_plan", ASKED)
    (summed,) = checked.called("sum_up_check")
    assert checked.called("check_tables") == []
    assert len(summed["results"]) == len(SYSTEMS) + 1
    (finding,) = inline_findings(summed["results"])
    assert (finding["thing"], finding["finding"]) == ("tables", "The lake is away.")


def test_a_worker_that_is_lost_while_it_lists_the_tables_is_a_finding_too():
    def lost(asked):
        raise LostWorkerError("out of memory")

    checked = world(list_checked_tables=lost)
    checked.run("check_plan", ASKED)
    (finding,) = inline_findings(checked.called("sum_up_check")[0]["results"])
    assert "out of memory" in finding["finding"]


def test_what_cannot_be_summed_up_ends_as_failed_with_the_reason():
    checked = world(sum_up_check=lambda asked: ERROR)
    assert checked.run("check_plan", ASKED) == {"state": "failed", **ERROR, "result": None}
