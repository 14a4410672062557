from typing import get_args

import pytest

from d2c.shapes import ComparingKind, RequestedKind
from d2c.shapes.operations import KINDS, MIGRATING, OPERATION_KINDS, START, is_comparing


def test_every_kind_says_what_it_does():
    assert tuple(KINDS) == OPERATION_KINDS


def test_a_kind_migrates_or_compares():
    assert tuple(kind for kind in OPERATION_KINDS if is_comparing(kind)) == get_args(ComparingKind)
    assert {*MIGRATING, *get_args(ComparingKind)} == set(OPERATION_KINDS)


def test_a_caller_requests_every_kind_but_the_start_and_each_takes_tables_that_have_ended():
    assert {START, *get_args(RequestedKind)} == set(OPERATION_KINDS)
    assert all(KINDS[kind].table_states for kind in get_args(RequestedKind))


@pytest.mark.parametrize("kind", OPERATION_KINDS)
def test_its_load_runs_end_with_a_comparison(kind):
    assert KINDS[kind].load_stages[-1] == "verify"
