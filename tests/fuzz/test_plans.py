"""Whatever is sent as a plan is refused with its faults in few words, or is a plan that no later stage refuses."""

import json

from hypothesis import strategies as st

from d2c.app.settings import REQUIRED, read_settings
from d2c.errors import MOST_FAULTS, PlanError
from d2c.load_run.request import MOST_RULES_BYTES, rules_size
from d2c.plan.allowed import forbidden_entries
from d2c.plan.model import Plan, parse_plan
from d2c.plan.tables import locations_with_patterns, resolve_tables
from d2c.state import paths
from tests.fuzz.fuzzing import fuzzed, odd_texts, spoilt, torn, within_bounds

MOST_OF_A_FAULT = 2000
SETTINGS = read_settings(
    {
        **dict.fromkeys(REQUIRED, "x"),
        "D2C_LAKE__blobServiceUri": "https://lake.blob.core.windows.net",
        "D2C_CLUSTER": '{"existing_cluster_id": "0601-1"}',
        "D2C_ALLOWED_DATABASES": "shop,crm-*",
        "D2C_ALLOWED_TABLES": "*",
        "D2C_ALLOWED_ACCOUNTS": "111122223333",
    }
)

names = st.sampled_from(("Music", "Orders", "orders.", "shop-a", "...", "a-b_c.d"))
attributes = st.one_of(st.sampled_from(("id", "pk", "ttl", "kind", "a.b", "/pk", '"', "\u00e9")), odd_texts)
constants = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd_texts)
rules = st.fixed_dictionaries(
    {},
    optional={
        "partition_key": st.lists(attributes, min_size=1, max_size=3),
        "document_id": st.lists(attributes, min_size=1, max_size=2),
        "rename": st.dictionaries(attributes, attributes, max_size=3),
        "drop": st.lists(attributes, max_size=3),
        "set": st.dictionaries(attributes, constants, max_size=3),
        "numbers": st.sampled_from(("exact", "reject", "string")),
        "ttl": st.sampled_from(("convert", "off")),
    },
)
paths_of_index = st.one_of(
    st.sampled_from(("/*", "/", "/a/?", "/a/*", '/"a b"/?', '/"a\\"b"/?', "/a/[]/?", "/" * 500)), odd_texts
)
indexed = st.fixed_dictionaries({"path": paths_of_index})
policies = st.fixed_dictionaries(
    {
        "excludedPaths": st.just([{"path": "/*"}]),
        "includedPaths": st.lists(indexed, max_size=3, unique_by=str),
    },
    optional={
        "indexingMode": st.sampled_from(("consistent", "none")),
        "compositeIndexes": st.lists(st.lists(st.just({"path": "/a"}) | indexed, max_size=3), max_size=2),
    },
)
shared = {
    "database": st.sampled_from(("shop", "crm-1", "...", "a.")),
    "account": st.just("111122223333"),
    "region": st.sampled_from(("eu-west-1", "us-gov-east-1")),
    "rules": rules,
    "indexing": st.one_of(st.sampled_from(("keys", "all", "none")), policies),
    "apply_indexing": st.sampled_from(("at_creation", "after_load", "later")),
    "throughput": st.fixed_dictionaries(
        {}, optional={"load_ru_per_second": st.sampled_from(("auto", 400, 1_000_000))}
    ),
    "limits": st.fixed_dictionaries({}, optional={"max_rejected_items": st.integers(0, 2**63)}),
    "verify": st.sampled_from(("full", "counts", "sample:0.01")),
    "allow_existing_documents": st.booleans(),
}
tables = st.fixed_dictionaries(
    {"table": st.one_of(names, st.sampled_from(("*", "shop-*")))},
    optional={
        **shared,
        "container": st.sampled_from(("music", "all", "a.", "%2F")),
        "source": st.fixed_dictionaries(
            {"hash_key": attributes}, optional={"range_key": attributes, "ttl_attribute": attributes}
        ),
    },
)
plans = st.fixed_dictionaries(
    {
        "name": st.sampled_from(("m", "music-2026", "A" * 48)),
        "tables": st.lists(tables, min_size=1, max_size=5),
        "database": shared["database"],
        "region": shared["region"],
    },
    optional={
        **{field: strategy for field, strategy in shared.items() if field not in ("database", "region")},
        "exclude": st.lists(names, max_size=3),
        "order": st.sampled_from(("largest_first", "as_listed")),
        "start": st.sampled_from(("now", "when_exports_arrive")),
        "start_at": st.sampled_from(("2026-11-06T22:00:00+01:00", "2026-02-30T00:00Z")),
        "between": st.just(["22:00", "06:00"]),
        "time_zone": st.sampled_from(("Europe/Berlin", "UTC", "Europe")),
        "max_parallel_tables": st.integers(1, 1000),
    },
)


def text_of(value):
    return json.dumps(value).encode()


@fuzzed(spoilt(plans))
def test_a_plan_with_something_odd_in_it_is_refused_or_holds(plan):
    judge(text_of(plan))


@fuzzed(torn(plans.map(text_of)))
def test_the_text_of_a_plan_with_pieces_cut_out_or_repeated_is_refused_or_holds(text):
    judge(text)


@fuzzed(spoilt(plans), st.sampled_from(("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1")))
def test_the_encoding_of_a_plan_is_read_past_or_refused(plan, encoding):
    judge(json.dumps(plan, ensure_ascii=False).encode(encoding, errors="replace"))


@fuzzed(
    st.sampled_from(("tables", "exclude", "drop", "set", "rename")),
    st.one_of(tables, odd_texts),
    st.sampled_from((10, 300)),
)
def test_a_plan_of_much_of_one_thing_is_refused_or_holds(place, entry, times):
    many = [entry] * times
    named = {f"{number}": entry for number in range(len(many))}
    base = {"name": "m", "database": "shop", "region": "eu-west-1", "tables": [{"table": "Music"}]}
    at_top = place in ("tables", "exclude")
    value = {place: many} if at_top else {"rules": {place: many if place == "drop" else named}}
    judge(text_of({**base, **value}))


def judge(text):
    """Refuse a text with few words, or hold what it says to be a plan to all that a migration does with one."""
    with within_bounds():
        plan, faults = read(text)
    assert plan or faults
    if plan:
        hold(plan)
    assert len(faults) <= MOST_FAULTS + 1
    assert all(len(fault) < MOST_OF_A_FAULT for fault in faults)


def read(text):
    try:
        return parse_plan(text), ()
    except PlanError as error:
        return None, error.faults


def hold(plan):
    fields = json.loads(json.dumps(plan.model_dump(mode="json", exclude_none=True), allow_nan=False))
    again = Plan.model_validate(fields)
    assert (again, again.digest()) == (plan, plan.digest())
    assert parse_plan(text_of(fields)) == plan
    existing = {place: ["Music", "shop-a", "shop-b."] for place in locations_with_patterns(plan)}
    assert all("D2C_ALLOWED_" in fault for fault in forbidden_entries(plan, SETTINGS))
    try:
        inputs = resolve_tables(plan, existing)
    except PlanError:
        inputs = plan.table_inputs()
    for table in inputs:
        assert rules_size(table["rules"]) <= MOST_RULES_BYTES
        lock = paths.container_path("account", table["database"], table["container"])
        assert paths.is_plain(lock)
        assert not any(part.endswith(".") for part in lock.split("/"))
