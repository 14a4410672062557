"""Whatever a file of rules holds, it is refused with its faults, or maps every line by them within all limits."""

import json

from hypothesis import strategies as st

from d2c.cli.files import load_rules
from d2c.mapping import Document, Expired, KeySchema, Rejected, RulesError, compile_mapper, parse_rules
from d2c.mapping.names import levels_of
from d2c.plan.rule_changes import faults_of_rules
from tests.fuzz.fuzzing import fuzzed, odd_texts, odd_values, spoilt, torn, within_bounds
from tests.unit.mapping import strategies

NOW = 1_800_000_000
KEYS = (KeySchema("pk", "sk"), KeySchema("id", None), KeySchema("/pk", "a.b"))
given_rules = spoilt(strategies.rules) | strategies.rules | odd_values
line = st.builds(lambda item: json.dumps({"Item": item}).encode(), strategies.any_item)


def read(parse, *given, **options):
    """Return what is read and no faults, or None and the faults, which are short."""
    try:
        return parse(*given, **options), ()
    except RulesError as error:
        return None, error.faults


@fuzzed(given_rules, st.sampled_from(KEYS), st.sampled_from((None, "until", "ttl")), line)
def test_rules_are_refused_or_map(given, keys, ttl_attribute, line):
    with within_bounds():
        rules, faults = read(parse_rules, given, keys, ttl_attribute=ttl_attribute)
        mapper = compile_mapper(rules) if rules else None
        mapped = mapper.map_line(line, NOW) if mapper else None
    assert all(len(fault) < 1000 for fault in faults)
    if mapper is None:
        assert faults
        return
    assert isinstance(mapped, Document | Expired | Rejected)
    assert all(len(levels_of(path)) == 1 for path in mapper.partition_key_paths)
    assert parse_rules(json.loads(json.dumps(given)), keys, ttl_attribute=ttl_attribute) == rules


@fuzzed(torn(strategies.rules.map(json.dumps).map(str.encode)) | st.binary(max_size=200))
def test_the_text_of_rules_is_refused_or_read_as_it_was_written(text):
    with within_bounds():
        rules, faults = read(load_rules, text, "rules.json")
    assert all(len(fault) < 1000 for fault in faults)
    assert rules is None or load_rules(json.dumps(rules).encode(), "rules.json") == rules


@fuzzed(strategies.rules, given_rules)
def test_other_rules_of_a_replay_are_refused_or_keep_the_place_of_documents(before, after):
    source = {"hash_key": "pk", "range_key": "sk", "ttl_attribute": None}
    keys = KeySchema("pk", "sk")
    try:
        old = parse_rules(before, keys)
    except RulesError:
        return
    with within_bounds():
        faults = faults_of_rules(before, after, source)
    assert all(len(fault) < 2000 for fault in faults)
    if not faults:
        assert parse_rules(after, keys).partition_key_paths == old.partition_key_paths


@fuzzed(st.lists(odd_texts, min_size=1, max_size=3))
def test_a_path_is_one_level_for_each_name(names):
    rules = {"partition_key": names, "rename": {name: name for name in names}}
    try:
        parsed = parse_rules(rules, KeySchema("pk", None))
    except RulesError:
        return
    levels = [levels_of(path) for path in parsed.partition_key_paths]
    assert levels == [(name,) for name in parsed.partition_key_properties]
