import pytest

from d2c.plan.rule_changes import faults_of_rules

SOURCE = {"hash_key": "Artist", "range_key": "Song", "ttl_attribute": "until"}
BEFORE = {"partition_key": ["kind", "Artist"], "set": {"kind": "song", "by": "us"}, "rename": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"partition_key": ["kind", "Song"]}, "partition_key"),
        ({"partition_key": ["Artist"]}, "partition_key"),
        ({"rename": {"Artist": "by_whom"}}, "rename"),
        ({"set": {"kind": "tune", "by": "us"}}, "set"),
        ({"document_id": ["Song"]}, "document_id"),
        ({"ttl": "off"}, "ttl"),
    ],
)
def test_rules_that_identify_documents_cannot_change(change, rule):
    found = faults_of_rules(BEFORE, {**BEFORE, **change}, SOURCE)
    assert found[0].startswith(f"{rule}: a replay may not change")


def test_a_fault_names_what_cannot_change_and_what_it_was():
    after = {
        "partition_key": ["kind", "Song"],
        "rename": {"Artist": "by_whom"},
        "set": {"kind": "tune"},
        "document_id": ["Artist"],
        "ttl": "off",
    }
    assert faults_of_rules(BEFORE, after, SOURCE) == [
        f"{rule}: a replay may not change {what}, which identifies documents; keep it at {was}"
        for rule, what, was in (
            ("partition_key", "the partition key", '["kind", "Artist"]'),
            ("rename", "the names of the partition key", '["Artist"]'),
            ("set", "a constant in the partition key", '{"kind": "song"}'),
            ("document_id", "the attributes of the document id", '["Artist", "Song"]'),
            ("ttl", "the time to live", '"convert"'),
        )
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": "string"},
        {"drop": ["x"]},
        {"rename": {}},
        {"rename": {"c": "d"}},
        {"set": {"kind": "song"}},
        {"ttl": "convert"},
        {"document_id": ["Artist", "Song"]},
        {"partition_key": ["kind", "Artist"]},
    ],
)
def test_other_rules_and_equivalent_wordings_may_change(change):
    assert faults_of_rules(BEFORE, {**BEFORE, **change}, SOURCE) == []


def test_true_and_one_are_two_constants():
    before = {"partition_key": ["kind"], "set": {"kind": 1}, "document_id": ["Artist", "Song"]}
    assert faults_of_rules(before, {**before, "set": {"kind": True}}, SOURCE)


def test_impossible_rules_are_refused_with_their_own_faults():
    found = faults_of_rules(BEFORE, {**BEFORE, "drop": ["Artist"], "rename": {"x": "id"}}, SOURCE)
    assert {fault.split(":")[0] for fault in found} == {"drop", "rename"}
