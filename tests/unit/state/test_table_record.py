import pytest

from d2c.state.table_record import (
    after_operation,
    items_rejected,
    mismatches_path,
    rejected_folder,
    rules_history,
    run_payload,
    why_not_allowed,
)
from tests.unit.records import FOLDER, record, without

WAITS = {"first_seconds": 1, "factor": 2, "longest_seconds": 8}
REPLAY = {
    "operation": "replay",
    "number": 2,
    "waits": WAITS,
    "rules": {"numbers": "exact"},
    "verify": None,
}
VERIFY = {**REPLAY, "operation": "verify", "number": 1, "rules": None, "verify": "counts"}
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


def replayed(before, asked=REPLAY, found=FOUND):
    return after_operation(before, asked, run_payload(before, asked), found, "2026-07-01T00:00:00+00:00")


def test_a_replay_maps_by_the_rules_of_before_and_then_by_the_new_ones():
    revisit = run_payload(record(), REPLAY)["revisit"]
    assert revisit == {
        "name": "replay-2",
        "stages": ("replay", "verify"),
        "rules_history": [{"numbers": "reject"}, {"numbers": "exact"}],
        "load_started_at": 1_780_000_000,
        "documents_written": 6,
        "rejected_folder": f"{FOLDER}/load-1/rejected",
        "items_rejected": 3,
    }


@pytest.mark.parametrize("rules", [None, {"numbers": "reject"}])
def test_rules_that_do_not_change_are_not_added_to_the_history(rules):
    payload = run_payload(record(), {**REPLAY, "rules": rules})
    assert payload["revisit"]["rules_history"] == [{"numbers": "reject"}]


def test_a_verification_is_done_as_asked_or_as_the_plan_says():
    assert run_payload(record(), VERIFY)["verify"] == "counts"
    assert run_payload(record(), {**VERIFY, "verify": None})["verify"] == "full"
    assert run_payload(record(), VERIFY)["revisit"]["stages"] == ("verify",)


def test_without_a_load_items_expired_since_the_export_may_exist():
    payload = run_payload(without(record(), "load"), VERIFY)
    assert payload["revisit"]["load_started_at"] == 1_780_315_200


def test_a_replay_moves_items_from_rejected_to_their_outcomes():
    after = replayed(record())
    loaded = after["load"]["loaded"]
    assert (loaded["documents"], loaded["expired"], loaded["rejected"]) == (8, 1, 1)
    assert loaded["documents"] + loaded["expired"] + loaded["rejected"] == after["export"]["items"]
    assert loaded["rejected_by_reason"] == {"name_collision": 1}
    assert items_rejected(after) == 1
    assert rejected_folder(after) == f"{FOLDER}/replay-2-1/rejected"
    assert rules_history(after) == [{"numbers": "reject"}, {"numbers": "exact"}]


def test_a_later_operation_continues_from_the_earlier_one():
    later = run_payload(replayed(record()), {**REPLAY, "number": 3, "rules": {"rename": {}}})["revisit"]
    assert len(later["rules_history"]) == 3
    assert (later["documents_written"], later["items_rejected"]) == (8, 1)
    assert later["rejected_folder"] == f"{FOLDER}/replay-2-1/rejected"


def test_a_revisit_replaces_the_verification_and_is_listed():
    before = record()
    after = replayed(before)
    assert after["load"]["verification"] == CLEAN
    assert (mismatches_path(before), mismatches_path(after)) == (
        f"{FOLDER}/load-1/result.json",
        f"{FOLDER}/replay-2-1/result.json",
    )
    assert after["revisits"] == [
        {
            "operation": "replay",
            "number": 2,
            "finished_at": "2026-07-01T00:00:00+00:00",
            "items": {"replayed": 3, "written": 2, "rejected": 1, "expired": 0},
            "verification": CLEAN,
        }
    ]
    assert len(replayed(after)["revisits"]) == 2


def test_a_verification_alone_changes_no_counts_and_no_rejected_items():
    before = record()
    after = replayed(before, VERIFY, {**FOUND, "replayed": None})
    assert after["load"]["loaded"] == before["load"]["loaded"]
    assert rejected_folder(after) == rejected_folder(before)
    assert after["revisits"][0]["items"] is None


@pytest.mark.parametrize(
    ("found", "operation", "word"),
    [
        (None, "verify", "no record"),
        (record(stages=[{"stage": "export"}], state="failed", load=None), "verify", "not prepared"),
        (record(stages=[{"stage": "export"}], state="failed", load=None), "replay", "not loaded"),
        (record(load={"assessed": {"rejected": 9}}, state="failed"), "replay", "failed and was not loaded"),
    ],
)
def test_a_table_without_the_needed_stage_allows_no_operation(found, operation, word):
    assert word in why_not_allowed(found, operation)


@pytest.mark.parametrize(
    ("found", "operation"), [(record(), "replay"), (without(record(), "load"), "verify")]
)
def test_a_table_that_came_so_far_can_be_revisited(found, operation):
    assert why_not_allowed(found, operation) is None


def test_a_table_whose_assess_found_too_many_has_rejected_items_to_read():
    failed = record(load={"assessed": {"rejected": 9}, "result_path": f"{FOLDER}/load-1/result.json"})
    assert (items_rejected(failed), rejected_folder(failed)) == (9, f"{FOLDER}/load-1/rejected")
    assert rejected_folder(without(record(), "load")) is None
