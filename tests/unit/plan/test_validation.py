import pytest

from d2c.plan.model import parse_plan
from d2c.plan.validation import faults_of_sharers

from .test_model import MUSIC, faults_of, plan_text

ORDERS = {"table": "Orders", "container": "orders"}


def sharer(name, **rules):
    return {"table": name, "container": "all", "rules": rules}


def marked(name, value, key=("kind", "Artist"), **rules):
    return sharer(name, set={"kind": value}, partition_key=list(key), **rules)


def test_tables_that_share_a_container_need_different_constants_in_their_keys():
    assert parse_plan(plan_text(tables=[marked("Music", "m"), marked("Orders", "o")]))


@pytest.mark.parametrize(
    "tables",
    [
        [sharer("Music"), sharer("Orders")],
        [marked("Music", "m"), marked("Orders", "m")],
        [marked("Music", "m"), sharer("Orders")],
        [marked("Music", "m"), marked("Orders", "o"), marked("Notes", "m")],
        [marked("Music", 1), marked("Orders", 1.0)],
        [sharer("Music", set={"kind": "m"}), sharer("Orders", set={"kind": "o"})],
        # Each has a constant, but an item of one may have the constant of the other as an attribute.
        [
            sharer("Music", set={"kind": "m"}, partition_key=["kind", "place"]),
            sharer("Orders", set={"place": "o"}, partition_key=["kind", "place"]),
        ],
    ],
)
def test_tables_whose_documents_could_be_taken_for_one_another_share_no_container(tables):
    (fault,) = faults_of(plan_text(tables=tables))
    assert "share the container shop/all: each needs a `set` constant in its partition_key" in fault
    assert all(table["table"] in fault for table in tables)


@pytest.mark.parametrize("values", [(1, 2), (1, True), ("1", 1), (None, False), (0, False)])
def test_constants_that_cosmos_db_distinguishes_can_separate_tables(values):
    assert parse_plan(
        plan_text(tables=[marked(f"Table{place}", value) for place, value in enumerate(values)])
    )


def test_tables_that_share_a_container_share_its_partition_key():
    tables = [marked("Music", "m"), marked("Orders", "o", key=("kind", "Customer"))]
    (fault,) = faults_of(plan_text(tables=tables))
    assert "not its partition key (/kind/Artist of Music, /kind/Customer of Orders)" in fault


def test_paths_are_those_of_the_documents():
    renamed = marked("Orders", "o", key=("kind", "Customer"), rename={"Customer": "Artist"})
    assert parse_plan(plan_text(tables=[marked("Music", "m"), renamed]))


def test_the_rules_at_the_top_count_for_sharers():
    shared = {"partition_key": ["kind", "Artist"], "set": {"kind": "x"}}
    tables = [{"table": "Music", "container": "all"}, sharer("Orders", set={"kind": "o"}, partition_key=None)]
    assert parse_plan(plan_text(tables=tables, rules=shared))
    tables[1]["rules"]["set"]["kind"] = "x"
    assert faults_of(plan_text(tables=tables, rules=shared))


def test_containers_of_one_name_in_two_databases_are_two():
    tables = [
        {"table": "Music", "container": "all"},
        {"table": "Orders", "container": "all", "database": "crm"},
    ]
    assert parse_plan(plan_text(tables=tables))


def test_a_container_that_is_called_as_another_table_is_shared_with_it():
    (fault,) = faults_of(plan_text(tables=[{"table": "Music"}, {"table": "Orders", "container": "Music"}]))
    assert "Music, Orders share the container shop/Music" in fault


def test_a_pattern_has_no_container():
    (fault,) = faults_of(plan_text(tables=[{"table": "shop-*", "container": "all"}]))
    assert fault.startswith(
        "tables.0.container: the tables of a pattern, shop-*, get containers of their own names"
    )


def test_a_pattern_occurs_once_in_a_plan():
    (fault,) = faults_of(plan_text(tables=[{"table": "shop-*"}, MUSIC, {"table": "shop-*"}]))
    assert fault == "tables.2.table: shop-* is in tables.0 already"


def test_a_window_needs_to_know_by_whose_clock():
    (fault,) = faults_of(plan_text(between=["22:00", "06:00"]))
    assert fault.startswith("time_zone: missing")


def test_a_plan_that_waits_for_exports_has_no_other_start():
    (fault,) = faults_of(plan_text(start="when_exports_arrive", start_at="2026-11-06T22:00:00Z"))
    assert fault.startswith("start_at:")
    assert parse_plan(plan_text(start="when_exports_arrive", between=["22:00", "06:00"], time_zone="UTC"))


def test_faults_within_fields_and_between_them_come_at_once():
    tables = [
        {**MUSIC, "colour": 1},
        MUSIC,
        {"table": "shop-*", "container": "a/b"},
        {"container": "x"},
        "Orders",
        {"table": 7},
        marked("One", "x"),
        marked("Two", "x"),
    ]
    faults = faults_of(
        plan_text(tables=tables, database=None, between=["22:00", "06:00"], max_parallel_tables=0)
    )
    assert [fault.split(": ")[0] for fault in faults if "share" not in fault] == [
        "tables.0.colour",
        "tables.2.container",
        "tables.3.table",
        "tables.4",
        "tables.5.table",
        "max_parallel_tables",
        "time_zone",
        "tables.2.container",
        *(f"tables.{number}.database" for number in (0, 1, 2, 3, 5, 6, 7)),
        "tables.1.table",
    ]
    assert sum("One, Two share" in fault for fault in faults) == 1


@pytest.mark.parametrize("rules", [1, [], {"set": []}, {"partition_key": "kind"}, {"partition_key": [[]]}])
@pytest.mark.parametrize("at_the_top", [True, False])
def test_rules_with_faults_of_their_own_are_not_judged_further(rules, at_the_top):
    tables = [marked("Music", "m"), marked("Orders", "o")]
    if not at_the_top:
        tables[0]["rules"] = rules
    faults = faults_of(plan_text(tables=tables, rules=rules if at_the_top else {}))
    assert all("rules." in fault or ".rules" in fault or fault.startswith("rules") for fault in faults)


@pytest.mark.parametrize("tables", [1, "Music", {}, {"0": MUSIC}, [], [[]], [None, 1]])
@pytest.mark.parametrize("database", [None, 1, ["shop"]])
def test_faults_are_reported_for_any_value_of_tables(tables, database):
    faults = faults_of(plan_text(tables=tables, database=database))
    assert any(fault.startswith("tables") for fault in faults)


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 100_000, b'{"tables": 1e999}', b'{"name": "\\ud800"}']
)
def test_json_made_to_break_a_parser_is_refused(text):
    assert faults_of(text)


def test_one_duplicate_among_a_thousand_sharers_gives_a_short_fault():
    tables = [{**marked(f"T{number}", number), "database": "shop"} for number in range(1000)]
    assert list(faults_of_sharers(tables)) == []
    tables[999]["rules"] = tables[0]["rules"]
    (fault,) = faults_of_sharers(tables)
    assert fault.startswith(
        "T0, T1, T2, T3, T4, T5, T6, T7, T8, T9 and 990 others share the container shop/all"
    )


@pytest.mark.parametrize("at_the_top", [True, False])
def test_rules_are_checked_with_the_plan_where_it_tells_the_tables_keys(at_the_top):
    rules = {"partition_key": ["/Artist"], "drop": ["Artist"]}
    table = {"table": "Music", "source": {"hash_key": "Artist"}, **({} if at_the_top else {"rules": rules})}
    faults = faults_of(plan_text(tables=[table, ORDERS], rules=rules if at_the_top else None))
    assert [fault.split(":")[:2] for fault in faults] == [
        ["rules of Music", " partition_key"],
        ["rules of Music", " drop"],
    ]
