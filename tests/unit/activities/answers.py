"""What activities answer, taken apart."""

from typing import Any


def value_of(answer: dict[str, Any]) -> Any:
    assert "error" not in answer, answer["error"]
    return answer["value"]


def error_of(answer: dict[str, Any], *marks: str) -> dict[str, Any]:
    """Return an answer's error, once it has just these marks of what the orchestrator decides on."""
    assert "error" in answer, answer
    error = answer["error"]
    assert {mark for mark in ("transient", "another_run", "cancelled") if error[mark]} == set(marks)
    assert error["detail"]
    assert error["next_step"]
    return error
