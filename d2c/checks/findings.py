"""The findings of checks: each is about one thing, and has a next step if there is a problem."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from d2c.errors import D2CError
from d2c.redaction import without_secrets

# In ascending order of severity.
STATES = ("ok", "skipped", "warning", "failed")

Finding = dict[str, str]
logger = logging.getLogger(__name__)


class Findings:
    """The findings about one system, in order.

    Args:
        system: its name, such as ``Data Factory``.
    """

    def __init__(self, system: str) -> None:
        self.system = system
        self.found: list[Finding] = []

    def ok(self, thing: str, check: str, finding: str) -> None:
        """Record a check that passed."""
        self._add(thing, check, "ok", finding, "")

    def warning(self, thing: str, check: str, finding: str, next_step: str) -> None:
        """Record a problem that does not stop a migration."""
        self._add(thing, check, "warning", finding, next_step)

    def failed(self, thing: str, check: str, finding: str, next_step: str) -> None:
        """Record a problem that would make a migration fail."""
        self._add(thing, check, "failed", finding, next_step)

    def skipped(self, thing: str, check: str, finding: str, next_step: str = "") -> None:
        """Record a check that is impossible or does not apply."""
        self._add(thing, check, "skipped", finding, next_step)

    @contextmanager
    def attempt(self, thing: str, check: str, *, is_needed: bool = True) -> Iterator[None]:
        """Record an error in the block as failed, and continue with the next check.

        Args:
            thing: the thing that is checked.
            check: the name of the check.
            is_needed: whether a migration makes the same calls; if not, an error is recorded as skipped.
        """
        try:
            yield
        except D2CError as error:
            # A check does not retry; its user checks again.
            next_step = re.sub(r"^Retrying", "Check again", error.next_step)
            (self.failed if is_needed else self.skipped)(thing, check, error.detail, next_step)
        except Exception as error:
            logger.exception("The check of %s, %s, failed unexpectedly", thing, check)
            self.failed(
                thing,
                check,
                f"The check itself failed with {type(error).__name__}: {error}",
                "Check again. If it keeps failing, report it with the app's log.",
            )

    def _add(self, thing: str, check: str, state: str, finding: str, next_step: str) -> None:
        self.found.append(
            {
                "system": self.system,
                "thing": thing,
                "check": check,
                "state": state,
                "finding": without_secrets(finding),
                "next_step": without_secrets(next_step),
            }
        )


def state_of_findings(findings: Sequence[Finding]) -> str:
    """Return ``failed`` if a check failed, else ``succeeded``: warnings do not count."""
    return "failed" if any(finding["state"] == "failed" for finding in findings) else "succeeded"


def counts_of_findings(findings: Sequence[Finding]) -> dict[str, int]:
    """Return the number of findings in each state."""
    return {state: sum(finding["state"] == state for finding in findings) for state in STATES}


def numbered(count: int, word: str) -> str:
    """Return a count with its noun in singular or plural, such as ``1 table``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
