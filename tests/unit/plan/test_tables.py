import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.errors import PlanError
from d2c.plan.model import parse_plan
from d2c.plan.tables import Location, in_order, locations_with_patterns, resolve_tables, table_input_of

from .test_model import plan_text

EU, US = "eu-west-1", "us-east-1"
EXISTING = ["Music", "shop-Carts", "shop-Orders", "shop-tmp-1", "shop-tmp-2"]


def plan(*tables, **changes):
    return parse_plan(
        plan_text(tables=[{"table": one} if isinstance(one, str) else one for one in tables], **changes)
    )


def resolved(found):
    return [table["table"] for table in found]


def faults(asked, existing):
    with pytest.raises(PlanError) as refused:
        resolve_tables(asked, existing)
    return refused.value.faults


def test_only_places_of_patterns_need_to_be_listed():
    asked = plan("Music", {"table": "a*", "region": US}, {"table": "b*", "region": US}, {"table": "Orders"})
    assert locations_with_patterns(asked) == [Location(None, US)]
    assert locations_with_patterns(plan("Music")) == []
    assert locations_with_patterns(plan("*", {"table": "a*", "region": US})) == [
        Location(None, EU),
        Location(None, US),
    ]


def test_tables_that_are_listed_by_their_names_need_not_be_there():
    asked = plan("Music", "Orders")
    assert resolve_tables(asked, {}) == asked.table_inputs()


@pytest.mark.parametrize(
    ("tables", "exclude", "expected"),
    [
        (["*"], [], EXISTING),
        (["shop-*"], [], EXISTING[1:]),
        (["shop-*"], ["shop-tmp-*"], ["shop-Carts", "shop-Orders"]),
        (["*"], ["Music", "shop-tmp-*"], ["shop-Carts", "shop-Orders"]),
        (["*"], ["shop-Order"], EXISTING),
        (["shop-tmp-*", "*"], [], ["shop-tmp-1", "shop-tmp-2", "Music", "shop-Carts", "shop-Orders"]),
        (["*", "shop-tmp-*"], [], EXISTING),
        (["*", "Music"], [], [*EXISTING[1:], "Music"]),
        (["shop-*", "shop-tmp-1"], ["shop-tmp-*"], ["shop-Carts", "shop-Orders", "shop-tmp-1"]),
        (["Music", "Nowhere"], ["*"], ["Music", "Nowhere"]),
    ],
)
def test_patterns_become_the_tables_that_they_match(tables, exclude, expected):
    assert resolved(resolve_tables(plan(*tables, exclude=exclude), {(None, EU): EXISTING})) == expected


def test_names_of_a_pattern_are_sorted_however_they_were_listed():
    assert resolved(resolve_tables(plan("*"), {(None, EU): EXISTING[::-1]})) == EXISTING


def test_a_table_of_a_pattern_has_its_entrys_and_common_settings():
    entry = {
        "table": "shop-*",
        "database": "crm",
        "rules": {"numbers": "string"},
        "source": {"hash_key": "id"},
    }
    (first, *_) = resolve_tables(
        plan(entry, "*", rules={"drop": ["x"]}, verify="counts"), {(None, EU): EXISTING}
    )
    assert first == {
        "table": "shop-Carts",
        "container": "shop-Carts",
        "database": "crm",
        "region": EU,
        "verify": "counts",
        "allow_existing_documents": False,
        "indexing": "keys",
        "rules": {"drop": ["x"], "numbers": "string"},
        "throughput": {"load_ru_per_second": "auto"},
        "limits": {"max_rejected_items": 0, "max_logical_partition_bytes": 20 * 2**30},
        "source": {"hash_key": "id", "range_key": None, "ttl_attribute": None},
    }


def test_the_first_pattern_that_matches_says_how():
    found = resolve_tables(
        plan({"table": "shop-tmp-*", "verify": "counts"}, "shop-*", {"table": "*", "verify": "sample:0.5"}),
        {(None, EU): EXISTING},
    )
    assert {table["table"]: table["verify"] for table in found} == {
        "shop-tmp-1": "counts",
        "shop-tmp-2": "counts",
        "shop-Carts": "full",
        "shop-Orders": "full",
        "Music": "sample:0.5",
    }


def test_a_pattern_sees_the_tables_of_its_own_region_only():
    found = resolve_tables(
        plan("a*", {"table": "*", "region": US}), {(None, EU): ["aaa", "bbb"], (None, US): ["abc", "ccc"]}
    )
    assert [(table["table"], table["region"]) for table in found] == [("aaa", EU), ("abc", US), ("ccc", US)]


def test_a_pattern_that_matches_nothing_is_a_fault():
    (fault,) = faults(plan("shop-*", "crm-*", "Music"), {(None, EU): EXISTING})
    assert fault.startswith("tables.1.table: no table in eu-west-1 matches crm-*")


def test_a_pattern_whose_tables_all_have_other_entries_is_none():
    assert resolved(resolve_tables(plan("Music", "Mus*"), {(None, EU): EXISTING})) == ["Music"]


def test_a_plan_that_excludes_all_its_tables_is_refused():
    assert faults(plan("shop-*", exclude=["*"]), {(None, EU): EXISTING}) == (
        "exclude: no table remains to migrate",
    )


@pytest.mark.parametrize("first", ["*", "Music"])
def test_a_table_name_from_two_regions_is_a_fault(first):
    (fault,) = faults(
        plan(first, {"table": "M*", "region": US}), {(None, EU): ["Music"], (None, US): ["Music"]}
    )
    assert fault.startswith("tables.1.table: Music of us-east-1 has the same name as tables.0 of eu-west-1")


def test_a_container_that_comes_to_be_shared_by_chance_is_a_fault():
    (fault,) = faults(plan({"table": "Sales", "container": "shop-Orders"}, "shop-*"), {(None, EU): EXISTING})
    assert "Sales, shop-Orders share the container shop/shop-Orders" in fault


def test_all_faults_come_at_once():
    asked = plan(
        {"table": "Sales", "container": "shop-Orders"}, "shop-*", "crm-*", {"table": "S*", "region": US}
    )
    assert len(faults(asked, {(None, EU): EXISTING, (None, US): ["Sales"]})) == 3


def test_the_entry_for_one_table_is_the_one_that_resolving_finds():
    asked = plan("Music", "shop-*", {"table": "crm-*", "region": US}, exclude=["shop-tmp-*"])
    assert (
        table_input_of(asked, "shop-Orders", Location(None, EU))
        == resolve_tables(asked, {(None, EU): EXISTING, (None, US): ["crm-a"]})[2]
    )
    assert table_input_of(asked, "Music", Location(None, EU)) == asked.table_inputs()[0]
    assert table_input_of(asked, "shop-Orders", Location(None, US)) is None
    assert table_input_of(asked, "shop-tmp-1", Location(None, EU)) is None
    assert table_input_of(asked, "Invoices", Location(None, EU)) is None


def test_hundreds_of_patterns_over_thousands_of_tables_are_resolved():
    tables = [f"team{n % 500:03}-table{n:04}" for n in range(5000)]
    found = resolve_tables(plan(*(f"team{n:03}-*" for n in range(500))), {(None, EU): tables})
    assert sorted(resolved(found)) == sorted(tables)


names = st.text("ab-", min_size=3, max_size=5)
patterns = st.text("ab-", max_size=3).map(lambda text: f"{text}*")


@given(
    st.lists(names | patterns, min_size=1, max_size=6, unique=True),
    st.lists(names | patterns, max_size=2),
    st.lists(names, unique=True),
)
def test_every_table_is_there_at_most_once_and_for_a_reason(tables, exclude, existing):
    def matches(name, among):
        return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in among)

    listed = {name for name in tables if not name.endswith("*")}
    expected = listed | {name for name in existing if matches(name, tables) and not matches(name, exclude)}
    asked = plan(*tables, exclude=exclude)
    if expected and all(any(matches(name, [one]) for name in existing) for one in set(tables) - listed):
        found = resolved(resolve_tables(asked, {(None, EU): existing}))
        assert len(found) == len(set(found))
        assert set(found) == expected
    else:
        assert faults(asked, {(None, EU): existing})


ONE, TWO = "111122223333", "444455556666"


def test_tables_of_two_accounts_in_one_region_are_distinct():
    asked = plan({"table": "a*", "account": ONE}, {"table": "*", "account": TWO})
    assert locations_with_patterns(asked) == [Location(ONE, EU), Location(TWO, EU)]
    found = resolve_tables(asked, {Location(ONE, EU): ["aaa", "bbb"], Location(TWO, EU): ["acc"]})
    assert [(table["table"], table["account"]) for table in found] == [("aaa", ONE), ("acc", TWO)]


def test_the_account_at_the_top_is_that_of_tables_that_name_none():
    asked = plan("Music", {"table": "x*", "account": TWO}, account=ONE)
    assert locations_with_patterns(asked) == [Location(TWO, EU)]
    assert resolve_tables(asked, {Location(TWO, EU): ["xyz"]})[0]["account"] == ONE


def test_a_table_name_from_two_accounts_is_a_fault_that_names_both():
    asked = plan({"table": "M*", "account": ONE}, {"table": "Mu*", "account": TWO})
    (fault,) = faults(asked, {Location(ONE, EU): ["Music"], Location(TWO, EU): ["Music"]})
    assert f"{EU} of account {TWO}" in fault
    assert f"{EU} of account {ONE}" in fault


def test_a_pattern_without_tables_is_reported_with_its_account():
    (fault,) = faults(plan({"table": "x*", "account": ONE}), {Location(ONE, EU): ["Music"]})
    assert f"no table in {EU} of account {ONE} matches x*" in fault


@pytest.mark.parametrize(("account", "speaks"), [(ONE, True), (TWO, False)])
def test_a_plan_with_an_account_speaks_of_tables_of_that_account_only(account, speaks):
    asked = plan({"table": "*", "account": ONE})
    assert bool(table_input_of(asked, "Music", Location(account, EU))) == speaks


def test_a_plan_without_an_account_speaks_of_tables_of_any():
    assert table_input_of(plan("*"), "Music", Location(TWO, EU))


@pytest.mark.parametrize(
    ("order", "expected"), [("as_listed", ["a", "b", "c", "d"]), ("largest_first", ["b", "c", "a", "d"])]
)
def test_tables_go_as_listed_or_the_largest_first_with_those_of_unknown_size_before_all(order, expected):
    tables = [
        {"table": "a", "size_bytes": 5},
        {"table": "b", "size_bytes": None},
        {"table": "c", "size_bytes": 7},
        {"table": "d", "size_bytes": 5},
    ]
    assert resolved(in_order(plan("Music", order=order), tables)) == expected
