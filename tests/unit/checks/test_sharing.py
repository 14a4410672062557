import pytest

from d2c.checks.cosmos.sharing import check_sharing
from d2c.checks.cosmos.throughput import told_throughput
from d2c.clients.azure.cosmos.management import Database, Throughput

from .fakes import finding, states
from .test_containers import TABLE, checked

PLANNED = {"ru_per_second": 400, "autoscale": False}
SHARING = {**TABLE, "throughput": {"kind": "shared", "database": PLANNED}}
HAS = Database(Throughput(1000, True, 1000, False))


def told(database, **changes):
    found = checked(
        table=SHARING,
        **{"find_container": None, "find_throughput": None, "find_database": database, **changes},
    )
    return found, finding(found.findings, "shared throughput")


def test_a_database_that_does_not_exist_is_created_with_what_the_plan_has():
    found, about = told(None)
    assert (about.state, found.planned.scaling["shared"]) == ("ok", PLANNED)
    assert about.finding == "It shares the 400 RU/s (manual) that the database shop is created with."
    assert told_throughput(found.planned) == "no throughput of its own"


@pytest.mark.parametrize("exists", [True, False])
def test_one_that_has_some_keeps_it_whatever_the_plan_has(exists):
    found, about = told(HAS, **({} if exists else {"find_container": None}))
    assert (about.state, found.planned.scaling["shared"]["ru_per_second"]) == ("ok", 1000)
    assert "1,000 RU/s (at most by autoscale) that the database shop has" in about.finding


def test_one_without_any_fails_with_what_to_do():
    _, about = told(Database(None))
    assert about.state == "failed"
    assert "can only be given some when it is created" in about.finding
    assert "throughput.kind manual or autoscale" in about.next_step


def test_a_serverless_account_has_nothing_to_share():
    assert told(Database(None, is_serverless=True))[1].state == "skipped"


def test_a_container_that_exists_with_its_own_is_scaled():
    found = checked(table=SHARING)
    assert finding(found.findings, "throughput").state == "ok"
    assert ("shop/music", "shared throughput") not in states(found.findings)


def table(name, write_ru=5000, ru_per_second=400):
    scaling = {"peak_ru_per_second": None, "shared": {"ru_per_second": ru_per_second, "autoscale": False}}
    return {"table": name, "database": "shop", "container": name, "scaling": scaling, "write_ru": write_ru}


def checked_sharing(*tables, containers=()):
    return check_sharing({"containers": containers}, tables)


def test_small_tables_load_in_the_time_that_they_take_together():
    (found,) = checked_sharing(table("a"), table("b"))
    assert (found["state"], found["thing"]) == ("ok", "shop")
    assert "writing takes 25 s in all" in found["finding"]


def test_tables_that_take_more_than_an_hour_are_warned_of_with_the_largest():
    (found,) = checked_sharing(table("a"), table("large", 400 * 7200))
    assert found["state"] == "warning"
    assert "2 h 0 min of it for large" in found["finding"]
    assert "database_throughput.ru_per_second" in found["next_step"]


def test_other_containers_of_the_database_may_take_the_room():
    others = [["shop", f"old-{n}"] for n in range(24)]
    assert states(checked_sharing(table("a"), containers=others)) == {("shop", "shared throughput"): "ok"}
    (found, _) = checked_sharing(table("a"), table("b"), containers=[*others, ["shop", "a"], ["else", "x"]])
    assert found["state"] == "warning"
    assert "2 containers of the plan share its throughput, and 24 others are in it" in found["finding"]
    assert "If more than 23 of the others" in found["next_step"]
