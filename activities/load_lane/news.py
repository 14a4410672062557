"""What a load run has written about its tables, by a call or two for each of them."""

from activities.load_lane.load_table import hands_over, load_folder_of, log_of
from d2c.clients.azure.lake import Lake
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE
from d2c.load_run.told.progress import PROGRESS_BYTES, parse_progress
from d2c.load_run.unit.log import tables_let_go
from d2c.shapes import LaneInput


class RunNews:
    """What a load run that goes on has written.

    Args:
        lake: the lake.
        payload: the lane's.
        waiting: gets the names of tables for which the run will soon wait.
    """

    def __init__(self, lake: Lake, payload: LaneInput, waiting: list[str]) -> None:
        self._lake, self._payload, self._waiting = lake, payload, waiting
        # The tables that the run has been told to load.
        self.let_go: set[str] = set()
        if hands_over(payload):
            self.let_go = tables_let_go((lake.read(log_of(payload)) or b"").decode())

    def is_there(self, name: str) -> bool:
        """Return whether the app has to act for a table: its result is there, or the run waits for its container."""
        folder = load_folder_of(self._payload, name)
        if self._lake.exists(f"{folder}/{RESULT_FILE}"):
            return True
        if not hands_over(self._payload) or name in self.let_go:
            return False
        progress = parse_progress(self._lake.read(f"{folder}/{PROGRESS_FILE}", PROGRESS_BYTES))
        if progress is None:
            return False
        is_waiting = progress.get("is_waiting", False)
        if not is_waiting and progress.get("seconds_left", 0) < self._payload["waits"]["longest_seconds"]:
            self._waiting.append(name)
        return is_waiting
