"""Whatever the files of a load run hold, the notebook reads what the app wrote, and refuses the rest in words."""

import json
from dataclasses import asdict, replace

from hypothesis import strategies as st

from d2c.errors import PermanentError, PlanError
from d2c.load_run.mappers import request_mapper
from d2c.load_run.replaying import decide
from d2c.load_run.request import LoadRequest, RequestList, parse_request, read_requests
from d2c.load_run.unit.handover import parse_assessed
from d2c.load_run.unit.log import ended_tables
from tests.unit.load_run.batches import request, rows_of
from tests.unit.load_run.test_handover import FOUND
from tests.unit.load_run.test_replaying import CURABLE, NOW, REJECTING, batch, rejected_by
from tests.unit.load_run.test_request import REQUEST
from tests.unit.mapping import strategies

from .fuzzing import fuzzed, odd_texts, odd_values, spoilt, torn, within_bounds

requests = st.builds(
    lambda rules, keys, ttl: replace(REQUEST, rules_history=tuple(rules), hash_key=keys, ttl_attribute=ttl),
    st.lists(strategies.rules, min_size=1, max_size=3),
    odd_texts,
    st.none() | odd_texts,
)


def written(value):
    return json.dumps(value).encode()


def files(sound):
    """Make texts of files: as written, with odd values, or torn."""
    values = sound.map(asdict)
    content = (
        torn((spoilt(values) | values).map(written)) | spoilt(values).map(written) | odd_values.map(written)
    )
    return content.map(lambda data: data.decode(errors="replace"))


def refusal(refused):
    assert len(str(refused)) < 1_000
    return


@fuzzed(files(requests))
def test_a_request_is_read_as_it_was_written_or_refused(text):
    with within_bounds():
        try:
            found = parse_request(text)
        except PermanentError as refused:
            return refusal(refused)
        assert isinstance(found, LoadRequest)
        assert parse_request(found.to_json().decode()) == found
        try:
            mapper = request_mapper(found)
        except PlanError:
            return None
        mapper.map_line(b'{"Item":{"Artist":{"S":"a"}}}', NOW)
    return None


@fuzzed(files(st.builds(RequestList, st.lists(odd_texts, max_size=3).map(tuple), odd_texts)))
def test_a_list_of_requests_is_read_as_it_was_written_or_refused(text):
    asked = []

    def read(path):
        asked.append(path)
        return text if len(asked) == 1 else REQUEST.to_json().decode()

    with within_bounds():
        try:
            found, log = read_requests("list", read)
        except PermanentError as refused:
            return refusal(refused)
    assert type(log) is str
    assert all(type(path) is str for path in asked)
    assert found == [REQUEST] * (len(asked) - 1)
    return None


entries = st.lists(st.fixed_dictionaries({"table": odd_texts}), max_size=4)


@fuzzed(entries, torn(spoilt(entries).map(written)))
def test_a_log_names_the_tables_that_have_ended_or_is_refused(sound, odd):
    log = "".join(json.dumps(entry) + "\n" for entry in sound)
    assert ended_tables(log) == {entry["table"] for entry in sound}
    with within_bounds():
        try:
            found = ended_tables(odd.decode(errors="replace").replace("}, {", "}\n{").strip("[]"))
        except PermanentError as refused:
            return refusal(refused)
    assert all(type(table) is str for table in found)
    return None


found_by_assess = st.builds(
    lambda name, number: replace(FOUND, listing=name, assessed={**FOUND.assessed, "documents": number}),
    odd_texts,
    st.integers(0, 2**40),
)


@fuzzed(files(found_by_assess))
def test_what_a_run_has_assessed_is_read_as_it_was_written_or_refused(text):
    with within_bounds():
        try:
            found = parse_assessed(text)
        except PermanentError as refused:
            return refusal(refused)
    assert parse_assessed(found.to_json()) == found
    assert all(type(number) is int and number >= 0 for number in found.sums.values())
    return None


KEPT = [
    text.encode()
    for text in rejected_by(REJECTING, *CURABLE, b"no json", b'{"Item":{"pk":{"S":"a"},"n":{"N":"x"}}}')
]


@fuzzed(torn(st.sampled_from(KEPT)) | spoilt(st.sampled_from(list(map(json.loads, KEPT)))).map(written))
def test_a_rejected_item_in_the_lake_is_replayed_as_it_was_written_or_refused(content):
    text = content.decode(errors="replace")
    with within_bounds():
        try:
            rows = rows_of(decide(request(REJECTING), NOW), batch(text))
        except PermanentError as refused:
            return refusal(refused)
    assert json.loads(rows[-1][1])["lines"] == 1
    return None
