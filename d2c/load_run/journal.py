"""A load run's record of its stages: what the app shows while it runs, and the result that it leaves."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from d2c.errors import D2CError

PROGRESS_FILE = "progress.json"
RESULT_FILE = "result.json"


class Journal:
    """Keeps the stages and findings of one load run, and writes them where the app reads them.

    Args:
        write: writes a text to a file of the result folder, by the file's name.
    """

    def __init__(self, write: Callable[[str, str], None]) -> None:
        self._write = write
        self._stages: list[dict[str, Any]] = []
        self._findings: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Record a stage's start and end; an error marks it failed and goes on upwards."""
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        stage: dict[str, Any] = {"stage": name, "state": "running", "started_at": started_at}
        self._stages.append(stage)
        self._write(PROGRESS_FILE, json.dumps({"stages": self._stages}))
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            stage["state"] = "failed"
            if isinstance(error, D2CError):
                self.fail(error)
            raise
        finally:
            stage["seconds"] = round(time.monotonic() - began, 3)
        stage["state"] = "succeeded"

    def count(self, done: int, total: int) -> None:
        """Show how much of the stage under way is done.

        Args:
            done: what is done of the total.
            total: as far as it is known by now; it may grow.
        """
        self._write(PROGRESS_FILE, json.dumps({"stages": self._stages, "done": done, "total": total}))

    def fail(self, error: D2CError) -> None:
        """Record the error with which the last stage ended."""
        self._error = {**error.to_dict(), "stage": self._stages[-1]["stage"]}

    def note(self, **findings: Any) -> None:
        """Add findings to the result; later ones of the same name replace earlier ones."""
        self._findings |= findings

    def found(self, name: str) -> Any:
        """Return a finding of an earlier stage of this run, or None."""
        return self._findings.get(name)

    def close(self) -> str:
        """Write the result and return it as JSON text."""
        state = "failed" if self._error else "succeeded"
        result = {"state": state, "error": self._error, "stages": self._stages, **self._findings}
        text = json.dumps(result)
        self._write(RESULT_FILE, text)
        return text
