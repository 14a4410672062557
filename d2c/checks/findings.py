"""What checks find: each finding is about one thing, and has the next step where something is wrong."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from d2c.app.redaction import without_secrets
from d2c.errors import D2CError

# From harmless to bad; the worst state of any is the state of all.
STATES = ("ok", "skipped", "warning", "failed")

Finding = dict[str, str]
logger = logging.getLogger(__name__)


class Findings:
    """Findings about one system, in the order in which they are made.

    Args:
        system: what people call it, such as ``Data Factory``.
    """

    def __init__(self, system: str) -> None:
        self.system = system
        self.found: list[Finding] = []

    def ok(self, thing: str, check: str, finding: str) -> None:
        """Record that something is as it has to be."""
        self._add(thing, check, "ok", finding, "")

    def warning(self, thing: str, check: str, finding: str, next_step: str) -> None:
        """Record what a migration can live with, and its user should know."""
        self._add(thing, check, "warning", finding, next_step)

    def failed(self, thing: str, check: str, finding: str, next_step: str) -> None:
        """Record what would make a migration fail."""
        self._add(thing, check, "failed", finding, next_step)

    def skipped(self, thing: str, check: str, finding: str, next_step: str = "") -> None:
        """Record what could not be looked at, or has nothing to be looked at."""
        self._add(thing, check, "skipped", finding, next_step)

    @contextmanager
    def attempt(self, thing: str, check: str, *, is_needed: bool = True) -> Iterator[None]:
        """Record as failed what goes wrong in the block, and go on after it: one trouble hides no other.

        Args:
            thing: what is looked at.
            check: what is looked for.
            is_needed: whether a migration makes the same calls; what only the check wants to see is skipped instead.
        """
        try:
            yield
        except D2CError as error:
            # A check is made once; it is its user who tries again.
            next_step = re.sub(r"^It is (tried|asked|read) again", "Check again", error.next_step)
            (self.failed if is_needed else self.skipped)(thing, check, error.detail, next_step)
        except Exception as error:
            logger.exception("The check of %s, %s, failed unexpectedly", thing, check)
            self.failed(
                thing,
                check,
                f"The check itself failed with {type(error).__name__}: {error}",
                "Check again; if it persists, report it with the app's log.",
            )

    def _add(self, thing: str, check: str, state: str, finding: str, next_step: str) -> None:
        self.found.append(
            {
                "system": self.system,
                "thing": thing,
                "check": check,
                "state": state,
                "finding": without_secrets(finding),
                "next_step": next_step,
            }
        )


def state_of_findings(findings: Sequence[Finding]) -> str:
    """Return ``failed`` if a check failed, else ``succeeded``: a warning stops no migration."""
    return "failed" if any(finding["state"] == "failed" for finding in findings) else "succeeded"


def counts_of_findings(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings are in each state."""
    return {state: sum(finding["state"] == state for finding in findings) for state in STATES}


def numbered(count: int, word: str) -> str:
    """Return a count with its word in the right number, such as ``1 table``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def listed(values: Sequence[Any], most: int = 10) -> str:
    """Return values in words, the first of them where they are many."""
    others = len(values) - most
    return ", ".join(map(str, values[:most])) + (f" and {others} others" if others > 0 else "")
