"""Rejected items of a migration that has ended, replayed by other rules: one table, taken through replays in turn."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.user import API, plan

GOOD, INEXACT, NAMELESS = 40, 7, 2
EXACT = "12345678901234567890.5"
RULES = {"numbers": "reject", "rename": {"a": "b"}}


@dataclass
class Found:
    """What a user finds at one moment."""

    documents: dict[str, Any]
    rejected: list[dict[str, Any]]
    report: dict[str, Any]
    table: dict[str, Any]
    operation: dict[str, Any] | None


def found_after(user, operation=None):
    part = next(part for part in user.report("picky")["tables"] if part["table"] == "Picky")
    items = part["items"]
    assert items["written"] + items["rejected"] + items["expired"] == items["exported"]
    assert sum(part["rejected_by_reason"].values()) == items["rejected"]
    documents = {document["id"]: document for document in user.documents("picky", "picky")}
    return Found(documents, user.rejected("picky"), part, user.table("picky", "Picky"), operation)


def replay_by(user, **rules):
    return found_after(
        user, user.operate("picky", "replay", {"tables": [{"table": "Picky", "rules": rules}]})
    )


@pytest.fixture(scope="module")
def loaded(user):
    items = [{"pk": {"S": f"k{n}"}, "n": {"N": str(n)}} for n in range(GOOD)]
    items += [{"pk": {"S": f"inexact{n}"}, "n": {"N": EXACT}} for n in range(INEXACT)]
    items += [{"pk": {"S": f"twice{n}"}, "a": {"S": "x"}, "b": {"S": "y"}} for n in range(NAMELESS)]
    user.create_table("Picky", items)
    user.create_table("Easy", items[:GOOD])
    picky = {"table": "Picky", "container": "picky", "rules": RULES, "limits": {"max_rejected_items": 20}}
    user.start(plan("picky", picky, {"table": "Easy", "container": "easy"}, max_parallel_tables=2))
    assert user.ended("picky")["state"] == "succeeded"
    assert user.rejected("picky", top="2") == user.rejected("picky")
    assert {item["keys"]["pk"]["S"] for item in user.rejected("picky", top="3", reason="inexact_number")} == {
        f"inexact{n}" for n in range(INEXACT)
    }
    return found_after(user)


@pytest.fixture(scope="module")
def replayed(user, loaded):
    return replay_by(user, numbers="exact")


@pytest.fixture(scope="module")
def replayed_again(user, replayed):
    return found_after(user, user.operate("picky", "replay"))


@pytest.fixture(scope="module")
def cured(user, replayed_again):
    return replay_by(user, rename={}, numbers="string")


def test_rejected_items_are_listed_as_exported_with_reason_and_place(user, loaded):
    assert len(loaded.rejected) == INEXACT + NAMELESS
    assert {item["table"] for item in loaded.rejected} == {"Picky"}
    assert all(item["line"] >= 1 and item["file"].endswith(".json.gz") for item in loaded.rejected)
    inexact = [item for item in loaded.rejected if item["reason"] == "inexact_number"]
    assert {item["item"]["n"]["N"] for item in inexact} == {EXACT}
    assert user.rejected("picky", table="Easy") == []


def test_new_rules_load_just_the_items_that_they_cure(replayed):
    assert (replayed.operation["state"], replayed.operation["error"]) == ("succeeded", None)
    assert len(replayed.documents) == GOOD + INEXACT
    assert replayed.documents["inexact3"] == {"id": "inexact3", "pk": "inexact3", "n": EXACT}
    assert replayed.documents["k7"] == {"id": "k7", "pk": "k7", "n": 7}
    assert replayed.report["items"] == {
        "exported": GOOD + INEXACT + NAMELESS,
        "written": GOOD + INEXACT,
        "rejected": NAMELESS,
        "expired": 0,
    }


def test_a_replay_is_verified_and_in_the_report(replayed):
    counts = replayed.report["verification"]
    assert counts["expected"] == counts["actual"] == GOOD + INEXACT
    assert (counts["missing"], counts["unexpected"], counts["different"]) == (0, 0, 0)
    (operation,) = replayed.report["operations"]
    assert (operation["operation"], operation["number"]) == ("replay", 1)
    assert operation["items"] == {
        "replayed": INEXACT + NAMELESS,
        "written": INEXACT,
        "rejected": NAMELESS,
        "expired": 0,
    }


def test_the_status_counts_what_became_of_the_items(replayed):
    counts = {name: replayed.table[name] for name in ("items_written", "items_rejected", "mismatches")}
    assert counts == {"items_written": GOOD + INEXACT, "items_rejected": NAMELESS, "mismatches": 0}


def test_what_stays_rejected_keeps_its_place_in_the_export(loaded, replayed):
    assert replayed.rejected == [item for item in loaded.rejected if item["reason"] == "name_collision"]


def test_the_same_replay_again_changes_nothing(replayed, replayed_again):
    assert replayed_again.operation["state"] == "succeeded"
    assert replayed_again.documents == replayed.documents
    assert replayed_again.rejected == replayed.rejected
    assert replayed_again.report["items"] == replayed.report["items"]


def test_a_later_replay_cures_the_rest_and_leaves_earlier_documents_as_they_are(cured):
    assert len(cured.documents) == GOOD + INEXACT + NAMELESS
    assert cured.documents["twice0"] == {"id": "twice0", "pk": "twice0", "a": "x", "b": "y"}
    assert cured.documents["k7"] == {"id": "k7", "pk": "k7", "n": 7}
    assert cured.rejected == []
    counts = cured.report["verification"]
    assert counts["expected"] == counts["actual"] == len(cured.documents)
    assert (counts["missing"], counts["unexpected"], counts["different"]) == (0, 0, 0)


def test_a_replay_of_nothing_ends_well_and_changes_nothing(user, cured):
    after = found_after(user, user.operate("picky", "replay"))
    assert after.operation["state"] == "succeeded"
    assert (after.documents, after.report) == (cured.documents, cured.report)


def test_tables_without_rejected_items_are_not_replayed_unless_they_are_named(user, cured):
    part = next(part for part in user.report("picky")["tables"] if part["table"] == "Easy")
    assert part["operations"] == []
    assert user.operate("picky", "replay", {"tables": [{"table": "Easy"}]})["state"] == "succeeded"


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"partition_key": ["n"]}, "partition_key"),
        ({"document_id": ["n"]}, "document_id"),
        ({"rename": {"pk": "key"}}, "rename"),
        ({"ttl": "convert"}, "ttl"),
        ({"drop": ["pk"]}, "drop"),
    ],
)
def test_rules_that_change_where_documents_lie_are_refused_by_name(user, loaded, rules, word):
    body = {"tables": [{"table": "Picky", "rules": rules}]}
    answer = user.http.post(f"{API}/picky/replay", json=body)
    assert answer.status_code == 400
    assert [fault for fault in answer.json()["faults"] if f"tables.0.rules: {word}" in fault]
