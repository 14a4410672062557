"""Migrations that have ended, revisited: verified again after damage, cancelled, and refused."""

import copy
import math
import time

import pytest

from tests.contract.polling import wait_until
from tests.end_to_end.test_crashes import kill, load_runs
from tests.end_to_end.user import API, LOOK_SECONDS, plan

DIGITS = "12345678901234567"
DOUBLE = 1.2345678901234567


def report_of(user, migration, table):
    return next(part for part in user.report(migration)["tables"] if part["table"] == table)


def assert_refused(answer, status, *words):
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    for word in words:
        assert word in answer.json()["detail"]
    assert answer.json()["next_step"]


@pytest.fixture(scope="module")
def container(user):
    items = [
        {
            "pk": {"S": f"k{n:02}"},
            "deep": {"M": {"list": {"L": [{"S": "x"}, {"M": {"price": {"N": str(n)}}}]}}},
            "digits": {"N": DIGITS},
            "double": {"N": repr(DOUBLE)},
            "tags": {"SS": ["blue", "green"]},
        }
        for n in range(40)
    ]
    user.create_table("Solid", items)
    user.start(plan("solid", {"table": "Solid", "container": "solid"}))
    assert user.ended("solid")["state"] == "succeeded"
    return user.cosmos.get_database_client("solid").get_container_client("solid")


@pytest.fixture(scope="module")
def whole(container):
    return {document["id"]: document for document in container.read_all_items()}


@pytest.fixture
def damaged(container, whole):
    """Return changes to make; whatever they do is made good afterwards."""
    yield container
    for document in container.read_all_items():
        if document["id"] not in whole:
            container.delete_item(document["id"], document["pk"])
    for document in whole.values():
        container.upsert_item(document)


def verified(user, **body):
    assert user.revisit("solid", "verify", body or None)["state"] == "succeeded"
    part = report_of(user, "solid", "Solid")
    return part["verification"], part["mismatches"]


def alter(container, whole, name, change):
    document = copy.deepcopy(whole[name])
    change(document)
    container.upsert_item(document)


def test_every_kind_of_damage_is_counted_exactly_and_named(user, damaged, whole):
    assert whole["k00"]["double"] == DOUBLE
    damaged.delete_item("k00", "k00")
    damaged.delete_item("k01", "k01")
    damaged.upsert_item({"id": "new", "pk": "new"})
    alter(damaged, whole, "k10", lambda it: it["deep"]["list"][1].update(price=99))
    alter(damaged, whole, "k11", lambda it: it.update(digits="12345678901234568"))
    alter(damaged, whole, "k12", lambda it: it.update(double=math.nextafter(DOUBLE, 2)))
    alter(damaged, whole, "k13", lambda it: it.update(tags=["blue", "grey"]))
    alter(damaged, whole, "k14", lambda it: it.update(own=None))
    counts, examples = verified(user)
    assert counts == {
        "method": "full",
        "expected": 40,
        "actual": 39,
        "missing": 2,
        "unexpected": 1,
        "different": 5,
    }
    found = {(example["kind"], example["document"]): example["properties"] for example in examples}
    assert found == {
        ("missing", '["k00","k00"]'): [],
        ("missing", '["k01","k01"]'): [],
        ("unexpected", '["new","new"]'): [],
        ("different", '["k10","k10"]'): ["deep.list[1].price"],
        ("different", '["k11","k11"]'): ["digits"],
        ("different", '["k12","k12"]'): ["double"],
        ("different", '["k13","k13"]'): ["tags[1]"],
        ("different", '["k14","k14"]'): ["own"],
    }
    assert user.table("solid", "Solid")["mismatches"] == 8
    assert user.status("solid")["state"] == "succeeded"


def test_half_of_all_documents_gone_are_counted_by_every_method(user, damaged, whole):
    for name in sorted(whole)[:20]:
        damaged.delete_item(name, name)
    counts, examples = verified(user)
    assert (counts["expected"], counts["actual"], counts["missing"]) == (40, 20, 20)
    assert len(examples) == 20
    counts, examples = verified(user, verify="counts", tables=["Solid"])
    assert counts == {
        "method": "counts",
        "expected": 40,
        "actual": 20,
        "missing": 20,
        "unexpected": 0,
        "different": None,
    }
    assert examples == []
    counts, _ = verified(user, verify="sample:0.5")
    assert 0 < counts["missing"] == counts["expected"] - counts["actual"] < 20


def test_numbers_alone_do_not_see_what_documents_say(user, damaged, whole):
    alter(damaged, whole, "k10", lambda it: it.update(digits="0"))
    damaged.upsert_item({"id": "new", "pk": "new"})
    counts, _ = verified(user, verify="counts")
    assert (counts["expected"], counts["actual"], counts["unexpected"]) == (40, 41, 1)


def test_what_was_made_good_passes(user, container, whole):
    counts, examples = verified(user)
    assert (counts["expected"], counts["actual"]) == (40, 40)
    assert (counts["missing"], counts["unexpected"], counts["different"], examples) == (0, 0, 0, [])
    revisits = report_of(user, "solid", "Solid")["revisits"]
    numbers = [revisit["number"] for revisit in revisits]
    assert numbers == list(range(1, len(revisits) + 1))
    assert revisits[-1]["verification"]["missing"] == 0
    shown = user.status("solid")["operations"]
    assert [one["number"] for one in shown] == numbers[::-1]
    assert all(one["started_at"] <= one["finished_at"] for one in shown)


def test_what_expires_is_neither_missing_nor_different_and_a_time_to_live_that_does_not_fit_is(user):
    now = int(time.time())
    items = [
        {"pk": {"S": name}, "until": {"N": str(now + 86_400)}} for name in ("kept", "rewritten", "altered")
    ]
    items += [{"pk": {"S": "fading"}, "until": {"N": str(now + 100)}}, {"pk": {"S": "forever"}}]
    user.create_table("Mortal", items, ttl="until")
    user.start(plan("mortal", {"table": "Mortal", "container": "mortal"}))
    assert user.ended("mortal")["state"] == "succeeded"
    container = user.cosmos.get_database_client("mortal").get_container_client("mortal")
    documents = {document["id"]: document for document in container.read_all_items()}
    if "fading" in documents:
        container.delete_item("fading", "fading")
    container.upsert_item(documents["rewritten"])
    container.upsert_item({**documents["altered"], "ttl": 1000})
    for method, different in (("full", 1), ("counts", None)):
        assert user.revisit("mortal", "verify", {"verify": method})["state"] == "succeeded"
        part = report_of(user, "mortal", "Mortal")
        assert part["verification"] == {
            "method": method,
            "expected": 4,
            "actual": 4,
            "missing": 0,
            "unexpected": 0,
            "different": different,
        }
        if different:
            (example,) = part["mismatches"]
            assert (example["document"], example["properties"]) == ('["altered","altered"]', ["ttl"])


def begin(user, migration, operation):
    """Ask for a revisit, and wait until its load run is there; return its number and the runs of before."""
    before = {run.run_id for run in load_runs(user)}
    answer = user.http.post(f"{API}/{migration}/{operation}")
    assert answer.status_code == 202, answer.text
    wait_until(lambda: {run.run_id for run in load_runs(user)} - before)
    return answer.json()["number"], before


def operation_ended(user, migration, number):
    def look():
        last = user.status(migration)["operations"][0]
        assert last["number"] == number
        return last if last["finished_at"] else None

    return wait_until(look, LOOK_SECONDS)


def test_a_second_revisit_is_refused_and_cancelling_stops_the_first_alone(user, container):
    report = user.report("solid")
    number, before = begin(user, "solid", "verify")
    assert_refused(user.http.post(f"{API}/solid/replay"), 409, f"verify-{number}", "solid")
    answer = user.http.post(f"{API}/solid/cancel")
    assert answer.status_code == 202
    assert (answer.json()["operation"], answer.json()["number"]) == ("verify", number)
    ended = operation_ended(user, "solid", number)
    assert (ended["state"], ended["error"]["title"]) == ("cancelled", "Cancelled")
    (run,) = [run for run in load_runs(user) if run.run_id not in before]
    wait_until(lambda: [it.state.result_state for it in load_runs(user) if it.run_id == run.run_id] != [None])
    assert (user.report("solid"), user.status("solid")["state"]) == (report, "succeeded")
    assert_refused(user.http.post(f"{API}/solid/cancel"), 409, "succeeded")
    assert user.revisit("solid", "verify", {"verify": "counts"})["number"] == number + 1


def test_a_host_killed_in_a_revisit_goes_on_with_the_same_run(user, container):
    number, before = begin(user, "solid", "verify")
    kill(user, "functions_host")
    user.cloud.start("functions_host")
    assert operation_ended(user, "solid", number)["state"] == "succeeded"
    assert len({run.run_id for run in load_runs(user)} - before) == 1


def test_a_migration_that_runs_is_not_revisited(user):
    user.create_table("Busy", [{"pk": {"S": "k"}}])
    user.fail("aws", {"operation": "DescribeExport", "status": 500, "count": 1000})
    user.start(plan("busy", {"table": "Busy", "container": "busy"}))
    try:
        for operation in ("verify", "replay"):
            assert_refused(user.http.post(f"{API}/busy/{operation}"), 409, "busy")
        assert user.rejected("busy") == []
    finally:
        user.http.post(f"{API}/busy/cancel")
        user.fail("aws")
    assert user.ended("busy")["state"] == "cancelled"


def test_a_table_that_was_not_loaded_is_not_revisited(user):
    user.start(plan("absent", {"table": "Absent", "container": "absent"}))
    assert user.ended("absent")["state"] == "failed"
    for operation in ("verify", "replay"):
        assert_refused(user.http.post(f"{API}/absent/{operation}"), 409, "Absent")
    assert user.status("absent")["operations"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "verify"), ("POST", "replay"), ("GET", "rejected"), ("POST", "cancel")]
)
def test_a_migration_that_is_not_there_is_not_found(user, method, path):
    assert_refused(user.http.request(method, f"{API}/nobody/{path}"), 404, "nobody")
