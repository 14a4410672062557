import json

import pytest

from d2c.mapping import REASONS, Document, RulesError
from d2c.plan.model import RulesPlan
from tests.unit.mapping.helpers import NOW, line_of, mapper_of, value_of
from tests.unit.pages import codes, json_blocks, table_rows, text_of

PAGE = text_of("start/mapping.md")
EXAMPLES = json_blocks("start/mapping.md")
MAPPED = [example for example in EXAMPLES if "item" in example]
REFUSED = [example for example in EXAMPLES if "faults" in example]
VALUES = [
    (codes(tagged)[0], codes(value)[0]) for _, tagged, value in table_rows(PAGE, "## Values") if "{" in tagged
]


def mapper_of_example(example):
    return mapper_of(
        example.get("rules"), keys=tuple(example["keys"]), ttl_attribute=example.get("ttl_attribute")
    )


def test_every_example_is_one_that_is_run():
    assert len(MAPPED) + len(REFUSED) == len(EXAMPLES) >= 10


@pytest.mark.parametrize("example", MAPPED, ids=lambda example: json.dumps(example["item"])[:40])
def test_an_items_example_becomes_what_the_page_says(example):
    mapper = mapper_of_example(example)
    mapped = mapper.map_line(line_of(example["item"]), example.get("now", NOW))
    if "document" in example:
        assert isinstance(mapped, Document)
        document = json.loads(mapped.body)
        # Compared as text, so that 5 is not 5.0 nor true 1.
        assert json.dumps(document, sort_keys=True) == json.dumps(example["document"], sort_keys=True)
    else:
        assert mapped.reason == example["rejected"]
    if "path" in example:
        assert list(mapper.partition_key_paths) == example["path"]


@pytest.mark.parametrize("example", REFUSED, ids=lambda example: json.dumps(example["rules"])[:40])
def test_impossible_rules_are_refused_as_the_page_says(example):
    with pytest.raises(RulesError) as refused:
        mapper_of_example(example)
    assert len(refused.value.faults) == len(example["faults"])
    for fault, words in zip(refused.value.faults, example["faults"], strict=True):
        assert fault.startswith(words)


@pytest.mark.parametrize(("tagged", "value"), VALUES)
def test_a_value_becomes_what_the_page_says(tagged, value):
    assert json.dumps(value_of(json.loads(tagged)), ensure_ascii=False) == value


def test_every_type_has_an_example():
    assert {next(iter(json.loads(tagged))) for tagged, _ in VALUES} == {
        *("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")
    }


def test_every_rule_of_a_plan_is_on_the_page_and_no_other():
    rules = [codes(name)[0] for name, _, _ in table_rows(PAGE, "## Rules")]
    assert sorted(rules) == sorted(RulesPlan.model_fields)


def test_every_reason_is_on_the_page_in_the_order_in_which_they_win():
    rows = table_rows(PAGE, "## Rejected items")
    assert [codes(row[0])[0] for row in rows if len(codes(row[0])) == 1][: len(REASONS)] == list(REASONS)
