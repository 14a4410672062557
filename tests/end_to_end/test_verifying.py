"""Migrations that have ended: verified again after damage, cancelled, and refused."""

import copy
import math
import time

import pytest

from tests.contract.polling import wait_until
from tests.end_to_end.test_crashes import load_runs
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


def solid_items():
    return [
        {
            "pk": {"S": f"k{n:02}"},
            "deep": {"M": {"list": {"L": [{"S": "x"}, {"M": {"price": {"N": str(n)}}}]}}},
            "digits": {"N": DIGITS},
            "double": {"N": repr(DOUBLE)},
            "tags": {"SS": ["blue", "green"]},
        }
        for n in range(40)
    ]


def mortal_items():
    now = int(time.time())
    lives = {"kept": 86_400, "rewritten": 86_400, "altered": 86_400, "fading": 100}
    return [
        {"pk": {"S": "forever"}},
        *({"pk": {"S": name}, "until": {"N": str(now + seconds)}} for name, seconds in lives.items()),
    ]


@pytest.fixture(scope="module")
def containers(user):
    """The containers of a migration that has ended, by the names of their tables."""
    user.create_table("Solid", solid_items())
    user.create_table("Mortal", mortal_items(), ttl="until")
    user.start(
        plan("solid", {"table": "Solid", "container": "solid"}, {"table": "Mortal", "container": "mortal"})
    )
    assert user.ended("solid")["state"] == "succeeded"
    database = user.cosmos.get_database_client("solid")
    return {name: database.get_container_client(name.lower()) for name in ("Solid", "Mortal")}


def verified(user, **body):
    """Verify anew, and return what the report then says of each table."""
    assert user.operate("solid", "verify", body or None)["state"] == "succeeded"
    return {table: report_of(user, "solid", table) for table in ("Solid", "Mortal")}


def documents_of(container):
    return {document["id"]: document for document in container.read_all_items()}


def alter(container, document, change):
    document = copy.deepcopy(document)
    change(document)
    container.upsert_item(document)


def damage(solid, whole):
    solid.delete_item("k00", "k00")
    solid.delete_item("k01", "k01")
    solid.upsert_item({"id": "new", "pk": "new"})
    alter(solid, whole["k10"], lambda it: it["deep"]["list"][1].update(price=99))
    alter(solid, whole["k11"], lambda it: it.update(digits="12345678901234568"))
    alter(solid, whole["k12"], lambda it: it.update(double=math.nextafter(DOUBLE, 2)))
    alter(solid, whole["k13"], lambda it: it.update(tags=["blue", "grey"]))
    alter(solid, whole["k14"], lambda it: it.update(own=None))


def live_on(mortal):
    """Let a document expire, write another again, and give a third another time to live."""
    documents = documents_of(mortal)
    if "fading" in documents:
        mortal.delete_item("fading", "fading")
    mortal.upsert_item(documents["rewritten"])
    mortal.upsert_item({**documents["altered"], "ttl": 1000})


def make_good(solid, whole):
    for name in documents_of(solid).keys() - whole.keys():
        solid.delete_item(name, name)
    for document in whole.values():
        solid.upsert_item(document)


@pytest.fixture(scope="module")
def found(user, containers):
    """What one verification after the other found, by method, and last what it found of what was made good."""
    solid = containers["Solid"]
    whole = documents_of(solid)
    assert whole["k00"]["double"] == DOUBLE
    damage(solid, whole)
    live_on(containers["Mortal"])
    found = {
        "full": verified(user),
        "status": user.status("solid"),
        "counts": verified(user, verify="counts"),
    }
    make_good(solid, whole)
    for name in sorted(whole)[:20]:
        solid.delete_item(name, name)
    found["sample"] = verified(user, verify="sample:0.5", tables=["Solid"])
    make_good(solid, whole)
    return {**found, "good": verified(user, tables=["Solid"])}


def counts(method, expected, actual, *, missing, unexpected, different):
    return {
        "method": method,
        "expected": expected,
        "actual": actual,
        "missing": missing,
        "unexpected": unexpected,
        "different": different,
    }


def test_every_kind_of_damage_is_counted_exactly_and_named(found):
    part = found["full"]["Solid"]
    assert part["verification"] == counts("full", 40, 39, missing=2, unexpected=1, different=5)
    assert {(one["kind"], one["document"]): one["properties"] for one in part["mismatches"]} == {
        ("missing", '["k00","k00"]'): [],
        ("missing", '["k01","k01"]'): [],
        ("unexpected", '["new","new"]'): [],
        ("different", '["k10","k10"]'): ["deep.list[1].price"],
        ("different", '["k11","k11"]'): ["digits"],
        ("different", '["k12","k12"]'): ["double"],
        ("different", '["k13","k13"]'): ["tags[1]"],
        ("different", '["k14","k14"]'): ["own"],
    }


def test_numbers_alone_do_not_see_what_documents_say(found):
    part = found["counts"]["Solid"]
    assert part["verification"] == counts("counts", 40, 39, missing=1, unexpected=0, different=None)
    assert part["mismatches"] == []


def test_the_migration_stays_succeeded_and_counts_mismatches(found):
    (solid,) = [table for table in found["status"]["tables"] if table["table"] == "Solid"]
    assert (found["status"]["state"], solid["mismatches"]) == ("succeeded", 8)


def test_a_sample_finds_its_share_of_what_is_missing(found):
    part = found["sample"]["Solid"]
    verification = part["verification"]
    missing = verification["missing"]
    assert 0 < missing == verification["expected"] - verification["actual"] < 20
    assert len(part["mismatches"]) == missing


def test_what_expires_is_no_mismatch_and_another_time_to_live_is(found):
    full, numbers = found["full"]["Mortal"], found["counts"]["Mortal"]
    assert full["verification"] == counts("full", 4, 4, missing=0, unexpected=0, different=1)
    (example,) = full["mismatches"]
    assert (example["document"], example["properties"]) == ('["altered","altered"]', ["ttl"])
    assert numbers["verification"] == counts("counts", 4, 4, missing=0, unexpected=0, different=None)


def test_what_was_made_good_passes(found):
    part = found["good"]["Solid"]
    assert part["verification"] == counts("full", 40, 40, missing=0, unexpected=0, different=0)
    assert part["mismatches"] == []
    numbers = [operation["number"] for operation in part["operations"]]
    assert len(numbers) >= 4
    assert numbers == sorted(set(numbers))
    assert part["operations"][-1]["verification"]["missing"] == 0
    # Half of what the container has by now, which others may use.
    assert part["operations"][-1]["verify_ru_per_second"] == 500


def test_operations_are_listed_newest_first(user, found):
    shown = user.status("solid")["operations"]
    assert [one["number"] for one in shown] == list(range(len(shown), 0, -1))
    assert all(one["started_at"] <= one["finished_at"] for one in shown)


def begin_to_verify(user):
    """Ask for a verification, and wait until its load run is there; return its number and the runs of before."""
    before = {run.run_id for run in load_runs(user)}
    answer = user.http.post(f"{API}/solid/verify", json={"tables": ["Solid"]})
    assert answer.status_code == 202, answer.text
    wait_until(lambda: {run.run_id for run in load_runs(user)} - before)
    return answer.json()["number"], before


def operation_ended(user, migration, number):
    def look():
        last = user.status(migration)["operations"][0]
        assert last["number"] == number
        return last if last["finished_at"] else None

    return wait_until(look, LOOK_SECONDS)


def test_a_second_operation_is_refused_and_cancelling_stops_the_first_alone(user, containers):
    report = user.report("solid")
    with user.held_verification():
        number, before = begin_to_verify(user)
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
    assert user.operate("solid", "verify", {"verify": "counts", "tables": ["Solid"]})["number"] == number + 1


def test_a_host_killed_in_a_verify_goes_on_with_the_same_run(user, containers):
    number, before = begin_to_verify(user)
    user.restart("functions_host")
    assert operation_ended(user, "solid", number)["state"] == "succeeded"
    assert len({run.run_id for run in load_runs(user)} - before) == 1


def test_a_migration_that_runs_is_not_verified(user):
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


def test_a_table_that_was_not_loaded_is_not_verified(user):
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
