import pytest

from d2c.checks.cosmos.account import check_account, check_room, most_ru
from d2c.clients.azure.cosmos.management import Account

from .fakes import REFUSED, Answers, finding, states

ACCOUNT = Account("GlobalDocumentDB", False, False, None, ("West Europe",), True)


def account(found=ACCOUNT, containers=(("shop", "music"),), data_plane=None):
    management = Answers(describe_account=found, list_containers=list(containers))
    return check_account(lambda: management, Answers(read=data_plane).read, "cosmos")


def table(container="music", load_ru=4000, after_ru=1000, size_bytes=10**9):
    return {
        "database": "shop",
        "container": container,
        "load_ru": load_ru,
        "after_ru": after_ru,
        "size_bytes": size_bytes,
    }


def sharing(container, ru_per_second=400):
    shared = {"ru_per_second": ru_per_second, "autoscale": False}
    return {**table(container, 0, 0), "scaling": {"peak_ru_per_second": None, "shared": shared}}


def test_a_database_that_containers_share_counts_once():
    assert most_ru([sharing("a"), sharing("b"), table("own")], caps()) == 400 + 4000


def small(container, load_ru=4000, after_ru=1000):
    return table(container, load_ru, after_ru, size_bytes=1000)


def caps(**changes):
    return {
        "load": 4,
        "tables_per_load_run": 20,
        "tables": None,
        "share_load_run_below_bytes": 10**6,
        **changes,
    }


def room(tables, containers=(), **changes):
    facts = {
        "account": {"is_serverless": False, "is_free_tier": False, "throughput_limit": None, **changes},
        "containers": containers,
    }
    return check_room("cosmos", facts, tables, caps())


def test_both_planes_are_looked_at_and_one_that_refuses_hides_not_the_other():
    findings, facts = account()
    assert states(findings) == {("cosmos", "account"): "ok", ("cosmos", "data plane"): "ok"}
    assert facts["containers"] == [["shop", "music"]]
    findings, _ = account(data_plane=REFUSED)
    assert states(findings) == {("cosmos", "account"): "ok", ("cosmos", "data plane"): "failed"}
    findings, facts = account(found=REFUSED)
    assert states(findings) == {("cosmos", "account"): "failed", ("cosmos", "data plane"): "ok"}
    assert facts == {}


def test_an_account_of_another_kind_fails():
    other = Account("MongoDB", False, False, None, (), True)
    assert finding(account(found=other)[0], "account").state == "failed"


def test_containers_that_differ_by_case_only_fail():
    assert finding(room([table("Music"), table("music")]), "names").state == "failed"
    assert finding(room([table("music"), table("music")]), "names").state == "ok"


def test_more_containers_than_an_account_may_have_fail_and_those_that_are_there_count_once():
    many = [["shop", f"c{n}"] for n in range(498)]
    assert {one["state"] for one in room([table()], containers=many)} == {"ok"}
    assert "failed" in {one["state"] for one in room([table(), table("other")], containers=many)}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "ok"),
        ({"throughput_limit": 4000}, "ok"),
        ({"throughput_limit": 3999}, "failed"),
        ({"is_free_tier": True}, "warning"),
        ({"is_serverless": True}, "warning"),
    ],
)
def test_the_accounts_own_limit_is_held_against_what_the_plan_needs(changes, state):
    (_, _, throughput) = room([table()], **changes)
    assert throughput["state"] == state


def test_what_lowers_the_need_is_named_where_the_limit_is_too_low():
    (_, _, throughput) = room([table()], throughput_limit=3999)
    assert "max_parallel_loads, max_tables_per_load_run" in throughput["next_step"]


def test_the_most_throughput_counts_loads_side_by_side_and_the_others_as_after_theirs():
    tables = [table("a", 4000, 1000), table("b", 10_000, 1000), table("c", 6000, 400)]
    assert most_ru(tables, caps(load=1)) == 2400 + 9000
    assert most_ru(tables, caps(load=3)) == 20_000
    assert most_ru([table("a", 400, 1000)], caps(load=1)) == 1000
    assert most_ru([], caps()) == 0


def test_a_load_lane_has_one_large_table_or_a_run_of_small_ones():
    tables = [table(f"large{n}", 8000) for n in range(5)] + [small(f"small{n}") for n in range(50)]
    # One lane: twenty small ones add more than a large one. Four: two runs of 20, the last 10, and a large one.
    assert most_ru(tables, caps(load=1)) == 55 * 1000 + 20 * 3000
    assert most_ru(tables, caps()) == 55 * 1000 + 50 * 3000 + 7000
    assert most_ru(tables, caps(tables_per_load_run=2)) == 55 * 1000 + 4 * 7000
    assert most_ru(tables, caps(tables=10)) == 55 * 1000 + 3 * 7000 + 7 * 3000
    assert most_ru(tables, caps(tables=1)) == 55 * 1000 + 7000


def test_tables_that_share_a_container_count_once():
    assert most_ru([table(load_ru=8000), small("music"), table()], caps()) == 8000


def test_a_table_of_unknown_size_is_loaded_alone():
    unknown = [table(f"c{n}", size_bytes=None) for n in range(3)]
    assert most_ru(unknown, caps(load=1)) == 3 * 1000 + 3000


def test_nothing_is_held_against_an_account_that_could_not_be_seen():
    assert states(check_room("cosmos", {}, [table()], caps())) == {("cosmos", "names"): "ok"}
