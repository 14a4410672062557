import pytest

from d2c.checks.cosmos.containers import check_container
from d2c.checks.cosmos.throughput import PlannedThroughput
from d2c.clients.azure.cosmos.management import Container, Throughput
from d2c.load_run.mappers import table_mapper
from d2c.mapping.indexing import TableIndex, default_policy, late_policy, policy_with

from .fakes import REFUSED, Answers, assert_all_ok, finding, states

MAPPER = table_mapper("Artist", "SongTitle", None, {})
TABLE = {"table": "Music", "database": "shop", "container": "music", "allow_existing_documents": False}
LEAN = policy_with(["Artist", "SongTitle"])
FITTING = Container(("/Artist",), None, indexing_policy=LEAN)


def planned(load_ru):
    scaling = {"before_ru_per_second": None, "after_ru_per_second": 400, "autoscale": False}
    return PlannedThroughput(
        {**scaling, "create_ru_per_second": load_ru, "peak_ru_per_second": load_ru}, 1_000_000
    )


def checked(mapper=MAPPER, load_ru=4000, table=TABLE, number_keys=(), indexes=(), **changes):
    answers = {
        "find_container": FITTING,
        "find_throughput": Throughput(1000, False, 400, False),
        "has_documents": False,
        "record": None,
    }
    return check_container(
        table,
        mapper,
        lambda policy, throughput: planned(load_ru),
        "shop-2026",
        Answers(**{**answers, **changes}),
        number_keys,
        indexes,
    )


def test_a_container_that_is_not_there_is_told_with_what_is_made():
    found = checked(find_container=None)
    assert states(found.findings) == {
        ("shop/music", "container"): "ok",
        ("shop/music", "held by a migration"): "ok",
        ("shop/music", "indexing"): "ok",
    }
    told = finding(found.findings, "container").finding
    assert "/Artist" in told
    assert "4,000 RU/s" in told
    assert not found.exists


def test_an_empty_container_that_fits_passes():
    found = checked()
    assert_all_ok(found.findings, "container", "documents", "held by a migration", "throughput", "indexing")
    assert (found.exists, found.ru_per_second) == (True, 1000)


@pytest.mark.parametrize(
    ("container", "told"),
    [
        (Container(("/else",), None), "/else"),
        (Container(("/Artist", "/SongTitle"), None), "/Artist, /SongTitle"),
        (Container(("/Artist",), -1), "time to live on"),
        (Container(("/Artist",), 60), "60 seconds"),
        (Container(("/Artist",), None, hashes_whole_keys=False), "at most 101 bytes"),
    ],
)
def test_a_container_that_does_not_fit_fails_with_what_is_unlike(container, told):
    found = finding(checked(find_container=container).findings, "container")
    assert found.state == "failed"
    assert told in found.finding
    assert found.next_step


def test_a_path_with_quotes_that_its_name_does_not_need_is_the_same_path():
    mapper = table_mapper("device-id", None, None, {})
    for path in ("/device-id", '/"device-id"'):
        assert (
            finding(
                checked(mapper=mapper, find_container=Container((path,), None)).findings, "container"
            ).state
            == "ok"
        )


@pytest.mark.parametrize(("length", "state"), [(101, "ok"), (102, "failed")])
def test_a_short_constant_is_all_that_a_partition_key_of_version_1_surely_holds(length, state):
    rules = {"partition_key": ["kind"], "set": {"kind": "x" * length}}
    mapper = table_mapper("Artist", None, None, rules)
    old = Container(("/kind",), None, hashes_whole_keys=False)
    assert finding(checked(mapper=mapper, find_container=old).findings, "container").state == state


@pytest.mark.parametrize(
    ("partition_key", "state"),
    [("Year", "ok"), ("Artist", "failed"), ("else", "failed")],
)
def test_it_holds_numbers_too_if_the_table_says_that_its_key_is_one(partition_key, state):
    mapper = table_mapper("Artist", "Year", None, {"partition_key": [partition_key]})
    old = Container((f"/{partition_key}",), None, hashes_whole_keys=False)
    found = checked(mapper=mapper, find_container=old, number_keys=("Year",)).findings
    assert finding(found, "container").state == state


@pytest.mark.parametrize(
    ("container", "check", "told"),
    [
        (
            Container(("/Artist",), None, unique_keys=(("/mail",), ("/x", "/y"))),
            "the container has unique keys",
            "/mail; /x, /y",
        ),
    ],
)
def test_what_may_go_wrong_in_a_container_that_fits_is_a_warning(container, check, told):
    findings = checked(find_container=container).findings
    assert finding(findings, "container").state == "ok"
    found = finding(findings, check)
    assert (found.state, told in found.finding) == ("warning", True)


@pytest.mark.parametrize(("allowed", "state"), [(False, "failed"), (True, "warning")])
def test_documents_in_it_fail_unless_the_plan_allows_them(allowed, state):
    table = {**TABLE, "allow_existing_documents": allowed}
    assert finding(checked(table=table, has_documents=True).findings, "documents").state == state


@pytest.mark.parametrize(
    ("throughput", "load_ru", "state"),
    [
        (Throughput(1000, False, 400, False), 10_000, "ok"),
        (Throughput(1000, False, 400, False), 10_100, "warning"),
        (Throughput(15_000, False, 400, False, 20_000), 20_000, "ok"),
        (None, 4000, "warning"),
    ],
)
def test_growth_beyond_what_the_partitions_take_is_a_warning(throughput, load_ru, state):
    found = checked(load_ru=load_ru, find_throughput=throughput)
    assert finding(found.findings, "throughput").state == state


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (None, "ok"),
        ({"migration": "shop-2026", "table": "Music"}, "warning"),
        ({"migration": "other", "table": "Albums"}, "failed"),
    ],
)
def test_a_container_that_another_migration_holds_fails(record, state):
    assert finding(checked(record=record).findings, "held by a migration").state == state


def test_a_table_that_told_nothing_leaves_the_container_unjudged():
    found = states(checked(mapper=None).findings)
    assert found["shop/music", "container"] == "skipped"


def test_planes_that_refuse_are_told_each_by_itself():
    found = states(checked(has_documents=REFUSED, record=REFUSED).findings)
    assert found == {
        ("shop/music", "container"): "ok",
        ("shop/music", "documents"): "failed",
        ("shop/music", "throughput"): "ok",
        ("shop/music", "indexing"): "ok",
        ("shop/music", "held by a migration"): "failed",
    }


BY_LABEL = TableIndex("byLabel", "GSI", ("Label",), ("Year",), ("S", "N"))


def test_a_new_container_indexes_the_keys_of_the_table_and_its_secondary_indexes():
    found = checked(find_container=None, indexes=(BY_LABEL,))
    told = finding(found.findings, "indexing").finding
    assert "will index /Artist/?, /SongTitle/?, /Label/?, /Year/?: a write costs about 1.2 times" in told
    assert finding(found.findings, "secondary index").state == "ok"
    assert found.policy == policy_with(["Artist", "SongTitle", "Label", "Year"])
    assert found.indexed == ["Artist", "SongTitle", "Label", "Year"]


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        ({"table": {**TABLE, "indexing": "all"}, "find_container": None}, default_policy()),
        ({}, LEAN),
    ],
)
def test_where_the_plan_or_a_container_has_a_policy_it_is_that_one(changes, policy):
    found = checked(**changes)
    assert (found.policy, found.indexed) == (policy, None)


@pytest.mark.parametrize(
    ("verify", "indexing", "is_told"),
    [("counts", "keys", True), ("counts", "all", False), ("full", "keys", False)],
)
def test_the_price_of_counting_without_an_index_on_everything_is_told(verify, indexing, is_told):
    table = {**TABLE, "verify": verify, "indexing": indexing}
    findings = checked(table=table, find_container=None).findings
    told = [each["finding"] for each in findings if each["check"] == "counting"]
    assert [text.endswith("about 977 RU.") for text in told] == ([True] if is_told else [])


def test_an_existing_policy_that_indexes_all_or_lacks_a_path_is_a_warning():
    everything = Container(("/Artist",), None)
    told = finding(checked(find_container=everything).findings, "the container indexes more than it needs")
    assert told.state == "warning"
    lacking = checked(indexes=(BY_LABEL,)).findings
    assert "no index for /Label/?, /Year/?" in finding(lacking, "the container lacks indexes").finding
    assert finding(lacking, "secondary index").state == "warning"


@pytest.mark.parametrize(
    ("partition_key", "told"),
    [
        (["kind", "Artist"], 'rules.partition_key ["Artist", "kind"]'),
        (["kind"], "Add an attribute before it"),
        (["Artist", "kind"], None),
    ],
)
def test_a_partition_key_that_begins_with_a_constant_is_a_warning(partition_key, told):
    rules = {"set": {"kind": "song"}, "partition_key": partition_key}
    mapper = table_mapper("Artist", "SongTitle", None, rules)
    found = [
        each
        for each in checked(mapper=mapper, find_container=None).findings
        if each["check"] == "order of the partition key"
    ]
    assert [each["state"] for each in found] == (["warning"] if told else [])
    assert all(told in each["next_step"] for each in found)


def test_a_container_that_gets_its_indexes_after_the_load_is_loaded_without():
    late = checked(table={**TABLE, "apply_indexing": "after_load"}, find_container=None)
    assert (late.policy, late.added_factor) == (
        late_policy(),
        pytest.approx(0.05 * len(LEAN["includedPaths"])),
    )
    assert "gets its indexing policy afterwards" in finding(late.findings, "indexing after the load").finding
    assert "Its policy will index /Artist/?" in finding(late.findings, "indexing").finding
    left = checked(find_container=Container(("/Artist",), None, indexing_policy=late_policy()))
    assert (left.policy, left.added_factor > 0) == (late_policy(), True)
    assert "lacks indexes" not in {each["check"] for each in left.findings}
    assert checked(find_container=None).added_factor == 0
