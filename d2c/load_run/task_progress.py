"""How far the stage under way is: the tasks of its Spark jobs, as Spark's status tracker counts them.

A task of assess and load is a data file, so this is as fine as any count of our own could be: Spark brings accumulators
and metrics home when a task has ended too. Of Spark's stages only those that have begun count, since some are skipped
in the end; so the total grows within a stage of the migration that has several, as verify does.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

TELL_SECONDS = 3.0
LONGEST_END_SECONDS = 10.0


def task_counts(tracker: Any, group: str | None, before: set[int]) -> tuple[int, int]:
    """Return how many tasks are done, and how many there are in what has begun.

    Args:
        tracker: Spark's ``StatusTracker``.
        group: the job group of the notebook's jobs, which Databricks gives them; None for those without one.
        before: the jobs of the group that ran before the stage.
    """
    infos = [tracker.getJobInfo(job) for job in set(tracker.getJobIdsForGroup(group)) - before]
    stages = {stage for info in infos if info for stage in info.stageIds}
    known = [info for stage in stages if (info := tracker.getStageInfo(stage))]
    begun = [info for info in known if info.numActiveTasks or info.numCompletedTasks or info.numFailedTasks]
    return sum(info.numCompletedTasks for info in begun), sum(info.numTasks for info in begun)


@contextmanager
def repeated(action: Callable[[], None], seconds: float = TELL_SECONDS) -> Iterator[None]:
    """Repeat an action in the background as long as the block runs; its errors are printed and change nothing.

    The thread ends with the block. Should the action hang, the block goes on after ten seconds without it, and the
    thread does not keep the process from ending.
    """
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            try:
                action()
            except Exception as error:
                print(f"Progress cannot be told: {type(error).__name__}: {error}")

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LONGEST_END_SECONDS)
