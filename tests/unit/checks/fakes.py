"""Substitutes for what the checks look at; each answer may be an exception, which is raised."""

from types import SimpleNamespace
from typing import Any

from d2c.errors import PermanentError

REFUSED = PermanentError("The thing: the service answered 403: no.", "Grant the right.")


class Answers:
    """An object whose methods give the answers that it was made with."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        answer = self._answers[name]

        def give(*_: Any, **__: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer(*_, **__) if callable(answer) else answer

        return give


def states(findings):
    """Return the states of findings by thing and check."""
    return {(one["thing"], one["check"]): one["state"] for one in findings}


def assert_all_ok(findings, *checks):
    """Check that each of some checks passes and says so, and that there is no other."""
    assert {(check, state) for (_, check), state in states(findings).items()} == {
        (check, "ok") for check in checks
    }


def finding(findings, check):
    """Return the only finding of a check."""
    (found,) = [SimpleNamespace(**one) for one in findings if one["check"] == check]
    return found
