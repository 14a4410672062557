import json

import httpx
import pytest

from tests.unit.cli.conftest import problem

ID = "check-music-2026.0123456789ab"
PLAN = b'{"name": "music-2026"}'
RUNNING = {
    "id": ID,
    "state": "running",
    "progress": {"done": 1, "total": 8},
    "checked_at": None,
    "counts": None,
    "checks": [],
    "estimate": None,
    "error": None,
}


def finding(state, thing="Orders", next_step="Turn it on."):
    return {
        "system": "DynamoDB",
        "thing": thing,
        "check": "point-in-time recovery",
        "state": state,
        "finding": f"It is {state}.",
        "next_step": next_step,
    }


def ended(*findings, **changes):
    counts = {
        state: sum(one["state"] == state for one in findings)
        for state in ("ok", "skipped", "warning", "failed")
    }
    state = "failed" if counts["failed"] else "succeeded"
    return {**RUNNING, "state": state, "counts": counts, "checks": list(findings), **changes}


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(PLAN)
    return str(path)


@pytest.fixture
def answers(service):
    """Return a function that lets the app's check end as given."""

    def answers(*looks):
        service.on("POST", "/api/migrations", httpx.Response(202, json=RUNNING))
        service.on("GET", f"/api/checks/{ID}", *looks)
        return service

    return answers


def test_the_plan_is_posted_for_a_check_and_looked_at_until_it_has_ended(run, answers, plan):
    service = answers(RUNNING, ended(finding("ok", next_step="")))
    result = run("check", plan)
    assert result.exit_code == 0
    assert dict(service.requests[0].url.params) == {"dry_run": "true", "wait": "0"}
    assert service.requests[0].content == PLAN
    assert len(service.pauses) == 1
    assert "1 checks: 1 ok" in result.stdout


def test_what_is_wrong_is_told_by_system_with_the_next_step_and_what_is_in_order_is_not(run, answers, plan):
    answers(ended(finding("failed"), finding("warning", "Music"), finding("ok", "Albums", "")))
    result = run("check", plan)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "DynamoDB" in lines
    assert "failed  Orders, point-in-time recovery: It is failed." in lines
    assert lines.count("Next: Turn it on.") == 2
    assert "Albums" not in result.stdout


def test_warnings_stop_nothing(run, answers, plan):
    answers(ended(finding("warning")))
    assert run("check", plan).exit_code == 0


def test_all_findings_are_shown_on_demand(run, answers, plan):
    answers(ended(finding("ok", "Albums", "")))
    assert "Albums, point-in-time recovery" in run("check", plan, "--all").stdout


def test_json_is_the_apps_answer_whole(run, answers, plan):
    found = ended(finding("failed"))
    answers(found)
    result = run("check", plan, "--json")
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (1, found, "")


def test_faults_of_the_plan_are_told_as_at_a_start(run, service, plan):
    service.on(
        "POST", "/api/migrations", problem(400, "The plan was refused", faults=["colour: unknown field"])
    )
    result = run("check", plan)
    assert result.exit_code == 1
    assert "  colour: unknown field" in result.stderr


def test_a_check_that_came_to_no_end_is_an_error(run, answers, plan):
    answers(ended(state="failed", error={"detail": "The app died.", "next_step": "Check again."}))
    result = run("check", plan)
    assert result.exit_code == 1
    assert "The app died." in result.stderr
    assert "Check again." in result.stderr


def test_an_outage_is_waited_out(run, answers, plan):
    answers(problem(503, "A service did not answer"), ended(finding("ok", next_step="")))
    result = run("check", plan)
    assert result.exit_code == 0
    assert "Retrying in 1 seconds" in result.stderr


def test_the_estimate_is_shown_with_formulas_prices_and_what_is_unknown(run, answers, plan):
    answers(ended(finding("ok", next_step=""), estimate=ESTIMATE))
    text = " ".join(run("check", plan).stdout.split())
    assert "1.50 USD once and 0.20 USD a month" in text
    assert "GB of the table * price" in text
    assert "0.1*" in text
    assert "Price or quantity unknown: Databricks: DBU." in text
    assert "not included: Vast" in text


@pytest.mark.parametrize(
    ("added", "money", "text"),
    [
        (3, 0.394, "it takes 1 h 2 min less, with 3 more load runs, +0.39 USD."),
        (-1, -0.13, "it takes 1 h 2 min less, with 1 fewer load run, -0.13 USD."),
        (1, None, "it takes 1 h 2 min less, with 1 more load run."),
        (0, 0, "it takes 1 h 2 min less, at the same cost."),
    ],
)
def test_the_narrow_cap_is_shown_with_what_a_wider_one_brings(run, answers, plan, added, money, text):
    narrow = {
        "name": "max_parallel_loads",
        "value": 4,
        "wider": 8,
        "seconds_saved": 3720,
        "load_runs_added": added,
        "money_added": money,
    }
    total = {**ESTIMATE["total"], "narrow_cap": narrow}
    answers(ended(finding("ok", next_step=""), estimate={**ESTIMATE, "total": total}))
    shown = " ".join(run("check", plan).stdout.split())
    assert f"Narrowest cap: max_parallel_loads (4). With 8 {text}" in shown


def test_where_no_wider_cap_brings_much_none_is_named(run, answers, plan):
    answers(ended(finding("ok", next_step=""), estimate=ESTIMATE))
    assert "Narrowest cap" not in run("check", plan).stdout


@pytest.mark.parametrize(
    ("shared", "text"),
    [
        (46.72, "autoscale 350.40 idle to 3,504.00 busy; with shared for small tables 46.72."),
        (934.4, "autoscale 350.40 idle to 3,504.00 busy."),
        (None, "Throughput a month afterwards: the price is unknown."),
    ],
)
def test_the_months_price_is_told_for_each_kind_of_throughput(run, answers, plan, shared, text):
    prices = ("manual", 934.4, 934.4), ("autoscale", 350.4, 3504.0), ("shared", shared, shared)
    months = [
        {"kind": kind, "ru_per_second": 400, "idle": shared and idle, "busy": shared and busy}
        for kind, idle, busy in prices
    ]
    total = {**ESTIMATE["total"], "months": months}
    answers(ended(finding("ok", next_step=""), estimate={**ESTIMATE, "total": total}))
    assert text in " ".join(run("check", plan).stdout.split())


ESTIMATE = {
    "basis": {"currency": "USD", "prices": {}, "assumptions": {}, "cluster": {}},
    "tables": [
        {
            "table": "Music",
            "items": 1000,
            "bytes": 5_000_000,
            "ru": 50_000,
            "seconds": {"export": 360, "load": 10},
            "once": 1.5,
            "per_month": 0.2,
            "unknown": [],
        }
    ],
    "tables_of_unknown_size": ["Vast"],
    "total": {
        "items": 1000,
        "bytes": 5_000_000,
        "ru": 50_000,
        "seconds": {"export": 360, "load": 10},
        "seconds_in_all": 370,
        "load_runs": 1,
        "narrow_cap": None,
        "once": 1.5,
        "per_month": 0.2,
        "unknown": ["Databricks: DBU"],
    },
    "lines": [
        {
            "service": "DynamoDB",
            "what": "export",
            "when": "once",
            "formula": "GB of the table * price",
            "quantity": 15.0,
            "unit": "GB",
            "price": "dynamodb_export",
            "amount": 0.1,
            "is_confirmed": False,
            "money": 1.5,
        },
        {
            "service": "Databricks",
            "what": "DBU",
            "when": "once",
            "formula": "nodes * hours * price",
            "quantity": None,
            "unit": "DBU",
            "price": "databricks_job_dbu",
            "amount": 0.3,
            "is_confirmed": False,
            "money": None,
        },
    ],
}
