import pytest

from d2c.state.table_record import (
    after_operation,
    compared_input,
    items_rejected,
    mismatches_path,
    rejected_folder,
    rules_history,
    why_not_allowed,
)
from tests.unit.records import FOLDER, record, without

REPLAY = {"rules": {"numbers": "exact"}, "verify": None}
VERIFY = {"rules": None, "verify": "counts"}
CLEAN = {"expected": 8, "actual": 8, "missing": 0, "unexpected": 0, "different": 0, "method": "full"}
REPLAYED = {
    "lines": 3,
    "documents": 2,
    "expired": 0,
    "document_bytes": 90,
    "rejected": 1,
    "rejected_by_reason": {"name_collision": 1},
}
FOUND = {
    "error": None,
    "replayed": REPLAYED,
    "verification": CLEAN,
    "result_path": f"{FOLDER}/replay-2-1/result.json",
}


def after(before, kind="replay", entry=REPLAY, found=FOUND, number=2):
    table = compared_input(before, kind, number, entry)
    return after_operation(before, kind, table, found, "2026-07-01T00:00:00+00:00")


def test_a_replay_maps_by_the_rules_of_before_and_then_by_the_new_ones():
    table = compared_input(record(), "replay", 2, REPLAY)
    assert (table["operation"], table["stages"], table["verify"]) == (2, [], "full")
    assert table["scope"] == {
        "stages": ("replay", "verify"),
        "rules_history": [{"numbers": "reject"}, {"numbers": "exact"}],
        "load_started_at": 1_780_000_000,
        "documents_written": 6,
        "rejected_folder": f"{FOLDER}/start-0-1/rejected",
        "items_rejected": 3,
    }


@pytest.mark.parametrize("rules", [None, {"numbers": "reject"}])
def test_rules_that_do_not_change_are_not_added_to_the_history(rules):
    table = compared_input(record(), "replay", 2, {**REPLAY, "rules": rules})
    assert table["scope"]["rules_history"] == [{"numbers": "reject"}]


def test_a_verification_is_done_as_asked_or_as_the_plan_says():
    table = compared_input(record(), "verify", 1, VERIFY)
    assert (table["verify"], table["scope"]["stages"]) == ("counts", ("verify",))
    assert compared_input(record(), "verify", 1, {**VERIFY, "verify": None})["verify"] == "full"


def test_without_a_load_items_expired_since_the_export_may_exist():
    table = compared_input(without(record(), "load"), "verify", 1, VERIFY)
    assert table["scope"]["load_started_at"] == 1_780_315_200


def test_a_replay_moves_items_from_rejected_to_their_outcomes():
    replayed = after(record())
    loaded = replayed["load"]["loaded"]
    assert (loaded["documents"], loaded["expired"], loaded["rejected"]) == (8, 1, 1)
    assert loaded["documents"] + loaded["expired"] + loaded["rejected"] == replayed["export"]["items"]
    assert loaded["rejected_by_reason"] == {"name_collision": 1}
    assert items_rejected(replayed) == 1
    assert rejected_folder(replayed) == f"{FOLDER}/replay-2-1/rejected"
    assert rules_history(replayed) == [{"numbers": "reject"}, {"numbers": "exact"}]


def test_a_later_operation_continues_from_the_earlier_one():
    later = compared_input(after(record()), "replay", 3, {**REPLAY, "rules": {"rename": {}}})["scope"]
    assert len(later["rules_history"]) == 3
    assert (later["documents_written"], later["items_rejected"]) == (8, 1)
    assert later["rejected_folder"] == f"{FOLDER}/replay-2-1/rejected"


def test_an_operation_replaces_the_verification_and_is_listed():
    before = record()
    replayed = after(before)
    assert replayed["load"]["verification"] == CLEAN
    assert (mismatches_path(before), mismatches_path(replayed)) == (
        f"{FOLDER}/start-0-1/result.json",
        f"{FOLDER}/replay-2-1/result.json",
    )
    assert replayed["operations"] == [
        {
            "operation": "replay",
            "number": 2,
            "finished_at": "2026-07-01T00:00:00+00:00",
            "items": {"replayed": 3, "written": 2, "rejected": 1, "expired": 0},
            "verification": CLEAN,
            "verify_ru_per_second": None,
        }
    ]
    assert [one["number"] for one in after(replayed, number=3)["operations"]] == [2, 3]


def test_the_record_of_an_operation_is_the_same_after_a_repeated_try():
    replayed = after(record())
    assert after(replayed) == replayed


def test_a_verification_alone_changes_no_counts_and_no_rejected_items():
    before = record()
    verified = after(before, "verify", VERIFY, {**FOUND, "replayed": None})
    assert verified["load"]["loaded"] == before["load"]["loaded"]
    assert rejected_folder(verified) == rejected_folder(before)
    assert verified["operations"][0]["items"] is None


@pytest.mark.parametrize(
    ("found", "operation", "word"),
    [
        (None, "verify", "no record"),
        (record(stages=[{"stage": "export"}], state="failed", load=None), "verify", "did not begin"),
        (record(stages=[{"stage": "export"}], state="failed", load=None), "replay", "not loaded"),
        (record(load={"assessed": {"rejected": 9}}, state="failed"), "replay", "failed and was not loaded"),
    ],
)
def test_a_table_without_the_needed_stage_allows_no_operation(found, operation, word):
    assert word in why_not_allowed(found, operation)


@pytest.mark.parametrize(
    ("found", "operation"),
    [(record(), "replay"), ({**without(record(), "load"), "is_let_go": True}, "verify")],
)
def test_a_table_that_came_so_far_can_be_compared(found, operation):
    assert why_not_allowed(found, operation) is None


def test_a_table_whose_assess_found_too_many_has_rejected_items_to_read():
    failed = record(load={"assessed": {"rejected": 9}, "result_path": f"{FOLDER}/load-1/result.json"})
    assert (items_rejected(failed), rejected_folder(failed)) == (9, f"{FOLDER}/load-1/rejected")
    assert rejected_folder(without(record(), "load")) is None
