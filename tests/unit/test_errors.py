import pytest

from d2c.errors import CancelledError, PermanentError, PlanError, RunFailedError, TransientError, listed


@pytest.mark.parametrize(
    ("error", "marks"),
    [
        (PermanentError("d", "n"), set()),
        (TransientError("d", "n"), {"transient"}),
        (RunFailedError("d", "n"), {"another_run"}),
        (CancelledError("m"), {"cancelled"}),
    ],
)
def test_an_error_crosses_the_durable_boundary_with_what_the_orchestrator_decides_on(error, marks):
    crossed = error.to_dict()
    assert {name for name in ("transient", "another_run", "cancelled") if crossed[name]} == marks
    assert crossed["detail"]
    assert crossed["next_step"]


def test_a_plan_error_tells_every_fault():
    error = PlanError(["a: missing", "b: unknown field"])
    assert error.faults == ("a: missing", "b: unknown field")
    assert "a: missing; b: unknown field" in str(error)


def test_many_values_are_told_by_the_first_of_them():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcd"), at_most=2) == "a, b and 2 others"
