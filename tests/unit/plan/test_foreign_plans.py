"""Plans that are large, wrong in every place, or not quite JSON."""

import time

import pytest

from d2c.errors import MOST_FAULTS
from d2c.load_run.request import MOST_RULES_BYTES
from d2c.plan.model import MOST_PLAN_BYTES, parse_plan

from .test_model import MUSIC, faults_of, plan_text

# On a busy machine of two cores; the quadratic forms took ten times as long.
MOST_SECONDS = 3


def tables(number, **fields):
    return [{"table": f"Table{each}", **fields} for each in range(number)]


@pytest.mark.parametrize(
    "changes",
    [
        {"tables": tables(1000, **{f"colour{number}": 1 for number in range(40)})},
        {"tables": [{**MUSIC, "rules": {"drop": [1] * 300_000}}]},
        {"tables": [{**MUSIC, "rules": {"set": {str(number): [] for number in range(20_000)}}}]},
        {"tables": [{**MUSIC, "rules": {"rename": {str(number): 0 for number in range(20_000)}}}]},
        {
            "tables": tables(
                20, rules={"partition_key": ["k" * 50_000], "set": {"k" * 50_000: 1}}, container="c"
            )
        },
        {"name": "x" * 1_000_000},
        {"x" * 1_000_000: 1},
        {"time_zone": "x" * 1_000_000},
    ],
)
def test_a_plan_full_of_faults_is_refused_at_once_and_in_few_words(changes):
    text, began = plan_text(**changes)[:MOST_PLAN_BYTES], time.thread_time()
    faults = faults_of(text)
    assert time.thread_time() - began < MOST_SECONDS
    assert len(faults) <= MOST_FAULTS + 1
    assert all(len(fault) < 2000 for fault in faults)


def test_the_first_hundred_faults_are_told_and_the_number_of_the_others():
    faults = faults_of(plan_text(tables=tables(130, colour=1), database=None))
    assert faults[:2] == ("tables.0.colour: unknown field", "tables.1.colour: unknown field")
    assert faults[MOST_FAULTS:] == ("and 160 more faults",)


def test_a_plan_over_its_bound_is_not_read():
    assert faults_of(plan_text() + b" " * MOST_PLAN_BYTES)[0].startswith("the plan has 1,048,")


def test_a_plan_with_a_byte_order_mark_is_read():
    assert parse_plan(b"\xef\xbb\xbf" + plan_text()) == parse_plan(plan_text())


def test_a_plan_in_utf_16_is_refused_by_name():
    assert faults_of(plan_text().decode().encode("utf-16")) == (
        "the plan is UTF-16, not UTF-8; save it as UTF-8",
    )


def test_a_field_that_occurs_twice_is_a_fault_of_its_table():
    text = plan_text().replace(b'"table": "Music"', b'"table": "Music", "table": "Orders"')
    assert faults_of(text) == ("tables.0: the field 'table' occurs twice; keep one",)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_a_constant_that_no_document_can_hold_is_refused(constant):
    rules = b'{"set": {"a": %b}}' % constant.encode()
    (fault,) = faults_of(plan_text().replace(b'"music"', b'"music", "rules": ' + rules))
    assert constant[:10] in fault


def test_a_constant_that_cosmos_db_would_round_is_refused_before_it_is_exported():
    (fault,) = faults_of(plan_text(tables=[{**MUSIC, "rules": {"set": {"a": 2**53 + 1}}}]))
    assert fault.startswith("tables.0.rules.set.a: 9007199254740993 is a number that Cosmos DB would round")


def test_a_constant_of_another_type_is_one_fault():
    assert faults_of(plan_text(tables=[{**MUSIC, "rules": {"set": {"a": []}}}])) == (
        "tables.0.rules.set.a: should be text, a number, true, false or null",
    )


@pytest.mark.parametrize(
    "name", [".", "..", "a\0", "a\nb", "\x7f", "a\x85", " a", "a ", "a#b", "a\\b", "x" * 256, ""]
)
@pytest.mark.parametrize("field", ["database", "container"])
def test_a_name_that_cosmos_db_or_an_address_cannot_hold_is_refused(field, name):
    (fault,) = faults_of(plan_text(tables=[{**MUSIC, field: name}]))
    assert fault.startswith(f"tables.0.{field}: ")


@pytest.mark.parametrize("name", ["a", "...", ".a", "a.", "a b", "~", "%2F", "\u00e9\u4e2d", "x" * 255])
def test_other_names_are_taken(name):
    assert parse_plan(plan_text(database=name)).database == name


@pytest.mark.parametrize(
    "changes",
    [
        {"tables": [{**MUSIC, "rules": {"drop": ["a" * 60_000, "b" * 60_000]}}]},
        {
            "rules": {"drop": ["a" * 40_000]},
            "tables": [{**MUSIC, "rules": {"rename": {"a": "\u00e9" * 5_000}}}],
        },
    ],
)
def test_rules_too_large_for_a_load_run_are_refused_with_the_plan(changes):
    (fault,) = faults_of(plan_text(**changes))
    assert fault.startswith("rules of Music, with those at the top: ")
    assert f"at most {MOST_RULES_BYTES:,}" in fault
