"""The stages of a table migration with their times; it is the orchestration's custom status too."""

from datetime import datetime

import azure.durable_functions as df

from d2c.shapes import StageEntry, Waiting

FIRST_STAGE = "export"


class StageLog:
    """Records stages with times from the orchestration's own clock, so that a replay records the same.

    Args:
        context: the orchestration's.
        table: the table's name.
    """

    def __init__(self, context: df.DurableOrchestrationContext, table: str) -> None:
        self._context = context
        self._counts: dict[str, int] = {}
        self._stage = FIRST_STAGE
        self.table = table
        self.stages: list[StageEntry] = []

    def begin(self, stage: str) -> None:
        """Record that a stage begins, and show it."""
        self._end("succeeded")
        started_at = self._context.current_utc_datetime
        self.stages.append({"stage": stage, "state": "running", "started_at": started_at.isoformat()})
        self._stage = stage
        self._show("running")

    def wait(self, stage: str, waiting: Waiting) -> None:
        """Record that the stage before has ended, and show what the next one waits for."""
        self._end("succeeded")
        self._stage = stage
        self._show("running", waiting)

    def count(self, **counts: int | None) -> None:
        """Add item counts to what is shown."""
        self._counts |= {name: value for name, value in counts.items() if value is not None}

    def replace_last(self, stages: list[StageEntry]) -> None:
        """Put the stages that a load run recorded in the place of the one that stood for them all."""
        self.stages[-1:] = stages
        self._stage = stages[-1]["stage"]

    def close(self, state: str) -> None:
        """Record that the stage under way ended, and with it the table migration."""
        self._end(state)
        self._show(state)

    @property
    def last_stage(self) -> str:
        """The stage that began last, or that is waited for."""
        return self._stage

    def _end(self, state: str) -> None:
        if self.stages and self.stages[-1]["state"] == "running":
            last = self.stages[-1]
            began = datetime.fromisoformat(last["started_at"])
            now = self._context.current_utc_datetime
            last["state"] = state
            last["seconds"] = round((now - began).total_seconds(), 3)

    def _show(self, state: str, waiting: Waiting | None = None) -> None:
        status = {"table": self.table, "state": state, "stage": self._stage, **self._counts}
        self._context.set_custom_status({**status, "waiting": waiting} if waiting else status)
