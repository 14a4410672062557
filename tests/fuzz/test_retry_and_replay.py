"""Whatever the body of a proposal, a retry, a replay, a verification or a cancellation holds: refused or read."""

import json

from hypothesis import strategies as st

from d2c.api.plan_models import ProposeBody
from d2c.api.requests import parse_cancel, parse_operation, parse_retry, read_body
from d2c.errors import MOST_FAULTS, BodyError, PlanError
from d2c.plan.model import parse_plan
from d2c.proposal.proposing import asked_plan
from d2c.shapes.operations import REPLAY, VERIFY
from d2c.state.operations import retried_input
from tests.fuzz.fuzzing import fuzzed, odd_values, spoilt, torn, within_bounds
from tests.unit.records import record

KNOWN = ("Music", "Orders", "orders.")
tables = st.sampled_from(KNOWN)
changes = {
    "rules": st.fixed_dictionaries({}, optional={"numbers": st.just("exact"), "drop": st.just(["a"])}),
    "throughput": st.just({"load_ru_per_second": 400}),
    "limits": st.just({"max_rejected_items": 7}),
    "indexing": st.sampled_from(("keys", "all", {"includedPaths": [{"path": "/*"}]}, {"includedPaths": []})),
    "apply_indexing": st.sampled_from(("at_creation", "after_load")),
    "verify": st.sampled_from(("full", "counts")),
    "allow_existing_documents": st.booleans(),
}
retried = st.fixed_dictionaries({"table": tables}, optional=changes)
replayed = st.fixed_dictionaries({"table": tables}, optional={"rules": changes["rules"]})
bodies = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"tables": st.lists(retried, max_size=3), "max_parallel_loads": st.integers(0, 9)}
    ),
    st.fixed_dictionaries({}, optional={"tables": st.lists(replayed, max_size=3)}),
    st.fixed_dictionaries({}, optional={"tables": st.lists(tables, max_size=3), "verify": changes["verify"]}),
)
proposals = st.fixed_dictionaries(
    {
        "region": st.just("eu-west-1"),
        "database": st.sampled_from(("shop", "my shop", "\u00e9", "x" * 255)),
        "tables": st.lists(st.sampled_from((*KNOWN, "shop-*", "*")), min_size=1, max_size=3, unique=True),
    },
    optional={"name": st.just("m"), "account": st.just("1" * 12), "exclude": st.lists(tables, max_size=2)},
)
texts = st.one_of(
    spoilt(bodies).map(json.dumps).map(str.encode),
    torn(bodies.map(json.dumps).map(str.encode)),
    odd_values.map(json.dumps).map(str.encode),
)
READERS = {
    "retry": lambda body: parse_retry(body, KNOWN),
    "retry before its tables are listed": lambda body: parse_retry(body, None),
    "verify": lambda body: parse_operation(VERIFY, body, KNOWN),
    "replay": lambda body: parse_operation(REPLAY, body, KNOWN),
    "cancel": lambda body: parse_cancel(body, KNOWN),
}


@fuzzed(texts, st.sampled_from(sorted(READERS)))
def test_a_body_is_refused_in_words_or_read(body, reader):
    with within_bounds():
        faults = faults_of(reader, body)
    assert len(faults) <= MOST_FAULTS + 1
    assert all(len(fault) < 1000 for fault in faults)


def faults_of(reader, body):
    try:
        READERS[reader](body)
    except BodyError as error:
        return error.faults
    return ()


@fuzzed(st.one_of(spoilt(proposals).map(json.dumps).map(str.encode), texts))
def test_what_is_asked_for_a_proposal_is_refused_or_a_plan(body):
    try:
        with within_bounds():
            plan = asked_plan(read_body(ProposeBody, body).model_dump(exclude_none=True))
    except (BodyError, PlanError) as error:
        assert all(len(fault) < 1000 for fault in error.faults)
        return
    assert parse_plan(plan.model_dump_json(exclude_none=True).encode()) == plan


@fuzzed(spoilt(st.fixed_dictionaries({"tables": st.lists(retried, min_size=1, max_size=3)})))
def test_what_a_retry_changes_lies_over_what_the_record_says(body):
    try:
        request = parse_retry(json.dumps(body).encode(), KNOWN)
    except BodyError:
        return
    for entry in request.tables or ():
        known = retried_input(record(table=entry["table"]), entry)
        assert json.loads(json.dumps(known, allow_nan=False)) == known
        assert known["table"] in KNOWN
