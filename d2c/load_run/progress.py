"""The progress of a load run by stages, which the app shows, and its result."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from d2c.errors import D2CError

PROGRESS_FILE = "progress.json"
RESULT_FILE = "result.json"


PROGRESS_SECONDS = 3.0
LONGEST_END_SECONDS = 10.0


class RunProgress:
    """Collects the stages and findings of one load run, and writes them for the app.

    Args:
        write: writes a text to a file of the result folder, by file name.
    """

    def __init__(self, write: Callable[[str, str], None]) -> None:
        self._write = write
        self._stages: list[dict[str, Any]] = []
        self._findings: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Record a stage's start and end; an error sets its state to failed and is raised again.

        The first one is written at once; a later one with its first counts, as most are shorter than that takes.
        """
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        stage: dict[str, Any] = {"stage": name, "state": "running", "started_at": started_at}
        self._stages.append(stage)
        if len(self._stages) == 1:
            self.count({})
        began = time.monotonic()
        try:
            yield
        except Exception:
            stage["state"] = "failed"
            raise
        finally:
            stage["seconds"] = round(time.monotonic() - began, 3)
        stage["state"] = "succeeded"

    def count(self, counts: Mapping[str, Any]) -> None:
        """Write how much of the running stage is done.

        Args:
            counts: as `ItemCounts.look` returns them; empty if unknown.
        """
        self._write(PROGRESS_FILE, json.dumps({"stages": self._stages, **counts}))

    def wait(self) -> None:
        """Write that the next stage waits for the app."""
        self._write(PROGRESS_FILE, json.dumps({"stages": self._stages, "is_waiting": True}))

    def ended_stages(self) -> tuple[dict[str, Any], ...]:
        """Return the stages so far."""
        return tuple(self._stages)

    def fail(self, error: D2CError) -> None:
        """Record the error that ended the last stage."""
        self._error = {**error.to_dict(), "stage": self._stages[-1]["stage"]}

    def note(self, **findings: Any) -> None:
        """Add findings to the result; later ones of the same name replace earlier ones."""
        self._findings |= findings

    def found(self, name: str) -> Any:
        """Return a finding of an earlier stage of this run, or None."""
        return self._findings.get(name)

    def close(self, state: str = "succeeded") -> str:
        """Write the result and return it as JSON text.

        Args:
            state: that of a table without an error.
        """
        state = "failed" if self._error else state
        result = {"state": state, "error": self._error, "stages": self._stages, **self._findings}
        # As UTF-8, in which the largest one is within what the app reads.
        text = json.dumps(result, ensure_ascii=False)
        self._write(RESULT_FILE, text)
        return text


@contextmanager
def repeated(
    action: Callable[[], None],
    seconds: float = PROGRESS_SECONDS,
    new_thread: Callable[..., threading.Thread] = threading.Thread,
) -> Iterator[None]:
    """Repeat an action in the background while the block runs; its errors are only printed, the first of each kind.

    The thread ends with the block. If the action hangs, the block ends after ten seconds without waiting longer, and
    the thread does not prevent the process from ending.

    Args:
        action: what is repeated.
        seconds: between two times.
        new_thread: makes the thread. ``pyspark.InheritableThread`` gives it the credentials of the notebook's own,
            without which Unity Catalog refuses its writes ("Missing Credential Scope").
    """
    ended = threading.Event()
    printed: set[type[Exception]] = set()

    def repeat() -> None:
        while not ended.wait(seconds):
            try:
                action()
            except Exception as error:
                if type(error) not in printed:
                    print(f"Progress cannot be written: {type(error).__name__}: {error}")
                printed.add(type(error))

    thread = new_thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LONGEST_END_SECONDS)
