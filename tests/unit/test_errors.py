import pytest

from d2c.errors import CancelledError, PermanentError, PlanError, RunFailedError, TransientError


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
