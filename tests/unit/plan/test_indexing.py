import pytest

from d2c.plan.model import parse_plan

from .test_model import faults_of, plan_text

LEAN = {"includedPaths": [{"path": "/State/?"}], "excludedPaths": [{"path": "/*"}]}


def planned(indexing, top=None):
    tables = [{"table": "Music", **({} if indexing is None else {"indexing": indexing})}]
    more = {} if top is None else {"indexing": top}
    return parse_plan(plan_text(tables=tables, **more)).table_inputs()[0]["indexing"]


def faults_in(indexing):
    return faults_of(plan_text(tables=[{"table": "Music", "indexing": indexing}]))


def test_keys_is_the_default_and_a_table_s_own_comes_before_the_top_s():
    assert planned(None) == "keys"
    assert planned(None, top="all") == "all"
    assert planned("keys", top="all") == "keys"


def test_a_policy_is_kept_whole_under_the_service_s_names():
    composite = [[{"path": "/State"}, {"path": '/"total sum"', "order": "descending"}]]
    assert planned({**LEAN, "compositeIndexes": composite}, top="all") == {
        **LEAN,
        "indexingMode": "consistent",
        "automatic": True,
        "compositeIndexes": [
            [
                {"path": "/State", "order": "ascending"},
                {"path": '/"total sum"', "order": "descending"},
            ]
        ],
    }


@pytest.mark.parametrize("path", ["/*", "/a/?", "/a/*", "/a/b/?", '/"a b/c"/?', "/a/[]/b/?"])
def test_paths_as_the_service_takes_them(path):
    excluded = [] if path == "/*" else [{"path": "/*"}]
    assert planned({"includedPaths": [{"path": path}], "excludedPaths": excluded})


@pytest.mark.parametrize(
    ("indexing", "told"),
    [
        ("some", 'tables.0.indexing: should be "keys", "all" or an indexing policy'),
        (7, 'tables.0.indexing: should be "keys", "all" or an indexing policy'),
        ({}, "tables.0.indexing: has /* neither in includedPaths nor in excludedPaths"),
        ({**LEAN, "indexingMode": "none"}, "tables.0.indexing.indexingMode: should be 'consistent'"),
        ({**LEAN, "vectorIndexes": []}, "tables.0.indexing.vectorIndexes: unknown field"),
        ({"includedPaths": [{"path": "/*"}], "excludedPaths": [{"path": "/*"}]}, "has the path '/*' twice"),
        ({**LEAN, "compositeIndexes": [[{"path": "/a"}]]}, "tables.0.indexing.compositeIndexes.0: "),
        ({**LEAN, "compositeIndexes": [[{"path": "/a"}] * 2]}, "has '/a' twice"),
        ({**LEAN, "compositeIndexes": [[{"path": f"/{name}"} for name in "abcdefghi"]]}, "at most 8"),
        (
            {
                "includedPaths": [{"path": f"/{number:0200}/?"} for number in range(80)],
                "excludedPaths": LEAN["excludedPaths"],
            },
            "may have 16,384",
        ),
    ],
)
def test_an_impossible_policy_is_refused_with_its_place(indexing, told):
    (fault,) = faults_in(indexing)
    assert told in fault


@pytest.mark.parametrize(
    "path", ["State", "/State", "/", "/?", "/a b/?", '/"a"b/?', "/a//?", '/"a\\"/?', "/a\n/?"]
)
def test_a_path_that_the_service_refuses_is_refused(path):
    (fault,) = faults_in({"includedPaths": [{"path": path}], "excludedPaths": [{"path": "/*"}]})
    assert fault.startswith("tables.0.indexing.includedPaths.0.path: ")


def test_tables_that_share_a_container_share_its_policy():
    def sharer(name, indexing):
        rules = {"set": {"kind": name}, "partition_key": ["Artist", "kind"]}
        return {"table": name, "container": "both", "rules": rules, "indexing": indexing}

    assert parse_plan(plan_text(tables=[sharer("Music", "all"), sharer("Orders", "all")]))
    (fault,) = faults_of(plan_text(tables=[sharer("Music", "all"), sharer("Orders", LEAN)]))
    assert "Music, Orders share the container shop/both, but not its `indexing`" in fault


def test_indexes_may_be_applied_after_the_load():
    tables = [{"table": "Music"}, {"table": "Songs", "apply_indexing": "at_creation"}]
    found = parse_plan(plan_text(tables=tables, apply_indexing="after_load")).table_inputs()
    assert [table["apply_indexing"] for table in found] == ["after_load", "at_creation"]
    (fault,) = faults_of(plan_text(tables=tables, apply_indexing="later"))
    assert fault.startswith("apply_indexing: ")
