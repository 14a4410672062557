import pytest

from d2c.load_run import mappers
from d2c.load_run.mappers import ChainedMapper, map_for_writing, request_mapper
from d2c.mapping import Document, Expired, Mapper, Rejected

from .batches import lines_of, request

INEXACT = "12345678901234567890.5"
NOW = 1_780_000_000
(WELL, INEXACT_ITEM, CLASHING) = lines_of(
    {"pk": {"S": "well"}, "n": {"N": "1"}},
    {"pk": {"S": "inexact"}, "n": {"N": INEXACT}},
    {"pk": {"S": "clash"}, "a": {"S": "x"}, "b": {"S": "y"}},
)
REJECTING = {"numbers": "reject", "rename": {"a": "b"}}


def test_one_set_of_rules_needs_no_chain():
    assert type(request_mapper(request({}))) is Mapper


def test_an_item_keeps_the_document_that_the_first_rules_made_of_it():
    chained = request_mapper(request(REJECTING, {"numbers": "string"}))
    assert type(chained) is ChainedMapper
    assert chained.map_line(WELL, NOW).body == b'{"id":"well","n":1,"pk":"well"}'


def test_the_first_rules_that_do_not_reject_an_item_map_it():
    chained = request_mapper(request(REJECTING, {**REJECTING, "numbers": "exact"}, {"numbers": "string"}))
    assert (
        chained.map_line(INEXACT_ITEM, NOW).body
        == b'{"id":"inexact","n":"%s","pk":"inexact"}' % INEXACT.encode()
    )
    assert chained.map_line(CLASHING, NOW).body == b'{"a":"x","b":"y","id":"clash","pk":"clash"}'


def test_an_item_that_all_rules_reject_has_the_last_ones_reason():
    chained = request_mapper(request(REJECTING, {"numbers": "reject"}))
    line = lines_of({"pk": {"S": "k"}, "a": {"S": "x"}, "b": {"N": INEXACT}})[0]
    assert chained.map_line(line, NOW).reason == "inexact_number"
    assert request_mapper(request(REJECTING)).map_line(line, NOW).reason == "name_collision"


@pytest.fixture
def clock(monkeypatch):
    """Return a settable clock: the time at which documents are written."""
    times = {"now": NOW}
    monkeypatch.setattr(mappers.time, "time", lambda: times["now"])
    return times


def test_a_rejected_item_stays_rejected_after_it_expires(clock):
    mapper = request_mapper(request({"numbers": "reject"}, ttl_attribute="until"))
    line = lines_of({"pk": {"S": "k"}, "n": {"N": INEXACT}, "until": {"N": str(NOW + 5)}})[0]
    assert isinstance(mapper.map_line(line, NOW), Rejected)
    clock["now"] = NOW + 10
    assert isinstance(mapper.map_line(line, NOW + 10), Expired)
    assert isinstance(map_for_writing(mapper, line, NOW), Rejected)


def test_time_to_live_is_computed_when_a_document_is_written(clock):
    mapper = request_mapper(request({}, ttl_attribute="until"))
    line = lines_of({"pk": {"S": "k"}, "until": {"N": str(NOW + 50)}})[0]
    clock["now"] = NOW + 10
    document = map_for_writing(mapper, line, NOW)
    assert isinstance(document, Document)
    assert b'"ttl":40' in document.body
    clock["now"] = NOW + 60
    assert isinstance(map_for_writing(mapper, line, NOW), Expired)
